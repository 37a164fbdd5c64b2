"""Rows come back page by page, part by part, as they went in."""

import httpx
import pytest

from service.client import Client
from service.datasets.schemas import Dataset
from tests.support.pages import walk
from tests.support.problems import pointers

ROWS = 11


def path(dataset: Dataset) -> str:
    return f"/api/datasets/{dataset.id}/rows"


@pytest.fixture(scope="module")
def dataset(client: Client) -> Dataset:
    split = {"test": {"last": 3}, "validation": {"fraction": 0.2}, "seed": 5}
    columns = {"x": [n / 10 for n in range(ROWS)], "y": [float(n) for n in range(ROWS)]}
    return client.create_dataset(columns, ["y"], split=split)


@pytest.mark.parametrize("limit", [1, 2, 3, ROWS - 1, ROWS, 1000])
def test_all_pages_together_hold_each_row_once(http: httpx.Client, dataset: Dataset, limit: int) -> None:
    pages = list(walk(http, path(dataset), limit=limit))

    assert {len(page) for page in pages[:-1]} <= {limit}
    assert 0 < len(pages[-1]) <= limit
    rows = [row for page in pages for row in page]
    assert sorted(row["row"] for row in rows) == list(range(ROWS))
    assert all(row["values"] == {"x": row["row"] / 10, "y": row["row"]} for row in rows)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_holds_its_rows_in_the_order_of_the_data(http: httpx.Client, dataset: Dataset, part: str) -> None:
    everything = [row for page in walk(http, path(dataset)) for row in page]
    pages = walk(http, path(dataset), part=part, limit=2)

    rows = [row for page in pages for row in page]
    assert rows == [row for row in everything if row["part"] == part]
    assert [row["row"] for row in rows] == sorted(row["row"] for row in rows)
    assert len(rows) == getattr(dataset.parts, part)


def test_parts_follow_one_another(http: httpx.Client, dataset: Dataset) -> None:
    parts = [row["part"] for page in walk(http, path(dataset)) for row in page]
    assert parts == ["train"] * 6 + ["validation"] * 2 + ["test"] * 3


def test_float32_values_have_the_digits_that_they_came_with(http: httpx.Client, dataset: Dataset) -> None:
    rows = http.get(f"{path(dataset)}?part=test").text
    assert '{"row":8,"part":"test","values":{"x":0.8,"y":8.0}}' in rows


def test_a_part_without_rows_is_an_empty_page(http: httpx.Client) -> None:
    created = http.post("/api/datasets", json={"columns": {"x": [1], "y": [2]}, "targets": ["y"]}).json()
    assert http.get(f"/api/datasets/{created['id']}/rows?part=test").json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("part=all", "part"),
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=", "after"),
        ("after=11", "after"),
        ("limit=0", "limit"),
    ],
)
def test_what_is_no_page_is_refused(http: httpx.Client, dataset: Dataset, query: str, pointer: str) -> None:
    assert pointers(http.get(f"{path(dataset)}?{query}")) == [f"query/{pointer}"]
