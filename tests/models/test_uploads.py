"""Parameters as files over HTTP: exports become new models or new versions."""

import re
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors.numpy as safetensors_library

from service.client import Client
from tests.models.test_exports import DEEP, export
from tests.support.problems import pointers, problem
from tests.support.training import straight

PAIR = {"layers.0.weight": np.array([[4.0]], np.float32), "layers.0.bias": np.array([2.0], np.float32)}
BODY = safetensors_library.save(PAIR)
BINARY = "application/octet-stream"


def post(http: httpx.Client, body: bytes, kind: str = BINARY, **query: Any) -> httpx.Response:
    return http.post("/api/models", content=body, headers={"Content-Type": kind}, params=query)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["application/safetensors", "application/npz"])
@pytest.mark.parametrize("architecture", ["Dense(3 => 2, relu)", DEEP, "Chain(Dense(2 => 3), BatchNorm(3, tanh))"])
def test_an_exported_model_comes_back_as_itself(client: Client, architecture: str, kind: str, dtype: str) -> None:
    model = client.create_model(architecture, seed=3, dtype=dtype)
    file = export(client.http, model.id, kind.rpartition("/")[2])
    assert file.headers["content-type"] == kind
    answer = post(client.http, file.content, kind)

    assert answer.status_code == 201, answer.text
    copy = answer.json()
    assert answer.headers["location"] == f"/api/models/{copy['id']}"
    assert (copy["architecture"], copy["dtype"], copy["version"]) == (architecture, dtype, 0)
    again = export(client.http, copy["id"], "npz").content
    assert again == export(client.http, model.id, "npz").content
    inputs = np.random.default_rng(0).standard_normal((5, 3 if "3 => 2" in architecture else 2)).tolist()
    assert client.predict(copy["id"], inputs).outputs == client.predict(model.id, inputs).outputs


@pytest.mark.parametrize("kind", ["application/x-safetensors", "application/safetensors", BINARY, "application/zip"])
def test_a_file_is_told_by_its_first_bytes_and_may_need_an_architecture(http: httpx.Client, kind: str) -> None:
    answer = post(http, BODY, kind, architecture="Dense(1 => 1)", name=f"from-{kind.rpartition('/')[2]}")
    created = answer.json()
    assert (answer.status_code, created["name"]) == (201, f"from-{kind.rpartition('/')[2]}")
    layers = http.get(f"/api/models/{created['id']}/parameters").json()["layers"]
    assert layers == [{"weight": [[4]], "bias": [2]}]
    http.delete(f"/api/models/{created['id']}")


def test_the_architecture_that_a_problem_suggests_works_as_it_stands(http: httpx.Client) -> None:
    detail = problem(post(http, BODY), 422)["detail"]
    (query,) = re.findall(r"\?architecture=\S+", detail)
    answer = http.post(f"/api/models{query}", content=BODY, headers={"Content-Type": BINARY})
    assert answer.json()["architecture"] == "Dense(1 => 1)"
    described = http.get("/openapi.json").json()["paths"]["/api/models"]["post"]["description"]
    assert query in described


def test_the_dtype_can_be_chosen(http: httpx.Client) -> None:
    assert post(http, BODY, architecture="Dense(1 => 1)", dtype="float64").json()["dtype"] == "float64"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "query/architecture"),
        ({"architecture": "Dens(1 => 1)"}, "query/architecture"),
        ({"architecture": "Chain(relu)"}, "query/architecture"),
        ({"architecture": "Dense(9999 => 9999)"}, "query/architecture"),
        ({"architecture": "Dense(2 => 1)"}, "#/layers.0.weight"),
        ({"architecture": "Dense(1 => 1)", "dtype": "float16"}, "query/dtype"),
        ({"architecture": "Dense(1 => 1)", "name": "a b"}, "query/name"),
        ({"architecture": "Dense(1 => 1)", "seed": 1}, "query/seed"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_does_not(http: httpx.Client, query: Any, pointer: str) -> None:
    assert pointers(post(http, BODY, **query)) == [pointer]


def test_other_forms_are_refused(http: httpx.Client) -> None:
    problem(post(http, BODY, "text/csv"), 415)
    assert problem(post(http, b"\x80\x04}", BINARY), 422)["code"] == "pickle_refused"
    assert problem(post(http, b"nothing", BINARY), 422)["code"] == "malformed"
    answer = http.post("/api/models?dtype=float64", json={"architecture": "Dense(1 => 1)"})
    assert pointers(answer) == ["query/dtype"]


def test_a_name_that_is_taken_is_a_conflict_and_a_key_replays(client: Client) -> None:
    key = {"Idempotency-Key": "upload-1", "Content-Type": BINARY}
    query = {"architecture": "Dense(1 => 1)", "name": "uploaded-once"}
    first, again = (client.http.post("/api/models", params=query, content=BODY, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.text) == (201, 201, first.text)
    assert problem(post(client.http, BODY, **query), 409)["code"] == "name_taken"
    client.http.delete("/api/models/uploaded-once")


def test_a_put_takes_files_too(client: Client) -> None:
    model = straight(client)
    path = f"/api/models/{model.id}/parameters"
    answer = client.http.put(path, content=BODY, headers={"Content-Type": "application/safetensors"})
    assert (answer.status_code, answer.json()) == (201, {"version": 1, "layers": [{"weight": [[4]], "bias": [2]}]})
    assert answer.headers["location"] == f"{path}?version=1"

    first = export(client.http, model.id, "npz", version=0)
    client.http.put(path, content=first.content, headers={"Content-Type": "application/x-npz"})
    assert export(client.http, model.id, "npz", version=2).content == first.content

    wrong = safetensors_library.save({**PAIR, "layers.0.bias": np.ones(2, np.float32)})
    refused = client.http.put(path, content=wrong, headers={"Content-Type": BINARY})
    assert pointers(refused) == ["#/layers.0.bias"]
    assert client.http.get(f"/api/models/{model.id}").json()["version"] == 2
