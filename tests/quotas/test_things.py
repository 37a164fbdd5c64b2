"""Things are as large, and an owner has as many bytes of them, as the operator allows; what is left is told."""

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.database.caller import Caller, acting_for
from service.database.database import Database
from service.errors import TooLarge
from service.jobs.growth import BYTES_OF_A_JOB
from service.models.records import add_point
from service.quotas.stored import Stored
from service.settings import Settings
from tests.support.applications import application
from tests.support.databases import database_in
from tests.support.problems import problem

LEFT = "X-Descent-Left-Stored-Bytes"
LIMITS: dict[str, Any] = {
    "max_rows": 8,
    "max_columns": 3,
    "max_expression": 30,
    "max_job_seconds": 60,
    "max_stored_bytes": 100_000,
    "max_queued_jobs": 2,
}
LINE = {"columns": {"x": [0, 1, 2], "y": [0, 2, 4]}, "targets": ["y"]}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = database_in(tmp_path)
    yield database
    database.close()


@pytest.fixture
def http(database: Database, tmp_path: Path) -> TestClient:
    return TestClient(application(tmp_path, database, settings=Settings(data=tmp_path, **LIMITS)), "http://localhost")


def rows(count: int, columns: int = 2) -> dict[str, Any]:
    return {"columns": {f"c{place}": list(range(count)) for place in range(columns)}, "targets": ["c0"]}


def test_datasets_have_so_many_rows_and_columns_as_json_and_as_files(http: TestClient) -> None:
    assert http.post("/api/datasets", json=rows(8, 3)).status_code == 201
    for given, code, setting in (
        (rows(9), "too_many_rows", "DESCENT_MAX_ROWS"),
        (rows(2, 4), "too_many_columns", "DESCENT_MAX_COLUMNS"),
    ):
        lines = zip(*given["columns"].values(), strict=True)
        csv = "\n".join([",".join(given["columns"]), *(",".join(map(str, line)) for line in lines)])
        for sent in (
            http.post("/api/datasets", json=given),
            http.post("/api/datasets?validate_only=true", json=given),
            http.post("/api/datasets?targets=c0", content=csv, headers={"Content-Type": "text/csv"}),
            http.post("/api/datasets?targets=c0", files={"file": ("a.csv", csv, "text/csv")}),
        ):
            refused = problem(sent, 413)
            assert (refused["code"], setting in refused["detail"]) == (code, True)
    wide = "x,y,z,w\n" + "1,2,3,4\n" * 3
    less = http.post("/api/datasets?targets=y&ignore=w", content=wide, headers={"Content-Type": "text/csv"})
    assert less.status_code == 201, less.text


def test_formulas_have_so_many_characters_wherever_they_are_written(http: TestClient) -> None:
    long = "x + " * 8 + "x"
    http.post("/api/datasets", json={**LINE, "name": "line"}).raise_for_status()
    http.post("/api/models", json={"name": "m", "architecture": "Dense(1 => 1, x -> x * 2)"}).raise_for_status()
    loss = {"loss": {"expression": "mean(abs2(ŷ - y)) + 0 + 0 + 0 + 0"}}
    recipe = {"model": "m", "dataset": "line", "epochs": 1}
    layer = {"type": "Dense", "in": 1, "out": 1, "activation": {"expression": long}}
    nested = f"Chain(SkipConnection(Dense(1 => 1, x -> {long}), +), Dense(1 => 1))"
    of_all = {"model": "m", "dataset": "line", "recipe": {"epochs": 1, **loss}}
    varied = {"vary": {"optimiser.eta": {"values": [0.1, 0.2]}}, "monitor": "train_loss"}
    for path, body in (
        ("/api/models", {"architecture": f"Dense(1 => 1, x -> {long})"}),
        ("/api/models", {"architecture": nested}),
        ("/api/models", {"layers": [layer]}),
        ("/api/jobs", {**recipe, **loss}),
        ("/api/cross-validations", {**of_all, "folds": 2}),
        ("/api/sweeps", {**of_all, **varied}),
        ("/api/models/m/evaluations", {"dataset": "line", "part": "train", **loss}),
    ):
        refused = problem(http.post(path, json=body), 422)
        assert (refused["code"], "30" in refused["detail"]) == ("expression_too_long", True), (path, refused)


def test_a_job_stops_after_the_seconds_that_are_allowed(http: TestClient) -> None:
    http.post("/api/datasets", json={**LINE, "name": "line"}).raise_for_status()
    http.post("/api/models", json={"name": "m", "architecture": "Dense(1 => 1)"}).raise_for_status()
    recipe = {"model": "m", "dataset": "line", "epochs": 1}
    assert http.post("/api/jobs", json=recipe).json()["max_seconds"] == 60
    some = http.post("/api/jobs", json={**recipe, "max_seconds": 5})
    assert some.json()["max_seconds"] == 5
    assert some.headers["X-Descent-Left-Queued-Jobs"] == "0"
    refused = problem(http.post("/api/jobs", json={**recipe, "max_seconds": 61}), 422)
    assert refused["errors"][0]["pointer"] == "#/max_seconds"
    assert problem(http.post("/api/jobs", json=recipe), 429)["code"] == "too_many_jobs"


def test_an_owner_stores_so_many_bytes_and_is_told_what_is_left(http: TestClient) -> None:
    first = http.post("/api/models", json={"name": "m", "architecture": "Dense(99 => 100)"})
    assert int(first.headers[LEFT]) == 100_000 - 40_000
    kept = {"layers": http.get("/api/models/m/parameters").json()["layers"]}
    assert 19_500 < int(http.put("/api/models/m/parameters", json=kept).headers[LEFT]) < 20_000
    small = http.post("/api/datasets", json={**LINE, "name": "line"})
    left = int(small.headers[LEFT])
    assert 15_000 < left < 20_000
    jobs = {"model": "n", "dataset": "line"}
    http.post("/api/models", json={"name": "n", "architecture": "Dense(1 => 1)"}).raise_for_status()
    for refused in (
        http.put("/api/models/m/parameters", json=kept),
        http.post("/api/models", json={"from": {"model": "m"}}),
        http.post("/api/jobs", json={**jobs, "epochs": 10_000}),
        http.post("/api/cross-validations", json={**jobs, "folds": 3, "recipe": {"epochs": 10}}),
    ):
        found = problem(refused, 413)
        assert (found["code"], "DESCENT_MAX_STORED_BYTES" in found["detail"]) == ("too_many_bytes", True), found
        assert int(refused.headers[LEFT]) < left
    assert "Retry-After" not in refused.headers
    assert http.post("/api/jobs?validate_only=true", json={**jobs, "epochs": 10_000}).status_code == 200
    assert http.delete("/api/models/m/versions/0").status_code == 204
    assert http.put("/api/models/m/parameters", json=kept).status_code == 201


def test_bytes_are_counted_by_owner_and_begin_with_what_is_stored(http: TestClient, database: Database) -> None:
    http.post("/api/models", json={"architecture": "Dense(99 => 100)"}).raise_for_status()
    anew = Stored(database, 50_000)
    left = anew.left()
    assert left is not None
    assert 9_500 < left < 10_000
    with acting_for(Caller("ada")):
        assert anew.left() == 50_000
        with anew.adding(50_000), pytest.raises(TooLarge, match="ada stores 50,000 bytes of at most 50,000"):
            anew.left()
        assert anew.left() == 50_000  # nothing was added
    assert Stored(database, None).left() is None


def test_a_job_counts_once_by_its_plan_until_it_ends(http: TestClient, database: Database) -> None:
    http.post("/api/datasets", json={**LINE, "name": "line"}).raise_for_status()
    model = http.post("/api/models", json={"name": "m", "architecture": "Dense(1 => 1)"}).json()["id"]
    before = Stored(database, 10_000_000).left()
    assert before is not None
    job = http.post("/api/jobs", json={"model": "m", "dataset": "line", "epochs": 100, "keep_every": 10}).json()
    assert Stored(database, 10_000_000).left() == before - job["plan"]["bytes"]
    with database.transaction() as session:
        add_point(session, job["id"], 10, model, bytes(5_000))
    assert Stored(database, 10_000_000).left() == before - job["plan"]["bytes"]
    http.post(f"/api/jobs/{job['id']}/cancel").raise_for_status()
    assert Stored(database, 10_000_000).left() == before - BYTES_OF_A_JOB


def test_a_refusal_takes_nothing_from_what_is_left(http: TestClient) -> None:
    model = {"name": "m", "architecture": "Dense(1 => 1)"}
    first = http.post("/api/models", json=model)
    again = http.post("/api/models", json=model)
    assert problem(again, 409)["code"] == "name_taken"
    assert again.headers[LEFT] == first.headers[LEFT]


def test_of_two_requests_at_once_that_fit_only_alone_one_is_refused(database: Database) -> None:
    stored, both, refused = Stored(database, 100), Barrier(2, timeout=60), list[TooLarge]()

    def add() -> None:
        with acting_for(Caller("ada")):
            both.wait()
            try:
                with stored.adding(60):
                    both.wait()
            except TooLarge as error:
                refused.append(error)
                both.wait()

    threads = [Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
