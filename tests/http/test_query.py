"""A query parameter with its default is harmless; one that would be ignored is refused."""

from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.document import document
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

OPERATIONS = [
    (method, path)
    for path, methods in document()["paths"].items()
    for method in methods
    if path.startswith(("/api/", "/v1/"))
]
COLUMNS: dict[str, Any] = {"columns": {"x": [1], "y": [2]}, "targets": ["y"]}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_not_declared_is_refused_before_anything_else(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, f"{path}?colour=red&hue")
    assert pointers(answer) == ["query/colour", "query/hue"]
    assert answer.json()["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("post", "/api/jobs?validate=true", "did you mean 'validate_only'? there are validate_only"),
        ("get", "/api/jobs?status=failed", "did you mean 'state'? there are limit, after, state, model, dataset"),
        (
            "get",
            "/api/models/m/export?format=npz&verison=0",
            "did you mean 'version'? there are format, version, epoch",
        ),
        ("get", "/api/datasets/d/content?format=parquet", "there are part"),
        ("post", "/api/models?nam=m", "did you mean 'name'? there are name, architecture, dtype"),
        ("post", "/api/datasets?target=y", "did you mean 'targets'? there are validate_only, name, targets"),
        ("post", "/api/models/m/predictions?verison=0", "did you mean 'version'? there are version, epoch"),
        ("post", "/api/models/m/invocations?targets=y", "there are version, epoch, ignore"),
        ("post", "/v1/models/m:predict?epochs=2", "did you mean 'epoch'? there are version, epoch"),
        ("get", "/api/jobs/j?verbose", "there are no query parameters here"),
    ],
)
def test_the_refusal_says_what_may_be_meant(http: httpx.Client, method: str, path: str, sentence: str) -> None:
    assert sentence in problem(http.request(method, path), 422)["errors"][0]["detail"]


def test_a_misspelt_parameter_changes_nothing(client: Client) -> None:
    body = {"model": straight(client).id, "dataset": line(client).id}
    assert pointers(client.http.post("/api/jobs?validate=true", json=body)) == ["query/validate"]
    assert client.http.get("/api/jobs", params={"model": body["model"]}).json()["items"] == []


def test_a_long_name_is_not_sent_back_whole(http: httpx.Client) -> None:
    assert pointers(http.get(f"/api/jobs?{'a' * 5000}")) == [f"query/{'a' * 100}"]


@pytest.mark.parametrize("path", ["/v2", "/v2/models", "/health/live", "/docs", "/openapi.json"])
def test_the_inference_protocol_probes_and_pages_take_any(http: httpx.Client, path: str) -> None:
    assert http.get(f"{path}?colour=red").status_code == 200


def test_the_inference_protocol_infers_with_any(client: Client) -> None:
    request = {"inputs": [{"name": "inputs", "datatype": "FP32", "shape": [1, 1], "data": [1]}]}
    path = f"/v2/models/{straight(client).id}/infer?colour=red&version=0"
    assert client.http.post(path, json=request).status_code == 200


@pytest.mark.parametrize("query", ["seed=0&stratify=false&dtype=float32&header=true", "seed=00&header=1"])
def test_defaults_beside_json_say_nothing(http: httpx.Client, query: str) -> None:
    assert http.post(f"/api/datasets?{query}", json=COLUMNS).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/api/datasets?seed=0&header=false&dtype=float64", COLUMNS, "query/dtype"),
        ("/api/datasets?targets=y", COLUMNS, "query/targets"),
        ("/api/models?dtype=float32", {"architecture": "Dense(1 => 1)"}, "query/dtype"),
    ],
)
def test_the_first_that_says_something_beside_json_is_pointed_at(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str
) -> None:
    assert pointers(http.post(path, json=body)) == [pointer]


@pytest.mark.parametrize("path", ["/api/jobs?limit=1&limit=2", "/api/models/m/export?format=npz&format=npz"])
def test_a_parameter_with_one_value_is_there_once(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert problem(answer, 422)["code"] == "repeated_parameter"
    assert pointers(answer) in (["query/limit"], ["query/format"])


def test_a_parameter_with_many_values_may_be_repeated(http: httpx.Client) -> None:
    answer = http.post(
        "/api/datasets?targets=a&targets=b", content="x,a,b\n1,2,3\n2,3,4\n", headers={"Content-Type": "text/csv"}
    )
    assert [each["name"] for each in answer.json()["targets"]] == ["a", "b"]
