"""Columns that a sender has left out, whatever they hold."""

import io
from typing import Any

import httpx
import numpy as np
import pyarrow
import pytest

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.uploading import upload
from tests.support.datasets.writing import as_csv, as_npz, as_parquet, as_stream
from tests.support.problems import problem

DAYS = ["2026-01-01", "2026-01-02", "2026-01-04", "2026-01-03"]
COLUMNS: dict[str, Any] = {
    "day": DAYS,
    "x": [0, 1, 2, 3],
    "note": [f"no. {row}" for row in range(4)],
    "y": [2, 6, 10, 14],
}
TABLE = pyarrow.table({**COLUMNS, "day": pyarrow.array(np.array(DAYS, "M8[D]")), "note": [[1], [2], [3], [4]]})


BODIES = {
    MediaType.CSV: as_csv(pyarrow.table(COLUMNS)),
    MediaType.PARQUET: as_parquet(TABLE),
    MediaType.ARROW_STREAM: as_stream(TABLE),
    MediaType.NPZ: as_npz({**COLUMNS, "day": np.array(DAYS, "M8[D]"), "note": np.zeros((4, 2))}),
}


@pytest.mark.parametrize("kind", BODIES)
def test_an_ignored_column_is_left_out_whatever_it_holds(http: httpx.Client, kind: MediaType) -> None:
    refused = upload(http, BODIES[kind], kind, ignore=["note"])
    assert "day" in problem(refused, 422)["detail"]

    made = upload(http, BODIES[kind], kind, ignore=["day", "note"]).json()
    whole = {"columns": {"x": COLUMNS["x"], "y": COLUMNS["y"]}, "targets": ["y"]}
    assert [each["name"] for each in made["features"]] == ["x"]
    assert made["sha256"] == http.post("/api/datasets", json=whole).json()["sha256"]


@pytest.mark.parametrize("kind", BODIES)
def test_a_column_to_ignore_must_be_there(http: httpx.Client, kind: MediaType) -> None:
    answer = problem(upload(http, BODIES[kind], kind, ignore=["day", "note", "nope"]), 422)
    assert (answer["code"], answer["errors"][0]["pointer"]) == ("unknown_column", "query/ignore")


def test_columns_of_a_matrix_are_ignored_by_their_names(http: httpx.Client) -> None:
    out = io.BytesIO()
    np.save(out, np.arange(12.0).reshape(4, 3))
    made = upload(http, out.getvalue(), MediaType.NPY, targets="c2", ignore="c0").json()
    assert [each["name"] for each in made["features"]] == ["c1"]


def test_what_is_wrong_behind_an_ignored_column_is_named_as_ever(http: httpx.Client) -> None:
    answer = problem(upload(http, b"id,x,y\na,1,2\nb,oops,6\n", ignore="id"), 422)
    assert answer["errors"][0]["pointer"] == "#/columns/x/1"
    assert "Line 3" in answer["detail"]
