"""Parameters: seeded or given, layer by layer, one immutable set a version."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.client import Client
from tests.support.pages import walk
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

CHAIN = "Chain(Dense(3 => 8, tanh), Dense(8 => 2))"


def parameters(http: httpx.Client, model: str, query: str = "") -> dict[str, Any]:
    answer = http.get(f"/api/models/{model}/parameters{query}")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


def test_the_same_seed_gives_the_same_parameters_and_another_seed_others(client: Client) -> None:
    models = [client.create_model(CHAIN, seed=seed).id for seed in (5, 5, 6)]
    first, same, other = (parameters(client.http, model) for model in models)
    assert first == same != other


def test_seeded_weights_are_glorot_uniform_and_biases_zero(client: Client) -> None:
    model = client.create_model("Dense(200 => 100)", seed=1)
    (layer,) = parameters(client.http, model.id)["layers"]

    weight, bound = np.array(layer["weight"]), np.sqrt(6 / 300)
    assert weight.shape == (100, 200)
    assert layer["bias"] == [0] * 100
    assert np.abs(weight).max() <= bound
    assert np.abs(weight).max() > 0.99 * bound
    assert abs(weight.mean()) < 4 * bound / np.sqrt(3 * weight.size)
    assert weight.var() == pytest.approx(bound**2 / 3, rel=0.05)


def test_given_parameters_come_back_as_they_were_given(http: httpx.Client) -> None:
    layers = [{"weight": [[0.1, -2, 3e-5]] * 8, "bias": [0.7] * 8}, {"weight": [[1] * 8, [0] * 8], "bias": [5, 6]}]
    model = http.post("/api/models", json={"architecture": CHAIN, "parameters": layers}).json()["id"]
    assert parameters(http, model) == {"version": 0, "layers": layers}


def test_layers_without_parameters_are_empty_and_containers_hold_layers(client: Client) -> None:
    model = client.create_model("Chain(Chain(Dense(2 => 1; bias=false)), softmax)")
    layers = parameters(client.http, model.id)["layers"]
    assert [set(layer) for layer in layers] == [{"layers"}, set()]
    assert [set(layer) for layer in layers[0]["layers"]] == [{"weight"}]
    assert client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers}).status_code == 201


def test_float64_keeps_all_digits_and_float32_its_own(http: httpx.Client) -> None:
    for dtype, stored in (("float64", 1 / 3), ("float32", 0.33333334)):
        body = {"architecture": "Dense(1 => 1)", "dtype": dtype, "parameters": [{"weight": [[1 / 3]], "bias": [0]}]}
        created = http.post("/api/models", json=body).json()
        assert created["dtype"] == dtype
        assert parameters(http, created["id"])["layers"][0]["weight"] == [[stored]]


def test_1e300_fits_float64_alone(http: httpx.Client) -> None:
    layers = [{"weight": [[1e300]], "bias": [0]}]
    body = {"architecture": "Dense(1 => 1)", "parameters": layers}
    assert pointers(http.post("/api/models", json=body)) == ["#/parameters/0/weight/0/0"]
    assert http.post("/api/models", json={**body, "dtype": "float64"}).status_code == 201


def test_a_put_adds_a_version_and_changes_none(client: Client) -> None:
    model = straight(client)
    before = parameters(client.http, model.id)
    for number in (1, 2):
        layers = [{"weight": [[number]], "bias": [0.5]}]
        answer = client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers})
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/api/models/{model.id}/parameters?version={number}"
        assert answer.json() == {"version": number, "layers": layers}
        assert client.http.get(answer.headers["location"]).json() == answer.json()

    assert parameters(client.http, model.id)["version"] == 2
    assert parameters(client.http, model.id, "?version=0") == before
    shown = client.http.get(f"/api/models/{model.id}").json()
    assert (shown["version"], shown["versions"]) == (2, 3)


@pytest.mark.parametrize(
    ("layers", "pointer"),
    [
        ([], "#/layers"),
        ([{}], "#/layers/0"),
        ([{"weight": [[1]], "bias": [1]}] * 2, "#/layers"),
        ([{"weight": [[1]], "bias": [1, 2]}], "#/layers/0/bias"),
        ([{"weight": [[1], [2]], "bias": [1]}], "#/layers/0/weight"),
        ([{"weight": [["1"]], "bias": [1]}], "#/layers/0/weight/0/0"),
        ([{"weight": [[]] * 30_000, "bias": [1]}], "#/layers/0/weight/0"),
        ([{"weight": 1, "bias": [1]}], "#/layers/0/weight"),
        ([{"weight": [[1]], "bias": [None]}], "#/layers/0/bias/0"),
        (None, "#/layers"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_where_they_do_not(client: Client, layers: Any, pointer: str) -> None:
    model = straight(client)
    answer = client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers})
    assert pointers(answer) == [pointer]
    assert client.http.get(f"/api/models/{model.id}").json()["versions"] == 1


def test_versions_are_listed_newest_first_page_by_page(client: Client) -> None:
    dataset, model = line(client), straight(client)
    for _ in range(3):
        client.http.put(f"/api/models/{model.id}/parameters", json={"layers": [{"weight": [[1]], "bias": [0]}]})
    job = client.train(model.id, dataset.id, wait=30, epochs=1)

    pages = list(walk(client.http, f"/api/models/{model.id}/versions", limit=2))
    assert [len(page) for page in pages] == [2, 2, 1]
    seen = [version for page in pages for version in page]

    assert [version["version"] for version in seen] == [4, 3, 2, 1, 0]
    assert [version["job"] for version in seen] == [job.id, None, None, None, None]
    assert [version["created_at"] for version in seen] == sorted((v["created_at"] for v in seen), reverse=True)


def test_a_version_that_is_not_there_is_404(client: Client) -> None:
    model = straight(client)
    for path in ("parameters?version=1", "parameters?version=2147483647"):
        assert problem(client.http.get(f"/api/models/{model.id}/{path}"), 404)["code"] == "version_not_found"
    for version in ("-1", "x", "", str(2**31)):
        assert pointers(client.http.get(f"/api/models/{model.id}/parameters?version={version}")) == ["query/version"]
