"""The conversion of named columns to a network's inputs, by the signature of the data it was trained on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from service.datasets.columns import in_query
from service.datasets.formats.dates import MONTHS_FIRST, day_of, is_in_doubt, month_first
from service.datasets.formats.worded_numbers import is_plain
from service.datasets.table import Texts, category_of
from service.errors import Invalid, invalid
from service.http import json_numbers
from service.http.json_numbers import Array
from service.http.long_json.lists import LongList, pieces, unwrapped
from service.learning.rows.one_hot import Rows, as_taken, rows_together
from service.learning.synonyms import listed, suggestion
from service.models.signature.signature import Feature, Signature
from service.models.trained_network import TrainedNetwork
from service.pointers import escape

Column = Array | Texts
"""One value a row: numbers (NaN: missing), booleans, or texts (as Texts, or as an array of them; None: missing)."""
Place = Callable[[str, int | None], str]
"""The pointer to a column, or to a row's value in it."""
SHOWN = 20
"""Known names that an error lists."""
LONGEST = 50
"""Characters of an unknown name or category that an error repeats."""


def from_columns(
    signature: Signature,
    columns: Mapping[str, Column],
    dtype: str,
    place: Place,
    where: Callable[[int], str] = lambda row: f"Row {row}",
    *,
    can_ignore: bool = True,
) -> Rows:
    """Rows (rows × inputs) of `dtype` from columns that are all equally long. Some may be there and are skipped.

    `where` names a row as its sender would; `can_ignore` tells whether there is a query that names more to skip.

    Raises:
        Invalid: a column or a value is missing, unknown, or of a kind that the network does not take.
    """
    check_names(signature, columns, lambda name: place(name, None), can_ignore=can_ignore)
    missing = next((each.name for each in signature.features if each.name not in columns), None)
    if missing is not None:
        raise invalid(place(missing, None), f"Column {missing!r} is missing.", "missing_column")
    codes = np.empty((len(signature.features), _length(next(iter(columns.values())))), dtype)
    for index, feature in enumerate(signature.features):
        try:
            codes[index] = _codes(feature, columns[feature.name], dtype)
        except _WrongError as wrong:
            detail = f"{where(wrong.row)}: {wrong.what}"
            raise invalid(place(feature.name, wrong.row), detail, wrong.code) from None
    return _seen(signature, codes)


def from_objects(signature: Signature, rows: Any, dtype: str, pointer: str) -> Rows:
    """Rows (rows × inputs) of `dtype` from a JSON list of objects; `pointer` leads to the list.

    An absent key is a missing value, as null is.

    Raises:
        Invalid: with the pointer of the first row or value that is not what the network takes.
    """
    if isinstance(rows, LongList):
        blocks = [_objects(signature, piece.elements(), dtype, pointer, piece.first) for piece in rows.pieces()]
        return rows_together(blocks)
    if not isinstance(rows, list) or not rows:
        raise invalid(pointer, "Give at least one row, as a list of objects.")
    return _objects(signature, rows, dtype, pointer, 0)


def _objects(signature: Signature, rows: list[Any], dtype: str, pointer: str, first: int) -> Rows:
    """Return the same for some rows of the list, which begin at the index `first`."""
    for index, row in enumerate(rows, first):
        if not isinstance(row, dict):
            raise invalid(f"{pointer}/{index}", "This row is not an object with a value for each column.")
        check_names(signature, row, lambda name, index=index: f"{pointer}/{index}/{escape(name)}")  # type: ignore[misc]  # a default is not inferred
    columns = {each.name: [row.get(each.name) for row in rows] for each in signature.features}
    return from_lists(signature, columns, dtype, lambda name, row: f"{pointer}/{first + (row or 0)}/{escape(name)}")


def from_lists(
    signature: Signature,
    columns: Mapping[str, list[Any] | LongList],
    dtype: str,
    place: Place,
    *,
    unwrap: bool = False,
) -> Rows:
    """Rows (rows × inputs) of `dtype` from a JSON list of values for each feature, all equally long; with `unwrap`,
    each may be in a list of its own.

    Raises:
        Invalid: with the pointer of the first value that is not what the network takes.
    """
    codes = np.empty((len(signature.features), len(columns[signature.features[0].name])), dtype)
    for index, feature in enumerate(signature.features):
        for first, values in pieces(columns[feature.name]):
            try:
                plain = unwrapped(values) if unwrap else values
                codes[index, first : first + len(values)] = _codes_of_list(feature, plain, dtype)
            except _WrongError as wrong:
                what = wrong.what[:1].upper() + wrong.what[1:]
                raise invalid(place(feature.name, first + wrong.row), what, wrong.code) from None
    return _seen(signature, codes)


def ignoring(trained: TrainedNetwork, names: list[str]) -> TrainedNetwork:
    """Return the same network, whose training left these columns out as well.

    Raises:
        Invalid: the network takes one of them.
    """
    signature = trained.signature
    if signature is None:
        return trained
    needed = next((each.name for each in signature.features if each.name in names), None)
    if needed is not None:
        detail = f"The version takes {needed!r}: this column cannot be left out."
        raise invalid("query/ignore", detail)
    return replace(trained, signature=replace(signature, left_out=(*signature.left_out, *names)))


def check_names(
    signature: Signature, names: Iterable[str], pointer: Callable[[str], str], *, can_ignore: bool = True
) -> None:
    """Raise Invalid where a name is neither that of a feature nor of a column that is skipped."""
    unknown = next((name for name in names if name not in signature.known), None)
    if unknown is not None:
        hint = _hint(unknown, [each.name for each in signature.features])
        remedy = f" ?ignore={in_query(unknown[:LONGEST])} leaves it out." if can_ignore else ""
        detail = f"There is no column {unknown[:LONGEST]!r}: {hint}{remedy}"
        raise invalid(pointer(unknown[:LONGEST]), detail, "unknown_column")


def _hint(name: str, known: Sequence[str]) -> str:
    near = suggestion(name[:LONGEST], known, {})
    question = f"did you mean {near!r}? " if near else ""
    return f"{question}the model takes {listed(list(map(repr, known)), SHOWN)}."


def _seen(signature: Signature, codes: Array) -> Rows:
    """Codes (columns × rows) as rows with categories one-hot (rows × inputs)."""
    classes = [None if each.categories is None else len(each.categories) for each in signature.features]
    return as_taken(np.ascontiguousarray(codes.T), classes)


class _WrongError(Exception):
    """A value that the network does not take."""

    def __init__(self, row: int, what: str, code: str = "invalid") -> None:
        super().__init__(what)
        self.row = row
        self.what = what
        self.code = code


def _length(column: Column) -> int:
    return len(column.codes if isinstance(column, Texts) else column)


def _codes(feature: Feature, column: Column, dtype: str) -> Array:
    """Return the values of a feature as the network's numbers, categories as codes."""
    if isinstance(column, Texts):
        if feature.categories is None and feature.dates is not None:
            texts = [column.categories[code] if code >= 0 else None for code in column.codes.tolist()]
            return _codes_of_list(feature, texts, dtype)
        if feature.categories is None:
            raise _no_text(feature, 0)
        own = np.array([_code_of(feature, text) for text in column.categories] + [_MISSING], np.int64)
        return _filled(feature, own[column.codes].astype(np.float64), column)
    if column.dtype.kind in "OUST":
        return _codes_of_list(feature, column.tolist(), dtype)
    if feature.categories is not None:
        return _codes_of_list(feature, [None if np.isnan(value) else value for value in column], dtype)
    return _cast(feature, column.astype(np.float64), dtype)


_MISSING = -1
_UNKNOWN = -2


def _code_of(feature: Feature, text: Any) -> int:
    return feature.codes.get(text, _UNKNOWN)


def _filled(feature: Feature, codes: Array, texts: Texts | list[Any]) -> Array:
    """Codes of a categorical feature, with the substitute for missing ones."""
    if (unknown := codes == _UNKNOWN).any():
        row = int(unknown.argmax())
        text = texts[row] if isinstance(texts, list) else texts.categories[texts.codes[row]]
        raise _no_category(feature, row, text)
    return _with_fill(feature, codes, codes == _MISSING)


def _with_fill(feature: Feature, values: Array, missing: Array) -> Array:
    if missing.any():
        if feature.fill is None:
            raise _WrongError(
                int(missing.argmax()), f"the value of column {feature.name!r} is missing.", "missing_value"
            )
        values[missing] = feature.fill
    return values


def _cast(feature: Feature, values: Array, dtype: str) -> Array:
    """Numbers of a numeric or boolean feature; NaN is a missing one."""
    values = _with_fill(feature, values, np.isnan(values))
    if feature.kind == "boolean" and (wrong := (values != 0) & (values != 1)).any():
        raise _WrongError(int(wrong.argmax()), f"column {feature.name!r} takes false and true, or 0 and 1.")
    with np.errstate(over="ignore"):
        held = values.astype(dtype)
    if not np.isfinite(held).all():
        row = int((~np.isfinite(held)).argmax())
        what = f"too large for {dtype}" if np.isfinite(values[row]) else "not finite"
        raise _WrongError(row, f"the number in column {feature.name!r} is {what}.")
    return held


def _codes_of_list(feature: Feature, values: list[Any], dtype: str) -> Array:
    """Return the same for values as JSON has them."""
    values = [None if value != value else value for value in values]  # NaN is a missing value, too
    if feature.categories is not None:
        codes = [_code_of_value(feature, value) for value in values]
        return _filled(feature, np.array(codes, np.float64), values)
    if feature.dates is not None and str in set(map(type, values)):
        values = _days_of(feature, values)
    accepted = _NUMBERS | {bool} if feature.kind == "boolean" else _NUMBERS
    if not set(map(type, values)) <= accepted:
        row = next(row for row, value in enumerate(values) if type(value) not in accepted)
        if feature.kind == "boolean" or isinstance(values[row], str):
            raise _no_text(feature, row, values[row])
        raise _WrongError(row, "this is no number, but a number is expected.")
    try:
        held = json_numbers.column([0 if value is None else value + 0 for value in values], dtype, "")
    except Invalid as error:
        raise _WrongError(int(error.errors[0].pointer[1:]), error.detail) from None
    missing = np.array([value is None for value in values])
    return _cast(feature, _with_fill(feature, held.astype(np.float64), missing), dtype)


def _days_of(feature: Feature, values: list[Any]) -> list[Any]:
    """Return days in place of texts that are dates."""
    assert feature.dates is not None
    texts = {value for value in values if isinstance(value, str)}
    order = month_first(texts)
    order = MONTHS_FIRST.get(feature.dates) if order is None else order
    days = {text: day_of(text, months_first=order is not False) for text in texts}
    for row, value in enumerate(values):
        if isinstance(value, str) and (days[value] is None or (order is None and is_in_doubt((value,)))):
            what = "is no date" if days[value] is None else "may begin with the day or with the month"
            remedy = "write dates as in 2026-01-31, or give days since 1970-01-01"
            raise _WrongError(row, f"{value[:LONGEST]!r} in column {feature.name!r} {what}: {remedy}.")
    return [days[value] if isinstance(value, str) else value for value in values]


_NUMBERS = {int, float, type(None)}


def _code_of_value(feature: Feature, value: Any) -> int:
    return _MISSING if value is None else _code_of(feature, _text_of(value))


def _text_of(value: Any) -> str:
    """Return the name of the category that a value of JSON or of an array stands for."""
    return category_of(value) if isinstance(value, int | float | np.generic) else str(value)


def _no_text(feature: Feature, row: int, value: Any = None) -> _WrongError:
    expected = "a number is" if feature.kind == "numeric" else "true or false is"
    is_number = feature.kind == "numeric" and isinstance(value, str) and is_plain(value)
    remedy = f": send {value.strip()[:LONGEST]} without quotes" if is_number else ""
    return _WrongError(row, f"{expected} expected in column {feature.name!r}{remedy}.")


def _no_category(feature: Feature, row: int, value: Any) -> _WrongError:
    assert feature.categories is not None
    known = listed(list(map(repr, feature.categories)), SHOWN)
    if isinstance(value, list | dict | LongList):
        return _WrongError(
            row, f"this is {json_numbers.kind_of(value)}, but column {feature.name!r} has {known}.", "unknown_category"
        )
    text = _text_of(value)[:LONGEST]
    return _WrongError(row, f"there is no {text!r} in column {feature.name!r}; it has {known}.", "unknown_category")
