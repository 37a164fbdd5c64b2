"""The answer to rows, in the form that was asked for."""

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from service.http import media_types
from service.http.json_numbers import Array, JsonObject
from service.learning.rows.one_hot import Rows
from service.models.signature.class_answers import Classes
from service.models.signature.signature import Signature
from service.models.trained_network import TrainedNetwork
from service.predictions.confidence import Confidence, Sets
from service.predictions.extrapolation import values_outside_training

if TYPE_CHECKING:
    import pyarrow

FORMS = (media_types.JSON, media_types.CSV, media_types.ARROW, media_types.NPY)
"""Media types of an answer, in order of preference."""
MANY_ROWS = 64
"""Rows from which they are written in pieces."""
VALUES_OF_A_PIECE = 1 << 15
"""Numbers that are written at once, in a millisecond or so."""
SETS_OF_A_PIECE = 1 << 12
"""Sets of labels that are written at once."""


class Answer(NamedTuple):
    """The bytes of an answer, and the model and version that it is from."""

    media_type: str
    content: bytes
    model: str
    version: int


def write(
    media_type: str,
    trained: TrainedNetwork,
    inputs: Rows,
    outputs: Array,
    classes: Sequence[Classes],
    confidence: Confidence | None = None,
    explained: JsonObject | None = None,
) -> Answer:
    """Write the answer about rows (rows × inputs) with these raw outputs (rows × outputs), and the classes that they
    mean; only JSON explains them.
    """
    match media_type:
        case media_types.JSON:
            content = _json(trained, inputs, outputs, classes, _beyond_outputs(confidence, explained))
        case media_types.NPY:
            content = _npy(outputs)
        case media_types.CSV:
            content = _csv(_table(trained.signature, outputs, classes, confidence))
        case _:
            content = _arrow(_table(trained.signature, outputs, classes, confidence))
    return Answer(media_type, content, trained.model, trained.version)


def _beyond_outputs(confidence: Confidence | None, explained: JsonObject | None) -> JsonObject:
    """Return the members of an answer that only some requests ask for."""
    members = {} if confidence is None else confidence.to_json(_in_pieces)
    return members if explained is None else {**members, "contributions": explained}


def _json(
    trained: TrainedNetwork, inputs: Rows, outputs: Array, classes: Sequence[Classes], members: JsonObject
) -> bytes:
    answer: JsonObject = {"model": trained.model, "version": trained.version, "outputs": _in_pieces(outputs)}
    if trained.epoch is not None:
        answer["epoch"] = trained.epoch
    if trained.signature is not None:
        answer |= _of_classes(trained.signature, classes)
        outside = values_outside_training(trained, inputs)
        if outside is not None:
            answer |= {"extrapolation": outside.values, "extrapolation_count": outside.count}
    answer |= members
    return orjson.dumps(answer, default=np.ascontiguousarray, option=orjson.OPT_SERIALIZE_NUMPY)


def _in_pieces(values: Array | Sets) -> "Array | Sets | orjson.Fragment":
    """Many rows as JSON, written a few at a time: orjson blocks all other threads while it writes."""
    if len(values) < MANY_ROWS:
        return values
    rows = SETS_OF_A_PIECE if isinstance(values, list) else max(1, VALUES_OF_A_PIECE * len(values) // values.size)
    pieces = (_lists(values[start : start + rows]) for start in range(0, len(values), rows))
    return orjson.Fragment(b"[%b]" % b",".join(pieces))


def _lists(values: Array | Sets) -> bytes:
    """Rows as JSON, with a comma between; of one number each faster than orjson, which takes each for an array."""
    if isinstance(values, list):
        return orjson.dumps(values)[1:-1]
    if values.shape[1] > 1:
        return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    flat = orjson.dumps(np.ascontiguousarray(values[:, 0]), option=orjson.OPT_SERIALIZE_NUMPY)
    return flat.replace(b",", b"],[")


def _of_classes(signature: Signature, classes: Sequence[Classes]) -> JsonObject:
    """Labels, probabilities and names: those of the one target, or by the names of several."""
    if not classes:
        return {}
    if len(signature.targets) == 1:
        only = classes[0]
        probabilities = None if only.probabilities is None else _in_pieces(only.probabilities)
        return {"labels": only.labels, "probabilities": probabilities, "classes": only.names}
    return {
        "labels": {each.target: each.labels for each in classes},
        "probabilities": {
            each.target: None if each.probabilities is None else _in_pieces(each.probabilities) for each in classes
        },
        "classes": {each.target: each.names for each in classes},
    }


def _npy(outputs: Array) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, outputs, allow_pickle=False)
    return file.getvalue()


Values = Array | list[str] | list[bool] | Sets
"""A column; that of sets has a list of labels a row."""
Table = list[tuple[str, Values]]
"""Columns with their names; a name may be there twice."""


def _table(
    signature: Signature | None, outputs: Array, classes: Sequence[Classes], confidence: Confidence | None
) -> Table:
    """Outputs by column: a numeric target under its name, a class target as label, outputs and probabilities."""
    if signature is None:
        return [(f"output_{index}", outputs[:, index]) for index in range(outputs.shape[1])]
    return list(_columns(signature, outputs, classes, confidence or Confidence()))


def _columns(
    signature: Signature, outputs: Array, classes: Sequence[Classes], confidence: Confidence
) -> Iterator[tuple[str, Values]]:
    of_target = {each.target: each for each in classes}
    start = 0
    for target in signature.targets:
        own = outputs[:, start : start + target.width]
        start += target.width
        if target.kind == "numeric":
            yield target.name, own[:, 0]
            if confidence.interval is not None:
                yield f"{target.name}_lower", confidence.interval.lower[:, start - 1]
                yield f"{target.name}_upper", confidence.interval.upper[:, start - 1]
            continue
        found = of_target[target.name]
        yield target.name, found.labels
        names = [str(name).lower() if isinstance(name, bool) else name for name in found.names]
        yield from _spread(f"{target.name}_output", names[-target.width :], own)
        if found.probabilities is not None:
            yield from _spread(f"{target.name}_probability", names, found.probabilities)
        if confidence.sets is not None:
            yield f"{target.name}_set", confidence.sets[target.name]


def _spread(prefix: str, names: list[str], values: Array) -> Iterator[tuple[str, Array]]:
    """One column for each class; a boolean's one output is that of true."""
    return ((f"{prefix}_{name}", values[:, index]) for index, name in enumerate(names))


def _arrow_table(table: Table) -> "pyarrow.Table":
    import pyarrow  # here: it takes a third of a second, and JSON can do without

    arrays = [
        pyarrow.array(np.ascontiguousarray(values) if isinstance(values, np.ndarray) else values) for _, values in table
    ]
    return pyarrow.Table.from_arrays(arrays, names=[name for name, _ in table])


def _arrow(table: Table) -> bytes:
    import pyarrow

    whole, sink = _arrow_table(table), pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    return bytes(sink.getvalue())


def _csv(table: Table) -> bytes:
    from pyarrow import BufferOutputStream, csv

    sink = BufferOutputStream()
    flat = [(name, _texts(values) if isinstance(values[0], list) else values) for name, values in table]
    csv.write_csv(_arrow_table(flat), sink)
    return bytes(sink.getvalue())


def _texts(sets: Any) -> list[str]:
    """Sets of labels as JSON, as a CSV file has no lists."""
    return [orjson.dumps(each).decode() for each in sets]
