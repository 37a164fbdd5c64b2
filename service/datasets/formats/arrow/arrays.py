"""Arrow's arrays as the values of columns, by Arrow's types."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray
from pyarrow import types

from service.datasets.columns import MOST_CATEGORIES, Kind
from service.datasets.faults import MOST_OF_A_KIND, Note, refuse
from service.datasets.formats.checks import (
    SHOWN,
    check_names,
    check_types,
    no_date,
    rows_of_a_chunk,
)
from service.datasets.table import Chunk, Texts, Values, category_of
from service.errors import Fault, Invalid, invalid
from service.pointers import escape

LONGEST_MESSAGE = 200

_KINDS: tuple[tuple[Callable[[pyarrow.DataType], bool], Kind], ...] = (
    (types.is_integer, "numeric"),
    (types.is_floating, "numeric"),
    (types.is_decimal, "numeric"),
    (types.is_null, "numeric"),
    (types.is_boolean, "boolean"),
    (types.is_string, "categorical"),
    (types.is_large_string, "categorical"),
    (types.is_string_view, "categorical"),
)


def kinds_of(
    schema: pyarrow.Schema, types: Mapping[str, Kind], ignored: Collection[str] = (), note: Note = refuse
) -> dict[str, Kind]:
    """Return the kind of each column that is not ignored, of `types` or by Arrow's type; those without one are noted.

    Raises:
        Invalid: columns cannot have such names.
    """
    check_names(schema.names)
    check_types(types, schema.names, "query/types", note)
    check_types(ignored, schema.names, "query/ignore", note)
    return known_kinds({field.name: field.type for field in schema if field.name not in ignored}, types, note)


def known_kinds(columns: Mapping[str, pyarrow.DataType], types: Mapping[str, Kind], note: Note) -> dict[str, Kind]:
    """Return the kinds of columns that have one; others are noted."""
    kinds: dict[str, Kind] = {}
    for name, type in columns.items():
        try:
            kinds[name] = kind_of(name, type, types.get(name))
        except Invalid as refused:
            note(refused)
    return kinds


def kind_of(name: str, type: pyarrow.DataType, wanted: Kind | None) -> Kind:
    """Return the kind of a column of Arrow's `type`: the `wanted` one, where one is.

    Raises:
        Invalid: the column holds values that no network takes, or cannot count as the kind that is wanted.
    """
    if types.is_dictionary(type):
        return kind_of(name, type.value_type, wanted)
    if types.is_temporal(type):
        if wanted == "categorical":
            return wanted
        raise _refusal(name, no_date(str(type)))
    natural = next((kind for matches, kind in _KINDS if matches(type)), None)
    if natural is None:
        raise _refusal(name, f"holds {str(type)[:SHOWN]}: give numbers, booleans or texts, one value a row.")
    if natural == "categorical" and wanted not in (None, natural):
        raise invalid("query/types", f"Column {name!r} holds texts, which cannot count as {wanted}.")
    return wanted or natural


def _refusal(name: str, what: str) -> Exception:
    return invalid(f"#/columns/{escape(name)}", f"Column {name!r} {what}", "unsupported_type")


@contextmanager
def refusing(form: str) -> Iterator[None]:
    """Turn Arrow's errors about bytes of that form into Invalid."""
    try:
        yield
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        detail = str(error).partition("\n")[0][:LONGEST_MESSAGE]
        raise invalid("#", f"The body is no {form} that can be read: {detail}", "malformed") from None


def mapped(file: Path) -> pyarrow.NativeFile:
    """Map a file into memory and remove its name: it disappears when nobody reads it."""
    source = pyarrow.memory_map(str(file))
    file.unlink()
    return source


def chunks_of(
    batches: Iterable[pyarrow.RecordBatch], kinds: Mapping[str, Kind], note: Note = refuse
) -> Generator[Chunk]:
    """Yield the rows of `batches`, from any source, as chunks of a moderate size."""
    first = 0
    for batch in batches:
        batch.validate(full=True)
        step = rows_of_a_chunk(batch.num_columns)
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            yield chunk_of({name: part.column(name) for name in kinds}, kinds, first, note)
            first += part.num_rows


def chunk_of(arrays: Mapping[str, pyarrow.Array], kinds: Mapping[str, Kind], first: int, note: Note = refuse) -> Chunk:
    """Return rows of a table of `kinds`, numbered from `first`."""
    columns: dict[str, Values | Texts] = {}
    wrong: dict[str, NDArray[np.bool_]] = {}
    for name, array in arrays.items():
        columns[name] = values = _column(array, kinds[name])
        if kinds[name] == "boolean" and not types.is_boolean(array.type) and not isinstance(values, Texts):
            strange = ~(np.isnan(values) | (values == 0) | (values == 1))
            if strange.any():
                note(_no_booleans(name, values, strange, first))
                columns[name], wrong[name] = np.where(strange, np.nan, values), strange
    return Chunk(columns, lambda row: f"Row {first + row}", wrong)


def _column(array: pyarrow.Array, kind: Kind) -> Values | Texts:
    if kind == "categorical":
        return texts_of(array if types.is_dictionary(array.type) else _as_dictionary(array))
    return numbers_of(array.dictionary_decode() if types.is_dictionary(array.type) else array)


def _no_booleans(name: str, values: Values, strange: NDArray[np.bool_], first: int) -> Invalid:
    rows = np.flatnonzero(strange)[:MOST_OF_A_KIND].tolist()
    faults = [
        Fault(
            f"#/columns/{escape(name)}/{first + row}",
            f"Row {first + row}: column {name!r} holds {values[row]:g}, which is neither 0 nor 1.",
        )
        for row in rows
    ]
    return Invalid(faults[0].detail, "invalid", tuple(faults))


def numbers_of(array: pyarrow.Array) -> Values:
    """Numbers or booleans as float64, NaN where one is missing; in the same memory where possible."""
    if array.type != pyarrow.float64():
        array = array.cast(pyarrow.float64(), safe=False)
    values: Values = array.to_numpy(zero_copy_only=False)
    return values


def texts_of(array: pyarrow.DictionaryArray) -> Texts:
    """A dictionary's values that occur, as texts. They are not repeated row by row: few bytes may name long texts.

    Of too many, the first ones alone: they are as many as are refused, and the others count as missing.
    """
    used = array.indices.unique().drop_null()[: MOST_CATEGORIES + 1]
    texts = _as_texts(array.dictionary.take(used)).to_pylist()
    categories = [text for text in dict.fromkeys(texts) if text is not None]
    codes = {text: code for code, text in enumerate(categories)}
    code_of = np.full(len(array.dictionary) + 1, -1, np.int32)
    code_of[used.to_numpy()] = [codes.get(text, -1) for text in texts]
    return Texts(code_of[array.indices.cast(pyarrow.int64()).fill_null(-1).to_numpy()], categories)


def _as_dictionary(array: pyarrow.Array) -> pyarrow.DictionaryArray:
    """Encode as a dictionary. Fractions stay numbers, so that each is written but once."""
    if types.is_floating(array.type):
        array = pyarrow.compute.if_else(pyarrow.compute.is_nan(array), None, array)
    return (array if _is_fraction(array.type) else _as_texts(array)).dictionary_encode()


def _as_texts(array: pyarrow.Array) -> pyarrow.Array:
    """Convert to texts; NaN, as null, is a missing value."""
    if not _is_fraction(array.type):
        return array.cast(pyarrow.string())
    values = array.to_numpy(zero_copy_only=False)  # each of its own dtype, in which it has the fewest digits
    return pyarrow.array([None if value is None or value != value else category_of(value) for value in values])


def _is_fraction(type: pyarrow.DataType) -> bool:
    return bool(types.is_floating(type) or types.is_decimal(type))
