"""Columns of JSON: numbers, booleans, texts, and null where a value is missing."""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from service.datasets.columns import Kind
from service.datasets.formats.json_columns import json_table
from service.errors import Invalid
from service.http.json_bodies import read_json
from tests.support.datasets.reading import values
from tests.support.problems import problem

NAN = pytest.approx(float("nan"), nan_ok=True)
GIVE_NULL = "give null where one is missing, or set its type to categorical."


def read(columns: dict[str, Any], types: dict[str, Kind] | None = None, dtype: str = "float32") -> Any:
    table = json_table(columns, types or {}, dtype)
    (chunk,) = table.chunks
    return table.kinds, values(chunk)


def test_kinds_are_those_of_the_values() -> None:
    kinds, columns = read({"n": [1, None, 2.5], "b": [None, True, False], "t": ["x", "y", None], "none": [None] * 3})
    assert kinds == {"n": "numeric", "b": "boolean", "t": "categorical", "none": "numeric"}
    assert columns == {"n": [1, NAN, 2.5], "b": [NAN, 1, 0], "t": ["x", "y", None], "none": [NAN, NAN, NAN]}


def test_types_that_are_set_count_more() -> None:
    columns = {"zip": [1, 2.0, 2.5, None], "truth": [True, False, None, True], "flag": [0, 1, 1.0, None]}
    types: dict[str, Kind] = {"zip": "categorical", "truth": "categorical", "flag": "boolean"}
    assert read(columns, types) == (
        types,
        {"zip": ["1", "2", "2.5", None], "truth": ["true", "false", None, "true"], "flag": [0, 1, 1, NAN]},
    )
    assert read({"truth": [True, False]}, {"truth": "numeric"}) == ({"truth": "numeric"}, {"truth": [1, 0]})


@pytest.mark.parametrize(
    ("column", "kind", "pointer", "detail"),
    [
        ([1, True], None, "/1", "This is a boolean, but a number is expected."),
        ([True, None, 0], None, "/2", "This is a number, but a boolean is expected."),
        ([None, "a", 1], None, "/2", "This is a number, but a text is expected."),
        ([1, "a"], "categorical", "/1", "This is a text, but a number is expected."),
        ([None, "many"], "numeric", "/1", f"This is not a number in a text: {GIVE_NULL}"),
        (
            ["yes"],
            "boolean",
            "/0",
            "This is not a boolean in a text: give null where one is missing, or set its type to categorical.",
        ),
        ([0, 1, 2], "boolean", "/2", "This is neither 0 nor 1, but a boolean is expected."),
        ([[1]], None, "/0", "This is a list, but a number is expected."),
        ([1, {}], None, "/1", "This is an object, but a number is expected."),
        ([None, 1e39], None, "/1", "This number is too large for float32."),
        ([float("nan")], "categorical", "/0", "This is not a finite number."),
        ("abc", None, "", "This is not a list of values."),
    ],
)
def test_what_is_of_another_kind_is_pointed_at(column: Any, kind: Kind | None, pointer: str, detail: str) -> None:
    with pytest.raises(Invalid) as refused:
        read({"a/b": column}, {} if kind is None else {"a/b": kind})
    (fault,) = refused.value.errors
    assert (fault.pointer, fault.detail) == (f"#/columns/a~1b{pointer}", detail)


@pytest.mark.parametrize("value", ["2026-01-31", "31.12.2026 12:30", "12:30"])
def test_dates_and_times_come_with_advice_unless_their_type_is_set(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        read({"x": [None, value, "2026-02-01"]})
    (fault,) = refused.value.errors
    assert fault.pointer == "#/columns/x/1"
    assert fault.detail.startswith(f"Row 1: column 'x' holds {value!r}, a date or a time: ")
    kinds, columns = read({"x": [None, value]}, {"x": "categorical"})
    assert (kinds, columns) == ({"x": "categorical"}, {"x": [None, value]})


@pytest.mark.parametrize(
    ("columns", "types", "pointer", "code"),
    [
        ({"x": [1, 2], "y": [1]}, {}, "#/columns/y", "ragged"),
        ({"x": [], "y": []}, {}, "#/columns", "empty"),
        ({"x": [1]}, {"z": "numeric"}, "#/types", "unknown_column"),
        ({"x": [f"t{i}" for i in range(257)]}, {}, "#/columns/x", "too_many_categories"),
        ({"x": ["a" * 1001]}, {}, "#/columns/x", "too_many_categories"),
    ],
)
def test_what_is_no_table_is_refused(columns: Any, types: Any, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(columns, types)
    assert (refused.value.errors[0].pointer, refused.value.code) == (pointer, code)


def test_json_does_without_pyarrow() -> None:
    script = (
        "import sys; from service.datasets.formats.json_columns import json_table\n"
        "list(json_table({'x': [1], 't': ['a'], 'b': [True]}, {}, 'float32').chunks)\n"
        "import service.datasets.export; print('pyarrow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.parametrize(
    ("before", "expected"), [([], "a number"), ([1], "a number"), ([None], "a number"), (["a"], "a text")]
)
def test_a_long_list_among_values_is_called_a_list(before: list[Any], expected: str) -> None:
    body = json.dumps({"x": [*before, list(range(60_000))]}).encode()
    with pytest.raises(Invalid, match=f"This is a list, but {expected} is expected") as refused:
        read(read_json(body))
    assert refused.value.errors[0].pointer == f"#/columns/x/{len(before)}"


@pytest.mark.parametrize(("name", "told"), [("", "this text is empty"), ("a\nb", "line breaks")])
def test_a_name_that_cannot_be_is_refused_in_words(http: httpx.Client, name: str, told: str) -> None:
    answer = http.post("/api/datasets", json={"columns": {name: [1], "y": [2]}, "targets": ["y"]})
    assert told in problem(answer, 422)["errors"][0]["detail"]
