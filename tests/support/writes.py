"""Requests that write, each of another kind, and an application to send them to."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
from starlette.testclient import TestClient

from tests.support.applications import application
from tests.support.databases import database_in
from tests.support.problems import problem

DATA = {"columns": {"x": [0, 1, 2, 3], "y": [2, 6, 10, 14]}, "targets": ["y"]}
KEY = {"Idempotency-Key": "once"}

Send = Callable[[httpx.Client, str, str], httpx.Response]
"""A request that writes, given a client, a model and a dataset."""
WRITES: dict[str, Send] = {
    "a dataset": lambda http, _, __: http.post("/api/datasets", json=DATA),
    "a dataset with a key": lambda http, _, __: http.post("/api/datasets", json=DATA, headers=KEY),
    "a stream": lambda http, _, __: http.post(
        "/api/datasets?targets=y", content=b"x,y\n" + b"1,2\n" * 400_000, headers={"Content-Type": "text/csv"}
    ),
    "a model": lambda http, _, __: http.post("/api/models", json={"architecture": "Dense(100 => 100)"}),
    "a model with a key": lambda http, _, __: http.post(
        "/api/models", json={"architecture": "Dense(100 => 100)"}, headers={"Idempotency-Key": "other"}
    ),
    "parameters": lambda http, model, _: http.put(
        f"/api/models/{model}/parameters", json={"layers": [{"weight": [[1]], "bias": [0]}]}
    ),
    "a job": lambda http, model, dataset: http.post("/api/jobs", json={"model": model, "dataset": dataset}),
    "an evaluation": lambda http, model, dataset: http.post(
        f"/api/models/{model}/evaluations", json={"dataset": dataset, "part": "train"}
    ),
    "a deletion": lambda http, _, __: http.delete("/api/models/spare"),
}


@contextmanager
def serving(folder: Path) -> Iterator[TestClient]:
    """The application in a folder, with an engine that is ready and does nothing."""
    with closing(database_in(folder)) as database:
        app = application(folder, database)
        with closing(TestClient(app, "http://localhost", raise_server_exceptions=False)) as client:
            yield client


def line(http: httpx.Client) -> tuple[str, str]:
    """A model and a dataset."""
    model = http.post("/api/models", json={"architecture": "Dense(1 => 1)"}).json()["id"]
    return model, http.post("/api/datasets", json=DATA).json()["id"]


def refused(answer: httpx.Response, code: str) -> None:
    """Assert that a request may be sent again later, for the reason with this code."""
    assert problem(answer, 503)["code"] == code
    assert int(answer.headers["Retry-After"]) > 0
