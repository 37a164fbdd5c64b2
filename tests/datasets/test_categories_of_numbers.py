"""Numbers that are to count as categories have the same names in whatever form they come."""

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import ipc, parquet

from service.datasets.columns import MOST_ASKED_FOR
from service.datasets.formats.json_columns import json_table
from service.datasets.formats.media_types import MediaType
from service.datasets.table import category_of
from service.errors import Invalid
from service.models.signature.signature import Feature, Signature
from service.predictions.rows import named_rows
from tests.support.datasets.reading import read, values

NUMBERS = [1e-5, 0.1, 2.0, -0.0, 2.5e-7, -1.5, 1e14, 1e15, 123456789012345678.0, 1e22]
NAMES = [
    "1e-05",
    "0.1",
    "2",
    "0",
    "2.5e-07",
    "-1.5",
    "1" + 14 * "0",
    "1" + 15 * "0",
    "123456789012345680",
    "1" + 22 * "0",
]


def arrow(table: pyarrow.Table) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def in_parquet(table: pyarrow.Table) -> bytes:
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def npz(table: pyarrow.Table) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{name: table[name].to_numpy() for name in table.column_names})
    return file.getvalue()


def npy(table: pyarrow.Table) -> bytes:
    file = io.BytesIO()
    dtype = np.dtype([(name, table[name].to_numpy().dtype) for name in table.column_names])
    records = np.empty(len(table), dtype)
    for name in table.column_names:
        records[name] = table[name].to_numpy()
    np.save(file, records)
    return file.getvalue()


FORMS: list[tuple[MediaType, Callable[[pyarrow.Table], bytes]]] = [
    (MediaType.ARROW_STREAM, arrow),
    (MediaType.PARQUET, in_parquet),
    (MediaType.NPZ, npz),
    (MediaType.NPY, npy),
]


def table_of(column: pyarrow.Array) -> pyarrow.Table:
    return pyarrow.table({"x": column, "y": pyarrow.array(range(len(column)))})


def test_json_names_them() -> None:
    (chunk,) = json_table({"x": NUMBERS}, {"x": "categorical"}, "float64").chunks
    assert values(chunk)["x"] == NAMES


@pytest.mark.parametrize(("form", "write"), FORMS)
def test_other_forms_give_the_same_names(form: MediaType, write: Callable[[pyarrow.Table], bytes]) -> None:
    _, columns = read(form, write(table_of(pyarrow.array(NUMBERS))), types={"x": "categorical"})
    assert columns["x"] == NAMES


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(("form", "write"), FORMS)
def test_short_numbers_have_few_digits(form: MediaType, write: Callable[[pyarrow.Table], bytes], dtype: str) -> None:
    column = pyarrow.array(np.array([0.1, 2, 0.25, 0.1], dtype))
    _, columns = read(form, write(table_of(column)), types={"x": "categorical"})
    assert columns["x"] == ["0.1", "2", "0.25", "0.1"]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (pyarrow.array([1.5, None, float("nan"), 2.0]), ["1.5", None, None, "2"]),
        (pyarrow.array([1.5, None, 2.0, 1.5]).dictionary_encode(), ["1.5", None, "2", "1.5"]),
        (pyarrow.array([Decimal("1.50"), None, Decimal("2.00")]), ["1.5", None, "2"]),
        (pyarrow.array([1, None, 2**60]), ["1", None, str(2**60)]),
        (pyarrow.array([True, None, False]), ["true", None, "false"]),
    ],
)
def test_so_do_all_types_of_numbers(column: pyarrow.Array, names: list[Any]) -> None:
    _, columns = read(MediaType.ARROW_STREAM, arrow(table_of(column)), types={"x": "categorical"})
    assert columns["x"] == names


def test_numbers_that_are_too_many_for_categories_are_refused() -> None:
    column = pyarrow.array(np.arange(MOST_ASKED_FOR + 1) / 7)
    with pytest.raises(Invalid) as refused:
        read(MediaType.ARROW_STREAM, arrow(table_of(column)), types={"x": "categorical"})
    assert refused.value.code == "too_many_categories"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_to_predict_name_the_same_categories(dtype: str) -> None:
    signature = Signature((Feature("x", "categorical", categories=tuple(NAMES)),), ())

    def place(name: str, row: int | None) -> str:
        return f"{name}/{row}"

    one_hot = np.eye(len(NAMES))
    assert np.array_equal(named_rows.from_lists(signature, {"x": NUMBERS}, dtype, place)[:], one_hot)
    assert np.array_equal(named_rows.from_columns(signature, {"x": np.array(NUMBERS)}, dtype, place)[:], one_hot)
    short = named_rows.from_columns(signature, {"x": np.array([0.1, 2], np.float32)}, dtype, place)
    assert np.array_equal(short[:], one_hot[1:3])


@pytest.mark.parametrize("value", [[1], {"a": 1}, float("inf")])
def test_what_is_no_category_is_refused_by_its_text(value: Any) -> None:
    signature = Signature((Feature("x", "categorical", categories=("1",)),), ())
    with pytest.raises(Invalid) as refused:
        named_rows.from_objects(signature, [{"x": value}], "float32", "#/rows")
    assert refused.value.code == "unknown_category"


def test_infinity_has_a_name_too() -> None:
    assert category_of(float("-inf")) == "-inf"
