"""Arrow's arrays as the values of columns, by Arrow's types."""

import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import types

from service.datasets.columns import SHOWN, Kind, in_query
from service.datasets.faults import MOST_OF_A_KIND, Note, refuse
from service.datasets.formats.arrow.dates import days_in, is_of_dates
from service.datasets.formats.arrow.values import is_of_texts, numbers_of, texts_of
from service.datasets.formats.arrow.worded import numbers_in
from service.datasets.formats.checks import as_dates, check_names, check_types, no_date, rows_of_a_chunk
from service.datasets.formats.names import names_of_columns
from service.datasets.table import Chunk, ReadOptions, Texts, Values
from service.errors import Fault, Invalid, invalid
from service.learning.planning.advice import Advice
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
    (types.is_binary, "categorical"),
    (types.is_large_binary, "categorical"),
    (types.is_binary_view, "categorical"),
)
_INDEX = re.compile(r"__index_level_\d+__")
"""The names that pandas gives to the numbers of its rows."""


@dataclass(frozen=True)
class Found:
    """The columns of a body in Arrow's types."""

    kinds: dict[str, Kind]
    left_out: list[str]
    advice: list[Advice]
    dates: Collection[str]
    names: list[str]
    """Those of all columns, in the order of the body, which may have others."""


def columns_of(schema: pyarrow.Schema, options: ReadOptions) -> Found:
    """Return the kinds of the columns; those without one are noted, and the numbers of pandas' rows left out.

    Raises:
        Invalid: columns cannot have such names.
    """
    names = names_of_columns(schema.names)
    schema = with_names(schema, names.all)
    named = {*options.types, *options.dates, *options.named, *options.ignored}
    index = [name for name in schema.names if _INDEX.fullmatch(name) and name not in named]
    check_types(options.dates, schema.names, "query/types", options.note)
    kinds = kinds_of(schema, options.types, [*options.ignored, *index], options.dates, options.note)
    gone = [place for place, name in enumerate(names.all) if name in index or name in options.ignored]
    advice = [*map(_index_left_out, index), *names.advice(gone)]
    return Found(kinds, index, advice, options.dates, names.all)


def with_names(schema: pyarrow.Schema, names: list[str]) -> pyarrow.Schema:
    """Return the same columns by other names."""
    if names == schema.names:
        return schema
    return pyarrow.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def renamed(batches: Iterable[pyarrow.RecordBatch], names: list[str]) -> Iterable[pyarrow.RecordBatch]:
    """Return the same rows with these names for their columns."""
    return (batch if batch.schema.names == names else batch.rename_columns(names) for batch in batches)


def _index_left_out(name: str) -> Advice:
    detail = (
        f"Column {name!r} is the index of a pandas table, so it is left out; types={in_query(name)}:numeric keeps it."
    )
    return Advice("index_left_out", detail, f"#/columns/{name}")


def kinds_of(
    schema: pyarrow.Schema,
    types: Mapping[str, Kind],
    ignored: Collection[str] = (),
    dates: Collection[str] = (),
    note: Note = refuse,
) -> dict[str, Kind]:
    """Return the kind of each column that is not ignored, of `types` or by Arrow's type; those without one are noted.

    Raises:
        Invalid: columns cannot have such names.
    """
    check_names(schema.names)
    check_types(types, schema.names, "query/types", note)
    check_types(ignored, schema.names, "query/ignore", note)
    columns = {field.name: field.type for field in schema if field.name not in ignored}
    return known_kinds(columns, types, dates, note)


def known_kinds(
    columns: Mapping[str, pyarrow.DataType], types: Mapping[str, Kind], dates: Collection[str], note: Note
) -> dict[str, Kind]:
    """Return the kinds of columns that have one; others are noted."""
    kinds: dict[str, Kind] = {}
    for name, type in columns.items():
        try:
            kinds[name] = _of_dates(name, type) if name in dates else kind_of(name, type, types.get(name))
        except Invalid as refused:
            note(refused)
    return kinds


def _of_dates(name: str, type: pyarrow.DataType) -> Kind:
    if is_of_dates(type):
        return "numeric"
    raise invalid("query/types", f"Column {name!r} holds {str(type)[:SHOWN]}, which are no dates.")


def kind_of(name: str, type: pyarrow.DataType, wanted: Kind | None) -> Kind:
    """Return the kind of a column of Arrow's `type`: the `wanted` one, where one is.

    Raises:
        Invalid: the column holds values that no network takes, or cannot count as the kind that is wanted.
    """
    if types.is_dictionary(type):
        return kind_of(name, type.value_type, wanted)
    if types.is_temporal(type) and not types.is_interval(type):
        if wanted == "categorical":
            return wanted
        left_out = f"ignore={in_query(name)} leaves the column out; or "
        raise _refusal(name, no_date(str(type), as_dates(name) if is_of_dates(type) else left_out))
    natural = next((kind for matches, kind in _KINDS if matches(type)), None)
    if natural is None:
        what = f"holds {str(type)[:SHOWN]}: give numbers, booleans or texts, one value a row"
        raise _refusal(name, f"{what}, or leave the column out with ignore={in_query(name)}.")
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
        if "more than 64 bits" in detail:  # a type of polars
            remedy = "write them as float64 or of 64 bits, in polars with cast(pl.Float64) or cast(pl.Int64)."
            detail = f"Whole numbers of 128 bits are not read: {remedy}"
            raise invalid("#", detail, "unsupported_type") from None
        raise invalid("#", f"The body is no {form} that can be read: {detail}", "malformed") from None


def mapped(file: Path) -> pyarrow.NativeFile:
    """Map a file into memory and remove its name: it disappears when nobody reads it."""
    source = pyarrow.memory_map(str(file))
    file.unlink()
    return source


def chunks_of(
    batches: Iterable[pyarrow.RecordBatch], kinds: Mapping[str, Kind], dates: Collection[str], note: Note = refuse
) -> Generator[Chunk]:
    """Yield the rows of `batches`, from any source, as chunks of a moderate size; `dates` become days."""
    first = 0
    for batch in batches:
        batch.validate(full=True)
        step = rows_of_a_chunk(batch.num_columns)
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            yield chunk_of({name: part.column(name) for name in kinds}, kinds, first, dates, note)
            first += part.num_rows


def chunk_of(
    arrays: Mapping[str, pyarrow.Array],
    kinds: Mapping[str, Kind],
    first: int,
    dates: Collection[str],
    note: Note = refuse,
) -> Chunk:
    """Return rows of a table of `kinds`, numbered from `first`; `dates` become days."""
    columns: dict[str, Values | Texts] = {}
    wrong: dict[str, NDArray[np.bool_]] = {}
    for name, array in arrays.items():
        if name in dates:
            columns[name], wrong[name] = days_in(name, array, first, note)
            continue
        if kinds[name] != "categorical" and is_of_texts(array.type):
            columns[name], wrong[name] = numbers_in(name, array, kinds[name], first, note)
            continue
        columns[name] = values = _column(name, array, kinds[name])
        if kinds[name] == "boolean" and not types.is_boolean(array.type) and not isinstance(values, Texts):
            strange = ~(np.isnan(values) | (values == 0) | (values == 1))
            if strange.any():
                note(_no_booleans(name, values, strange, first))
                columns[name], wrong[name] = np.where(strange, np.nan, values), strange
    return Chunk(columns, lambda row: f"Row {first + row}", wrong)


def _column(name: str, array: pyarrow.Array, kind: Kind) -> Values | Texts:
    if kind == "categorical":
        try:
            return texts_of(array)
        except (UnicodeError, pyarrow.ArrowInvalid):
            raise _refusal(
                name, f"holds bytes that are no UTF-8: give texts, or use ignore={in_query(name)}."
            ) from None
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
