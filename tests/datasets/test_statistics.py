"""Statistics of columns, against definitions written out here."""

import json
import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest

ROWS = 200


def statistics(http: httpx.Client, columns: dict[str, list[Any]], **options: Any) -> dict[str, dict[str, Any]]:
    """The statistics of each column's parts."""
    body = {"columns": columns, "targets": [list(columns)[-1]], **options}
    created = http.post("/api/datasets", json=body)
    assert created.status_code == 201, created.text
    answer = http.get(f"/api/datasets/{created.json()['id']}/statistics")
    assert answer.status_code == 200
    assert "NaN" not in answer.text
    assert "Infinity" not in answer.text
    described = answer.json()["columns"]
    assert [column["name"] for column in described] == list(columns)
    return {column["name"]: column["parts"] for column in described}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_part_of_each_column_is_described(http: httpx.Client, dtype: str) -> None:
    random = np.random.default_rng(3)
    columns = {"x": (1e4 + random.normal(size=ROWS)).tolist(), "y": random.exponential(size=ROWS).tolist()}
    split = {"validation": {"first": 50}, "test": {"last": 30}}
    described = statistics(http, columns, split=split, dtype=dtype)

    rows = {"validation": slice(0, 50), "train": slice(50, 170), "test": slice(170, 200)}
    for name, values in columns.items():
        stored = np.array(values).astype(dtype).tolist()
        for part, chosen in rows.items():
            expect(described[name][part], stored[chosen])


def expect(given: dict[str, Any], values: list[float]) -> None:
    """Compare with definitions in exact arithmetic."""
    count, ordered = len(values), sorted(values)
    mean = sum(map(Fraction, values)) / count
    variance = sum((Fraction(value) - mean) ** 2 for value in values) / (count - 1)
    assert (given["count"], given["missing"], given["categories"]) == (count, 0, None)
    assert given["mean"] == pytest.approx(float(mean), rel=1e-14)
    assert given["std"] == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert (given["min"], given["max"]) == (ordered[0], ordered[-1])
    for share in (0.25, 0.5, 0.75):
        position = share * (count - 1)
        below = int(position)
        between = ordered[below] + (position - below) * (ordered[min(below + 1, count - 1)] - ordered[below])
        assert given["quantiles"][str(share)] == pytest.approx(between, rel=1e-12)
    edges, counts = given["histogram"]["edges"], given["histogram"]["counts"]
    assert len(edges) == len(counts) + 1 == 21
    assert (edges[0], edges[-1]) == (ordered[0], ordered[-1])
    assert np.diff(edges) == pytest.approx((edges[-1] - edges[0]) / 20, rel=1e-6)
    for bin_, (left, right) in enumerate(pairwise(edges)):
        inside = [value for value in values if left <= value < right or (bin_ == 19 and value == right)]
        assert counts[bin_] == len(inside)


def test_classes_are_counted_in_each_part(http: httpx.Client) -> None:
    columns: dict[str, list[Any]] = {"kind": ["b", "a", "b", "b"], "flag": [True, False, True, True], "y": [1, 2, 3, 4]}
    described = statistics(http, columns, split={"test": {"last": 1}})

    assert described["kind"]["train"]["categories"] == {"a": 1, "b": 2}
    assert described["kind"]["test"]["categories"] == {"a": 0, "b": 1}
    assert described["kind"]["validation"]["categories"] == {"a": 0, "b": 0}
    kind, flag = described["kind"]["train"], described["flag"]["train"]
    for name in ("mean", "std", "min", "max", "histogram"):
        assert kind[name] is None
    assert (kind["count"], kind["quantiles"], flag["quantiles"], flag["histogram"]) == (3, {}, {}, None)
    assert flag["categories"] == {"false": 1, "true": 2}
    assert (flag["min"], flag["max"], flag["mean"]) == (0, 1, pytest.approx(2 / 3))
    assert flag["std"] == pytest.approx(math.sqrt(1 / 3))


def test_categories_that_are_numbers_are_in_the_order_of_their_values(http: httpx.Client) -> None:
    assert list(statistics(http, {"k": ["10", "9", "-1"], "y": [1, 2, 3]})["k"]["train"]["categories"]) == [
        *("-1", "9", "10")
    ]
    assert list(statistics(http, {"k": ["10", "9", "x"], "y": [1, 2, 3]})["k"]["train"]["categories"]) == [
        *("10", "9", "x")
    ]


def test_a_part_without_rows_has_no_numbers(http: httpx.Client) -> None:
    described = statistics(http, {"x": [1, 2], "y": [1, 2]})
    nothing = dict.fromkeys(("mean", "std", "min", "max", "histogram", "categories"))
    assert described["x"]["test"] == {"count": 0, "missing": 0, "quantiles": {}, **nothing}


def test_one_row_has_no_deviation(http: httpx.Client) -> None:
    described = statistics(http, {"x": [3], "y": [1]})["x"]["train"]
    assert described["std"] is None
    assert (described["mean"], described["min"], described["quantiles"]["0.5"]) == (3, 3, 3)


@pytest.mark.parametrize(
    "values",
    [
        [7, 7, 7],
        [1e17, 1e17, 1e17],  # 0.5 less is the same number
        [1.0, 1.0000000000000002],  # neighbours: no number lies between
        [5e-324, 1e-323],
        [0, 0],
        [-1.5e308, 1.5e308],  # their distance overflows
        [1.5e308, 1.5e308, 1.5e308],  # their sum does
    ],
)
def test_a_histogram_counts_every_row_whatever_the_numbers(http: httpx.Client, values: list[float]) -> None:
    described = statistics(http, {"x": values, "y": values}, dtype="float64")["x"]["train"]

    edges, counts = described["histogram"]["edges"], described["histogram"]["counts"]
    assert sum(counts) == len(values)
    assert len(edges) == len(counts) + 1
    assert edges == sorted(edges)
    assert edges[0] <= min(values)
    assert edges[-1] >= max(values)


def test_what_overflows_is_null(http: httpx.Client) -> None:
    described = statistics(http, {"x": [1.5e308] * 3, "y": [1, 2, 3]}, dtype="float64")["x"]["train"]
    assert described["mean"] is None
    assert json.loads(json.dumps(described), parse_constant=pytest.fail) == described
