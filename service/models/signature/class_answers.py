"""Labels and probabilities from raw outputs, for targets that are classes."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.http.json_numbers import Array
from service.learning.evaluation.class_scores import class_scores, labels
from service.models.signature.signature import Signature, Target


@dataclass(frozen=True)
class Classes:
    """A network's answer for one class target: a label a row, and probabilities (rows × names), where it has any."""

    target: str
    names: list[str] | list[bool]
    labels: list[str] | list[bool]
    probabilities: Array | None


def class_answers(signature: Signature | None, outputs: Array) -> tuple[Classes, ...]:
    """Return the answer for each class target, in the order of the targets; there are none without a signature."""
    if signature is None:
        return ()
    found, start = [], 0
    for target in signature.targets:
        if target.kind != "numeric":
            found.append(_classes(signature, target, outputs[:, start : start + target.width]))
        start += target.width
    return tuple(found)


def _classes(signature: Signature, target: Target, outputs: Array) -> Classes:
    boolean = target.kind == "boolean"
    names: Sequence[str] | Sequence[bool] = (False, True) if boolean else (target.categories or ())
    scores = class_scores(outputs, signature.link, boolean=boolean)
    chosen = [names[code] for code in labels(scores).tolist()]
    return Classes(target.name, list(names), chosen, None if signature.link is None else scores)  # type: ignore[arg-type]  # all are of one type
