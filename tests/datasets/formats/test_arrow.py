"""Parquet and Arrow IPC: the kinds that their types become, and those that are refused."""

import datetime
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, ipc

from service.datasets.formats.arrow import sizes
from service.datasets.formats.media_types import MediaType
from service.datasets.formats.names import names_of_columns
from service.errors import Invalid
from tests.support.datasets.reading import read, refusal
from tests.support.datasets.writing import as_parquet, as_stream

NAN = pytest.approx(float("nan"), nan_ok=True)


def as_file(table: pyarrow.Table) -> bytes:
    out = io.BytesIO()
    with ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return out.getvalue()


FORMS = [
    pytest.param(MediaType.PARQUET, as_parquet, id="Parquet"),
    pytest.param(MediaType.ARROW_STREAM, as_stream, id="stream"),
    pytest.param(MediaType.ARROW_STREAM, as_file, id="file sent as stream"),
    pytest.param(MediaType.ARROW_FILE, as_file, id="file"),
]
COLUMNS = {
    "int8": (pyarrow.array([1, -2, None], pyarrow.int8()), "numeric", [1, -2, NAN]),
    "uint64": (pyarrow.array([2**63, 0, 1], pyarrow.uint64()), "numeric", [2.0**63, 0, 1]),
    "half": (pyarrow.array([1.5, 2, None], pyarrow.float16()), "numeric", [1.5, 2, NAN]),
    "float": (pyarrow.array([1.5, np.nan, None], pyarrow.float32()), "numeric", [1.5, NAN, NAN]),
    "decimal": (pyarrow.array([Decimal("1.50"), None, Decimal(3)]), "numeric", [1.5, NAN, 3]),
    "null": (pyarrow.nulls(3), "numeric", [NAN, NAN, NAN]),
    "bool": (pyarrow.array([True, None, False]), "boolean", [1, NAN, 0]),
    "string": (pyarrow.array(["b", None, "NA"]), "categorical", ["b", None, "NA"]),
    "large": (pyarrow.array(["é", "", "é"], pyarrow.large_string()), "categorical", ["é", "", "é"]),
    "view": (pyarrow.array(["x", "y", "x"], pyarrow.string_view()), "categorical", ["x", "y", "x"]),
    "dictionary": (
        pyarrow.DictionaryArray.from_arrays(pyarrow.array([2, None, 0], pyarrow.int8()), ["p", "unused", "r"]),
        "categorical",
        ["r", None, "p"],
    ),
    "codes": (pyarrow.DictionaryArray.from_arrays(pyarrow.array([1, 0, 1]), [0.5, 1.5]), "numeric", [1.5, 0.5, 1.5]),
}


@pytest.mark.parametrize(("form", "written"), FORMS)
def test_types_become_kinds(form: MediaType, written: Callable[[pyarrow.Table], bytes]) -> None:
    kinds, columns = read(form, written(pyarrow.table({name: array for name, (array, _, _) in COLUMNS.items()})))
    assert kinds == {name: kind for name, (_, kind, _) in COLUMNS.items()}
    assert columns == {name: values for name, (_, _, values) in COLUMNS.items()}


@pytest.mark.parametrize(("form", "written"), FORMS)
def test_many_rows_come_in_order(form: MediaType, written: Callable[[pyarrow.Table], bytes]) -> None:
    rows = 70_000 if form == MediaType.PARQUET else 7
    table = pyarrow.table({"x": range(rows), "t": [str(row % 7) for row in range(rows)]})
    assert read(form, written(table))[1] == {"x": [*range(rows)], "t": [str(row % 7) for row in range(rows)]}


def test_one_batch_of_many_rows_comes_in_chunks_in_order() -> None:
    table = pyarrow.table({"x": range(200_000)})
    assert read(MediaType.ARROW_STREAM, as_stream(table))[1] == {"x": [*range(200_000)]}


def test_feather_is_an_arrow_file() -> None:
    out = io.BytesIO()
    feather.write_feather(pyarrow.table({"x": [1, 2]}), out, compression="lz4")
    assert read(MediaType.ARROW_FILE, out.getvalue())[1] == {"x": [1, 2]}


def test_types_that_are_set_count_more() -> None:
    table = pyarrow.table(
        {
            "int": [1, 2, None],
            "float": [0.1, 2.0, np.nan],
            "truth": [True, False, None],
            "day": [datetime.date(2026, 1, 31), None, datetime.date(2026, 2, 1)],
            "flag": [0, 1, None],
            "number": [True, False, None],
        }
    )
    types = dict.fromkeys(("int", "float", "truth", "day"), "categorical") | {"flag": "boolean", "number": "numeric"}
    kinds, columns = read(MediaType.ARROW_STREAM, as_stream(table), types=types)
    assert kinds == types
    assert columns == {
        "int": ["1", "2", None],
        "float": ["0.1", "2", None],
        "truth": ["true", "false", None],
        "day": ["2026-01-31", None, "2026-02-01"],
        "flag": [0, 1, NAN],
        "number": [1, 0, NAN],
    }


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ([datetime.date(2026, 1, 31)], "holds 'date32[day]', a date or a time: types=x:date reads"),
        ([datetime.datetime(2026, 1, 31)], "holds 'timestamp[us]', a date or a time"),  # noqa: DTZ001 - one without zone
        ([datetime.timedelta(days=1)], "holds 'duration[us]', a date or a time: ignore=x leaves the column out; or"),
        ([[1, 2]], "holds list<element: int64>: give numbers, booleans or texts, one value a row, or leave the"),
        ([{"a": 1}], "holds struct<a: int64>: "),
        ([b"\xff"], "holds bytes that are no UTF-8: give texts, or use ignore=x."),
    ],
)
def test_types_that_no_network_takes_are_refused(values: list[Any], detail: str) -> None:
    where, what = refusal(MediaType.PARQUET, as_parquet(pyarrow.table({"ok": [1], "x": values})))
    assert where == "#/columns/x"
    assert what.startswith(f"Column 'x' {detail}")


def test_texts_that_are_dates_come_with_advice_unless_their_type_is_set() -> None:
    rows = 100_000
    body = as_parquet(pyarrow.table({"ok": range(rows), "x": [None] * (rows - 1) + ["2026-01-31"]}))
    where, what = refusal(MediaType.PARQUET, body)
    assert where == f"#/columns/x/{rows - 1}"
    assert what.startswith(f"Row {rows - 1}: column 'x' holds '2026-01-31', a date or a time: set its type to date")
    assert read(MediaType.PARQUET, body, types={"x": "categorical"})[1]["x"][-1] == "2026-01-31"


def test_a_boolean_is_0_or_1() -> None:
    table = pyarrow.table({"x": [0, 1] * 50_000 + [2]})
    where, what = refusal(MediaType.PARQUET, as_parquet(table), types={"x": "boolean"})
    assert (where, what) == ("#/columns/x/100000", "Row 100000: column 'x' holds 2, which is neither 0 nor 1.")


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"types": {"x": "numeric"}}, "#/columns/x/0"),
        ({"types": {"x": "boolean"}}, "#/columns/x/0"),
        ({"types": {"z": "numeric"}}, "query/types"),
        ({"columns": ["a"]}, "query/columns"),
        ({"delimiter": ","}, "query/delimiter"),
        ({"header": False}, "query/header"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], pointer: str) -> None:
    assert refusal(MediaType.PARQUET, as_parquet(pyarrow.table({"x": ["a"]})), **options)[0] == pointer


@pytest.mark.parametrize(("form", "written"), FORMS)
def test_columns_get_names_as_in_csv(form: MediaType, written: Callable[[pyarrow.Table], bytes]) -> None:
    columns = [pyarrow.array([1]), pyarrow.array(["a"]), pyarrow.array([[1]]), pyarrow.array([3])]
    body = written(pyarrow.Table.from_arrays(columns, ["", "two\nlines", "x", "x"]))
    assert read(form, body, ignored=["x"])[1] == {"column_1": [1], "two lines": ["a"], "x_2": [3]}


def test_what_became_of_names_is_told() -> None:
    told = names_of_columns(["", "two\nlines", "x", "x"]).advice([])
    assert [each.code for each in told] == ["unnamed_columns", "repeated_names", "line_breaks_in_names"]
    assert "column 1 is 'column_1'; ignore=column_1 leaves it out" in told[0].detail


def test_names_are_those_that_columns_can_have() -> None:
    table = pyarrow.table({"x" * 501: [1]})
    assert refusal(MediaType.PARQUET, as_parquet(table))[1].startswith(f"Column 1 is named {'x' * 50!r}; a name has")
    assert refusal(MediaType.PARQUET, as_parquet(pyarrow.table({}))) == ("#", "There are no columns.")


def test_many_different_texts_are_refused() -> None:
    table = pyarrow.table({"x": [f"t{i}" for i in range(257)]})
    assert refusal(MediaType.PARQUET, as_parquet(table))[0] == "#/columns/x"
    assert refusal(MediaType.ARROW_STREAM, as_stream(table))[0] == "#/columns/x"


def test_a_text_that_is_no_utf8_is_refused() -> None:
    ends = pyarrow.py_buffer(np.array([0, 1], np.int32))
    text = pyarrow.Array.from_buffers(pyarrow.string(), 1, [None, ends, pyarrow.py_buffer(b"\xff")])
    where, what = refusal(MediaType.ARROW_STREAM, as_stream(pyarrow.table({"x": text})))
    assert where == "#"
    assert "Invalid UTF8" in what


def test_rows_of_long_texts_are_not_written_out() -> None:
    """A hundred thousand rows that name one text of a megabyte would be a hundred gigabytes."""
    codes = pyarrow.array(np.zeros(100_000, np.int8))
    table = pyarrow.table({"x": pyarrow.DictionaryArray.from_arrays(codes, ["a" * (1 << 20)])})
    for form, body in ((MediaType.ARROW_STREAM, as_stream(table)), (MediaType.PARQUET, as_parquet(table))):
        assert refusal(form, body)[1].startswith("Row 0: column 'x' holds a text of 1,048,576 characters")


@pytest.mark.parametrize("packing", ["zstd", "lz4"])
@pytest.mark.parametrize("begun", [ipc.new_stream, ipc.new_file])
def test_small_batches_do_not_unpack_to_large_ones(
    packing: str, begun: Callable[..., ipc.RecordBatchStreamWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 100_000
    table = pyarrow.table({"x": [0.0] * rows, "t": pyarrow.array(["a"] * rows).dictionary_encode()})
    out = io.BytesIO()
    with begun(out, table.schema, options=ipc.IpcWriteOptions(compression=packing)) as writer:
        writer.write_table(table)
    assert read(MediaType.ARROW_STREAM, out.getvalue())[1] == {"x": [0] * rows, "t": ["a"] * rows}
    monkeypatch.setattr(sizes, "LARGEST_BATCH", 8 * rows)
    where, what = refusal(MediaType.ARROW_STREAM, out.getvalue())
    assert where == "#"
    assert what.startswith("A batch takes 1,200,00")


TABLE = pyarrow.table({"x": [1.5, None], "t": ["a", "b"], "b": [True, False]})
BODIES = [
    (MediaType.PARQUET, as_parquet(TABLE)),
    (MediaType.ARROW_STREAM, as_stream(TABLE)),
    (MediaType.ARROW_FILE, as_file(TABLE)),
]


@pytest.mark.parametrize(
    ("form", "body"),
    [(form, b"") for form in MediaType if form != MediaType.CSV] + [(f, b[:-20]) for f, b in BODIES[:1]],
)
def test_bodies_that_are_cut_off_are_refused(form: MediaType, body: bytes) -> None:
    assert refusal(form, body)[0] == "#"


@settings(max_examples=80)
@given(st.data())
def test_damaged_bytes_are_a_table_or_refused(data: st.DataObject) -> None:
    form, body = data.draw(st.sampled_from(BODIES))
    damaged = bytearray(body)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        read(form, bytes(damaged[: data.draw(st.integers(0, len(body)))]))
    except Invalid:
        return
