"""Equal data has one hash, whatever its form, and in whatever pieces that form is read."""

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pyarrow
import pytest

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.uploading import HEADER, lines, upload
from tests.support.datasets.writing import as_csv, as_npz, as_parquet, as_stream
from tests.support.problems import problem
from tests.support.serving import RunningService, running_service, wait_for

ROWS = 100_000
"""Rows of more than one block of any kind."""


def columns() -> dict[str, Any]:
    random = np.random.default_rng(2)
    return {
        "x": random.normal(size=ROWS).round(3),
        "kind": np.array(["late", "10", "9"])[np.sort(random.integers(0, 3, ROWS))],
        "flag": random.random(ROWS) < 0.5,
        "y": np.array(["no", "yes", "maybe"])[random.integers(0, 3, ROWS)],
    }


TABLE = pyarrow.table(columns())
QUERY: dict[str, Any] = {
    "test_fraction": 0.2,
    "validation_fraction": 0.1,
    "stratify": True,
    "seed": 5,
    "dtype": "float64",
}
SPLIT = {"test": {"fraction": 0.2}, "validation": {"fraction": 0.1}, "stratify": True, "seed": 5}


@pytest.fixture(scope="module")
def from_json(http: httpx.Client) -> dict[str, Any]:
    body = {"columns": TABLE.to_pydict(), "targets": ["y"], "split": SPLIT, "dtype": "float64"}
    created = http.post("/api/datasets", json=body)
    assert created.status_code == 201, created.text
    answer: dict[str, Any] = created.json()
    return answer


@pytest.mark.parametrize(
    ("form", "write"),
    [
        (MediaType.CSV, lambda: as_csv(TABLE)),
        (MediaType.CSV, lambda: gzip.compress(as_csv(TABLE), 1)),
        (MediaType.PARQUET, lambda: as_parquet(TABLE, row_group_size=7_000)),
        (MediaType.ARROW_STREAM, lambda: as_stream(TABLE, max_chunksize=999)),
        (MediaType.NPZ, lambda: as_npz(columns())),
    ],
    ids=["csv", "csv.gz", "parquet", "arrow", "npz"],
)
def test_every_form_gives_the_dataset_that_json_gives(
    http: httpx.Client, from_json: dict[str, Any], form: MediaType, write: Callable[[], bytes]
) -> None:
    created = upload(http, write(), form, **QUERY)
    assert created.status_code == 201, created.text
    for field in ("features", "targets", "parts", "inputs", "outputs", "sha256"):
        assert created.json()[field] == from_json[field]
    described, expected = (
        http.get(f"/api/datasets/{dataset['id']}/statistics").json() for dataset in (created.json(), from_json)
    )
    assert described == expected


def test_a_stratified_split_of_many_rows_has_every_class_in_its_share(from_json: dict[str, Any]) -> None:
    assert from_json["parts"] == {"train": 70_000, "validation": 10_000, "test": 20_000}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that takes datasets of at most two million bytes."""
    with running_service(tmp_path_factory.mktemp("narrow"), DESCENT_MAX_UPLOAD="2000000") as service:
        yield service


@pytest.mark.parametrize("what", ["announced", "chunked", "unpacked", "stored"])
def test_a_dataset_over_the_limit_is_413_and_leaves_nothing(narrow: RunningService, what: str) -> None:
    large = HEADER + lines(200_000)
    bodies: dict[str, Any] = {
        "announced": large,
        "chunked": iter([large[:1_500_000], large[1_500_000:]]),
        "unpacked": gzip.compress(large * 2, 1)[:1_900_000],
        "stored": HEADER + b"1,2\n" * 300_000,  # four bytes a row on the way, eight on the disk
    }
    with narrow.client() as client:
        answer = upload(client.http, bodies[what], name=f"large-{what}")
        assert "2,000,000 bytes" in problem(answer, 413)["detail"]
        assert client.http.get(f"/api/datasets/large-{what}").status_code == 404
        folder = narrow.folder / "datasets"
        wait_for(lambda: not folder.exists() or list(folder.iterdir()) == [])
