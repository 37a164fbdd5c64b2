"""Bad input gets a clear 4xx with a pointer, never a 500."""

from typing import Any

import httpx
import pytest

from tests.support.problems import pointers, problem

MODEL = {"architecture": "Dense(1 => 1)"}
DATA: dict[str, Any] = {"columns": {"x": [0, 1, 2], "y": [2, 6, 10]}, "targets": ["y"]}


@pytest.fixture(scope="module")
def line(http: httpx.Client) -> tuple[str, str]:
    """A model and a dataset."""
    return http.post("/api/models", json=MODEL).json()["id"], http.post("/api/datasets", json=DATA).json()["id"]


def post(http: httpx.Client, path: str, text: str) -> httpx.Response:
    """A body that `json=` would refuse to write."""
    return http.post(path, content=text, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "true", '"3"', "null", "1e999", "1e39", "[1]", "{}", "1" * 400]
)
def test_what_is_no_number_is_refused_where_it_stands(http: httpx.Client, line: tuple[str, str], value: str) -> None:
    model, _ = line
    answer = post(http, "/api/datasets", f'{{"columns": {{"x": [0, {value}], "y": [1, 2]}}, "targets": ["y"]}}')
    assert pointers(answer) == ["#/columns/x/1"]
    answer = post(http, f"/api/models/{model}/predictions", f'{{"inputs": [[0], [{value}]]}}')
    assert pointers(answer) == ["#/inputs/1/0"]
    answer = post(
        http,
        "/api/models",
        f'{{"architecture": "Dense(1 => 1)", "parameters": [{{"weight": [[{value}]], "bias": [0]}}]}}',
    )
    assert pointers(answer)[0].startswith("#/parameters/0/weight")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"epochs": 0}, "#/epochs"),
        ({"epochs": True}, "#/epochs"),
        ({"epochs": "3"}, "#/epochs"),
        ({"epochs": 1.5}, "#/epochs"),
        ({"epochs": 10_000_001}, "#/epochs"),
        ({"epochs": None}, "#/epochs"),
        ({"seed": 2**53}, "#/seed"),
        ({"batch_size": 0}, "#/batch_size"),
        ({"batch_size": 9, "partial": False}, "#/batch_size"),
        ({"shuffle": 1}, "#/shuffle"),
        ({"loss": "msee"}, "#/loss"),
        ({"loss": {"name": "mse", "delta": 1}}, "#/loss/delta"),
        ({"optimiser": {"rule": "Adm"}}, "#/optimiser/rule"),
        ({"optimiser": {}}, "#/optimiser/rule"),
        ({"optimiser": {"rule": "Descent", "eta": 0}}, "#/optimiser/eta"),
        ({"optimiser": {"rule": "Descent", "eta": True}}, "#/optimiser/eta"),
        ({"optimiser": {"rule": "Adam", "beta": [0.9]}}, "#/optimiser/beta/1"),
        ({"optimiser": {"rule": "Adam", "beta": [0.9, 2]}}, "#/optimiser/beta/1"),
        ({"optimiser": {"rule": "Descent", "rho": 1}}, "#/optimiser/rho"),
        ({"from_version": 2**63}, "#/from_version"),
        ({"from_version": -1}, "#/from_version"),
        ({"colour": "red"}, "#/colour"),
        ({"model": 3}, "#/model"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_where_it_does_not(
    http: httpx.Client, line: tuple[str, str], change: dict[str, Any], pointer: str
) -> None:
    model, dataset = line
    assert pointers(http.post("/api/jobs", json={"model": model, "dataset": dataset, **change})) == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"columns": {"x": [1, 2], "y": [1]}}, "#/columns/y"),
        ({"columns": {"x": [], "y": []}}, "#/columns"),
        ({"columns": {"y": [1]}}, "#/targets"),
        ({"targets": []}, "#/targets"),
        ({"targets": ["z"]}, "#/targets/0"),
        ({"targets": ["y", "y"]}, "#/targets/1"),
        ({"split": {"test": {"last": 3}}}, "#/split"),
        ({"split": {"test": {"last": 4}}}, "#/split/test"),
        ({"split": {"test": {"last": 2}, "validation": {"last": 1}}}, "#/split/validation"),
        ({"split": {"test": {"last": 1, "first": 1}}}, "#/split/test"),
        ({"split": {"test": {"fraction": 1}}}, "#/split/test/fraction"),
        ({"split": {"test": {"last": True}}}, "#/split/test/last"),
        ({"split": {"tests": {"last": 1}}}, "#/split/tests"),
        ({"split": None}, "#/split"),
        ({"dtype": "float16"}, "#/dtype"),
        ({"name": "stats"}, "#/name"),
        ({"name": "ds_00000000000000000000000000"}, "#/name"),
        ({"name": "-"}, "#/name"),
        ({"rows": []}, "#/rows"),
    ],
)
def test_a_dataset_that_makes_no_sense_is_refused_where_it_does_not(
    http: httpx.Client, change: dict[str, Any], pointer: str
) -> None:
    assert pointers(http.post("/api/datasets", json={**DATA, **change})) == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ({"architecture": "Dense(1 => 1)", "layers": [{"type": "Dense", "in": 1, "out": 1}]}, "#"),
        ({"architecture": "Dense(1 =>"}, "#/architecture"),
        ({"architecture": "Dens(1 => 1)"}, "#/architecture"),
        ({"architecture": "Chain(Dense(1 => 2), Dense(3 => 1))"}, "#/architecture"),
        ({"architecture": "softmax"}, "#/architecture"),
        ({"architecture": "Chain(" * 5000}, "#/architecture"),
        ({"architecture": "Dense(1000000 => 1000000)"}, "#/architecture"),
        ({"architecture": 3}, "#/architecture"),
        ({"layers": []}, "#/layers"),
        ({"layers": [{"type": "Dens"}]}, "#/layers/0/type"),
        ({"layers": [{"type": "Dense", "in": 0, "out": 1}]}, "#/layers/0/in"),
        ({"layers": [{"type": "Dense", "in": 1}]}, "#/layers/0/out"),
        ({"layers": [{"type": "Dense", "in": 1, "out": 2}, {"type": "Dense", "in": 3, "out": 1}]}, "#/layers/1"),
        ({**MODEL, "parameters": [{"weight": [[1, 2]], "bias": [0]}]}, "#/parameters/0/weight/0"),
        ({**MODEL, "parameters": [{"weight": [[1]]}]}, "#/parameters/0"),
        ({**MODEL, "parameters": [{"weight": [[1]], "bias": [0], "scale": [1]}]}, "#/parameters/0/scale"),
        ({**MODEL, "parameters": []}, "#/parameters"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused_where_it_does_not(
    http: httpx.Client, body: dict[str, Any], pointer: str
) -> None:
    assert pointers(http.post("/api/models", json=body)) == [pointer]


def test_widths_that_do_not_fit_are_both_named(http: httpx.Client, line: tuple[str, str]) -> None:
    wide = http.post("/api/models", json={"architecture": "Dense(3 => 2)"}).json()["id"]
    answer = http.post("/api/jobs", json={"model": wide, "dataset": line[1]})
    assert pointers(answer) == ["#/dataset"]
    assert "3 inputs to 2 outputs" in answer.json()["detail"]
    assert "1 inputs and 1 outputs" in answer.json()["detail"]


def test_ragged_and_empty_rows_are_refused_where_they_stand(http: httpx.Client, line: tuple[str, str]) -> None:
    path = f"/api/models/{line[0]}/predictions"
    assert pointers(http.post(path, json={"inputs": [[1], [1, 2]]})) == ["#/inputs/1"]
    assert pointers(http.post(path, json={"inputs": [[1], 1]})) == ["#/inputs/1"]
    assert pointers(http.post(path, json={"inputs": []})) == ["#/inputs"]
    assert pointers(http.post(path, json={})) == ["#"]


def test_an_output_that_overflows_names_its_row(http: httpx.Client) -> None:
    steep = {**MODEL, "parameters": [{"weight": [[3e38]], "bias": [0]}]}
    model = http.post("/api/models", json=steep).json()["id"]
    assert pointers(http.post(f"/api/models/{model}/predictions", json={"inputs": [[1], [2]]})) == ["#/inputs/1"]


def test_a_reference_to_nothing_is_404_with_its_pointer(http: httpx.Client, line: tuple[str, str]) -> None:
    model, dataset = line
    for body, pointer in (
        ({"model": "nobody", "dataset": dataset}, "#/model"),
        ({"model": model, "dataset": "nothing"}, "#/dataset"),
        ({"model": model, "dataset": dataset, "from_version": 7}, "#/from_version"),
    ):
        answer = problem(http.post("/api/jobs", json=body), 404)
        assert [error["pointer"] for error in answer["errors"]] == [pointer]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/models/nobody",
        "/api/datasets/none",
        "/api/jobs/none",
        "/api/jobs/none/epochs",
        "/api/jobs/none/events",
    ],
)
def test_what_is_not_there_is_404(http: httpx.Client, path: str) -> None:
    problem(http.get(path), 404)


def test_methods_types_and_malformed_bodies_are_told_apart(http: httpx.Client) -> None:
    problem(http.put("/api/models", json={}), 405)
    problem(http.post("/api/models", content="{}", headers={"Content-Type": "text/plain"}), 415)
    problem(http.post("/api/datasets", content="{}", headers={"Content-Type": "image/png"}), 415)
    assert pointers(post(http, "/api/models", '{"architecture": ')) == ["#"]
    assert pointers(post(http, "/api/models", "[" * 100_000)) == ["#"]
    assert pointers(post(http, "/api/models", '{"architecture": "\\ud800"}')) == ["#"]
    assert pointers(post(http, "/api/models", "3")) == ["#"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "after=here", "after=..", "after=ds_"])
def test_a_page_that_cannot_be_is_422(http: httpx.Client, query: str) -> None:
    for noun in ("models", "datasets", "jobs"):
        assert pointers(http.get(f"/api/{noun}?{query}")) == [f"query/{query.partition('=')[0]}"]


def test_a_version_beyond_all_numbers_is_422(http: httpx.Client, line: tuple[str, str]) -> None:
    assert pointers(http.get(f"/api/models/{line[0]}/parameters?version={2**63}")) == ["query/version"]
    problem(http.get(f"/api/models/{line[0]}/parameters?version=9"), 404)


def test_a_body_of_100_megabytes_is_413_for_a_plain_client(http: httpx.Client) -> None:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{http.base_url}/api/models", b"x" * (100 << 20), {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 - our own server
    assert refused.value.code == 413
    assert refused.value.headers["content-type"] == "application/problem+json"
    refused.value.close()


def test_a_body_without_a_length_is_cut_off_too(http: httpx.Client) -> None:
    chunks = (b"x" * (1 << 20) for _ in range(40))
    problem(http.post("/api/models", content=chunks, headers={"Content-Type": "application/json"}), 413)
