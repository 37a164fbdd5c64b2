"""The bodies that MLflow's and KServe's (V1) clients send, and the answer that they expect.

As with MLflow's server, a body has exactly one of the four fields below; any other field (`params`, `signature_name`)
means nothing to these models and is ignored. Predictions are as from scikit-learn's `predict`: the label of a
class target, the number of a numeric one, one a row; for several targets, a list a row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from service.errors import invalid, unread
from service.http import json_numbers, media_types
from service.http.json_bodies import read_json
from service.http.json_numbers import Array
from service.http.long_json.lists import LongList, first_of, pieces, unwrapped
from service.learning.rows.one_hot import Rows, rows_together
from service.models.signature.class_answers import class_answers
from service.models.signature.signature import Signature
from service.models.trained_network import TrainedNetwork
from service.pointers import escape
from service.predictions.operations import outputs
from service.predictions.question import Question
from service.predictions.rows import json_rows, named_rows, tables
from service.predictions.rows.tables import InputRows

FIELDS = ("instances", "inputs", "dataframe_split", "dataframe_records")
HEAD = 32
"""Bytes of a body that show which field a plain one has."""


def invoke(trained: TrainedNetwork, question: Question) -> bytes:
    """Return the answer, {"predictions": [...]}.

    Raises:
        Invalid: the rows do not fit the network, or an output overflows.
        WrongFormat: neither JSON nor CSV.
    """
    given = _read(trained, question)
    computed = outputs(trained, given.inputs, given.pointer)
    return orjson.dumps({"predictions": _predictions(trained, computed)}, option=orjson.OPT_SERIALIZE_NUMPY)


def _predictions(trained: TrainedNetwork, computed: Array) -> Any:
    found = {each.target: each.labels for each in class_answers(trained.signature, computed)}
    if not found:
        return computed[:, 0].copy() if computed.shape[1] == 1 else computed
    assert trained.signature is not None
    columns, start = [], 0
    for target in trained.signature.targets:
        columns.append(found.get(target.name) or computed[:, start].tolist())
        start += target.width
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _read(trained: TrainedNetwork, question: Question) -> InputRows:
    match question.media_type:
        case media_types.JSON | media_types.FORM | "":  # as curl -d and requests' data= send it
            question.query.refuse_words("JSON")
            return _from_json(trained, question.body)
        case media_types.CSV:
            return tables.from_csv(question, trained)
        case other:
            raise unread("Invocations are", (media_types.JSON, media_types.CSV, media_types.TSV), other)


def _from_json(trained: TrainedNetwork, body: bytes) -> InputRows:
    network = trained.network
    plain = "inputs" if b'"inputs"' in body[:HEAD] else "instances"
    found = json_rows.read(body, plain, network.inputs, network.dtype)
    if found is not None:
        return InputRows(found.inputs, f"#/{plain}")
    value = read_json(body)
    given = [field for field in FIELDS if isinstance(value, dict) and field in value]
    if len(given) != 1:
        raise invalid("#", f"Give an object with exactly one of {', '.join(map(repr, FIELDS))}.")
    field = given[0]
    return _of_field(trained, field, value[field], f"#/{field}")


def _of_field(trained: TrainedNetwork, field: str, value: Any, pointer: str) -> InputRows:
    if field == "dataframe_split":
        return _split(trained, value, pointer)
    if field == "inputs" and isinstance(value, dict):
        return _columns(trained, value, pointer)
    return InputRows(_rows(trained, value, pointer), pointer)


def _rows(trained: TrainedNetwork, rows: Any, pointer: str) -> Rows:
    """Rows as lists, as objects, or, for a network with one input, as bare numbers."""
    network, signature = trained.network, trained.signature
    first = first_of(rows) if isinstance(rows, list | LongList) else None
    if isinstance(first, dict):
        return _objects(trained, rows, pointer)
    if network.inputs == 1 and first is not None and not isinstance(first, list | LongList):
        if signature is not None and signature.features[0].categories is None:
            (only,) = signature.features
            return named_rows.from_lists(signature, {only.name: rows}, network.dtype, lambda _, row: f"{pointer}/{row}")
        return json_numbers.column(rows, network.dtype, pointer).reshape(-1, 1)
    if signature is not None and isinstance(first, list | LongList) and len(first) == len(signature.features):
        names = [each.name for each in signature.features]
        return _named(trained, signature, names, rows, pointer)
    return json_numbers.matrix(rows, network.inputs, network.dtype, pointer)


def _objects(trained: TrainedNetwork, rows: list[Any] | LongList, pointer: str) -> Rows:
    """Rows by name; where the network knows no names, in the order of the first row's names."""
    network = trained.network
    if trained.signature is not None:
        return named_rows.from_objects(trained.signature, rows, network.dtype, pointer)
    first, blocks = first_of(rows), []
    for start, piece in pieces(rows):
        values = _values(piece, first, pointer, start)
        blocks.append(json_numbers.block(values, network.inputs, network.dtype, pointer, start))
    return np.concatenate(blocks)


def _values(rows: list[Any], first: dict[str, Any], pointer: str, start: int) -> list[Any]:
    """Return the values of objects in the order of the names in the first one."""
    names = list(first)
    for index, row in enumerate(rows, start):
        if not isinstance(row, dict) or row.keys() != first.keys():
            shown = ", ".join(repr(name[:50]) for name in names[:20])
            raise invalid(f"{pointer}/{index}", f"This row is not an object with the names of the first, {shown}.")
    if len(names) == 1 and isinstance(first[names[0]], list | LongList):  # one tensor, a row of it for each instance
        return [row[names[0]] for row in rows]
    return [[row[name] for name in names] for row in rows]


def _columns(trained: TrainedNetwork, columns: Mapping[str, Any], pointer: str) -> InputRows:
    """One list a column, or one tensor with a name."""
    signature = trained.signature
    known = frozenset() if signature is None else signature.known
    if len(columns) == 1 and (only := next(iter(columns))) not in known:
        where = f"{pointer}/{escape(only)}"
        return InputRows(_rows(trained, columns[only], where), where)
    _check_lengths(columns, pointer)
    network = trained.network
    if signature is not None:
        _check_columns(signature, list(columns), pointer)

        def place(name: str, row: int | None) -> str:
            return f"{pointer}/{escape(name)}/{row}"

        return InputRows(named_rows.from_lists(signature, columns, network.dtype, place, unwrap=True), pointer)
    if len(columns) != network.inputs:
        raise invalid(
            pointer, f"There are {len(columns)} columns, but the model takes {network.inputs}.", "widths_differ"
        )
    rows = np.empty((len(next(iter(columns.values()))), len(columns)), network.dtype)
    for index, (name, values) in enumerate(columns.items()):
        for first, piece in pieces(values):
            flat = json_numbers.elements(unwrapped(piece), network.dtype, f"{pointer}/{escape(name)}", first)
            rows[first : first + len(piece), index] = flat
    return InputRows(rows, pointer)


def _check_lengths(columns: Mapping[str, Any], pointer: str) -> None:
    for name, values in columns.items():
        if not isinstance(values, list | LongList):
            raise invalid(f"{pointer}/{escape(name)}", "This is not a list with a value for each row.")
    longest = max(map(len, columns.values()), default=0)
    for name, values in columns.items():
        if len(values) != longest or not len(values):
            detail = f"Column {name[:50]!r} has {len(values)} rows, but another one has {longest}."
            raise invalid(f"{pointer}/{escape(name)}", detail if longest else "There are no rows.", "ragged")


def _split(trained: TrainedNetwork, frame: Any, pointer: str) -> InputRows:
    """pandas' orientation "split"."""
    if not isinstance(frame, dict) or not isinstance(frame.get("data"), list | LongList):
        raise invalid(pointer, "Give an object with 'columns' and 'data', as DataFrame.to_dict(orient='split') does.")
    names, rows, where = frame.get("columns"), frame["data"], f"{pointer}/data"
    if trained.signature is None or names is None:
        return InputRows(_rows(trained, rows, where), where)
    if isinstance(names, LongList):
        names = names.plain()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid(f"{pointer}/columns", "This is not a list of names.")
    named_rows.check_names(trained.signature, names, lambda name: f"{pointer}/columns/{names.index(name)}")
    return InputRows(_named(trained, trained.signature, names, rows, where), where)


def _named(
    trained: TrainedNetwork, signature: Signature, names: list[str], rows: list[Any] | LongList, pointer: str
) -> Rows:
    """Rows of values in the order of `names`."""
    if not len(rows):
        raise invalid(pointer, "There are no rows.", "empty")
    places = {name: place for place, name in enumerate(names)}
    blocks = []
    for first, piece in pieces(rows):
        plain = [_plain_row(row, len(names), f"{pointer}/{index}") for index, row in enumerate(piece, first)]
        _check_columns(signature, names, pointer)
        columns = {each.name: [row[places[each.name]] for row in plain] for each in signature.features}

        def place(name: str, row: int | None, first: int = first) -> str:
            return f"{pointer}/{first + (row or 0)}/{places[name]}"

        blocks.append(named_rows.from_lists(signature, columns, trained.network.dtype, place))
    return rows_together(blocks)


def _plain_row(row: Any, width: int, pointer: str) -> list[Any]:
    if not isinstance(row, list | LongList) or len(row) != width:
        raise invalid(pointer, f"This row is not a list of {width} values.")
    return row if isinstance(row, list) else [value for _, piece in pieces(row) for value in piece]


def _check_columns(signature: Signature, names: list[str], pointer: str) -> None:
    named_rows.check_names(signature, names, lambda name: f"{pointer}/{escape(name)}")
    missing = next((each.name for each in signature.features if each.name not in names), None)
    if missing is not None:
        raise invalid(pointer, f"Column {missing!r} is missing.", "missing_column")
