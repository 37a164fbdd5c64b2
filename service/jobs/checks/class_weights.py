"""Weights of rows by their class."""

from collections.abc import Mapping
from typing import Literal

from service.datasets.arrangement import Arrangement, SeenColumn
from service.datasets.columns import with_type
from service.datasets.view import ClassWeights
from service.errors import Invalid, invalid
from service.learning.synonyms import listed
from service.pointers import escape

ClassWeight = Literal["balanced"] | Mapping[str, float]
MOST_LISTED = 20


def class_weights(columns: Arrangement, wanted: ClassWeight | None) -> ClassWeights | None:
    """Return the weights that rows get; "balanced" gives each class of those that train the same sum.

    Raises:
        Invalid: there is not exactly one target of classes, a label is unknown, or all rows would weigh nothing.
    """
    if wanted is None:
        return None
    target = _target(columns)
    if wanted == "balanced":
        return ClassWeights(target.place, None)
    _check(wanted, target, columns.summary(target)["train"]["categories"])
    return ClassWeights(target.place, tuple(wanted.get(label, 1.0) for label in target.stored.labels or ()))


def _target(columns: Arrangement) -> SeenColumn:
    found = [each for each in columns.targets if each.column.labels is not None]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(repr(each.stored.name) for each in found)
        detail = f"class_weight needs one target of classes, and there are {len(found)}: {names}."
        remedy = "A column of weights that is named in sample_weights can weigh rows by all of them."
    else:
        name = columns.targets[0].stored.name
        detail = "class_weight weighs rows by their class, and no target has classes."
        remedy = f"Leave it out, or upload with {with_type(name, 'categorical')}."
    raise _refused("#/class_weight", f"{detail} {remedy}")


def _check(weights: Mapping[str, float], target: SeenColumn, counts: Mapping[str, int]) -> None:
    known = dict.fromkeys([*(target.column.labels or ()), *(target.stored.labels or ())])
    for label in weights:
        if label not in known:
            names = listed(list(map(repr, known)), MOST_LISTED)
            detail = f"Target {target.stored.name!r} has no class {label!r}; it has {names}."
            raise _refused(f"#/class_weight/{escape(label)}", detail)
    if not any(count and weights.get(label, 1.0) > 0 for label, count in counts.items()):
        raise _refused("#/class_weight", "With these weights no row of the training part counts: give a class more.")


def _refused(pointer: str, detail: str) -> Invalid:
    return invalid(pointer, detail, "impossible_class_weight")
