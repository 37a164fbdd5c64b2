"""Names that people bring from elsewhere get the name that is meant here."""

from typing import Any

import httpx
import pytest

from service.client import Client
from service.learning.initialisations import INITS
from service.learning.layers import LAYERS
from service.learning.layers.activations import ACTIVATIONS
from service.learning.losses import LOSSES
from service.learning.optimisers import OPTIMISERS
from service.learning.schedules import SCHEDULES
from service.learning.synonyms import TERMS, suggestion
from service.pointers import OBJECTS
from service.synonyms import FIELDS
from tests.support.problems import problem
from tests.support.training import line, straight

JOB: dict[str, Any] = {"model": "m", "dataset": "d"}
DENSE: dict[str, Any] = {"type": "Dense", "in": 1, "out": 1}


@pytest.mark.parametrize(
    ("path", "body", "pointer", "meant"),
    [
        ("/api/jobs", JOB | {"loss": "MSE"}, "#/loss", "mse"),
        ("/api/jobs", JOB | {"loss": "cross_entropy"}, "#/loss", "crossentropy"),
        ("/api/jobs", JOB | {"loss": "BCEWithLogitsLoss"}, "#/loss", "logitbinarycrossentropy"),
        ("/api/jobs", JOB | {"optimiser": {"rule": "adam"}}, "#/optimiser/rule", "Adam"),
        ("/api/jobs", JOB | {"optimiser": "SGD"}, "#/optimiser", "Descent"),
        ("/api/jobs", JOB | {"optimizer": {"rule": "Adam"}}, "#/optimizer", "optimiser"),
        ("/api/jobs", JOB | {"lr": 0.1}, "#/lr", "optimiser.eta"),
        ("/api/jobs", JOB | {"batchSize": 8}, "#/batchSize", "batch_size"),
        ("/api/jobs", JOB | {"optimiser": {"rule": "Adam", "Eta": 1}}, "#/optimiser/Eta", "eta"),
        ("/api/jobs", JOB | {"optimiser": {"rule": "Adam", "lr": 1}}, "#/optimiser/lr", "eta"),
        ("/api/models", {"layers": [DENSE | {"type": "Linear"}]}, "#/layers/0/type", "Dense"),
        ("/api/models", {"layers": [DENSE | {"activation": "ReLU"}]}, "#/layers/0/activation", "relu"),
        ("/api/models", {"layers": [{"type": "Dense", "in": 1, "units": 3}]}, "#/layers/0/units", "out"),
        ("/api/datasets", {"columns": {"x": [1], "y": [2]}, "target": ["y"]}, "#/target", "targets"),
        ("/api/datasets", {"data": {"x": [1]}}, "#/data", "columns"),
        ("/api/models", {"arch": "Dense(1 => 1)"}, "#/arch", "architecture"),
        ("/api/models", {"layers": [DENSE | {"activation": "linear"}]}, "#/layers/0/activation", "identity"),
        ("/api/models", {"layers": [DENSE | {"activation": "GELU"}]}, "#/layers/0/activation", "gelu_tanh"),
        ("/api/jobs", JOB | {"loss": "nll_loss"}, "#/loss", "crossentropy"),
        ("/api/jobs", JOB | {"schedule": "cosine"}, "#/schedule", "CosAnneal"),
        ("/api/jobs", JOB | {"random_state": 1}, "#/random_state", "seed"),
    ],
)
def test_an_error_names_what_may_be_meant(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str, meant: str
) -> None:
    faults = {each["pointer"]: each["detail"] for each in problem(http.post(path, json=body), 422)["errors"]}
    assert f"did you mean {meant!r}?" in faults[pointer]


def test_the_kind_of_an_object_is_told_its_field(http: httpx.Client) -> None:
    faults = problem(http.post("/api/jobs", json=JOB | {"optimiser": {"type": "Adam"}}), 422)["errors"]
    assert {"pointer": "#/optimiser/rule", "detail": "this field is required: 'type' is called 'rule' here"} in faults


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/api/jobs", JOB | {"zzz": 1}, "#/zzz"),
        ("/api/models", {"layers": [{"type": "BatchNorm", "size": 2, "in": 2}]}, "#/layers/0/in"),
        ("/api/models", {"from_model": "m"}, "#/from_model"),
        ("/api/datasets", {"patience": 3}, "#/patience"),
    ],
    ids=["nothing like it", "a field of another layer", "nothing beside it", "a field of another body"],
)
def test_a_field_that_nobody_can_mean_is_unknown_without_a_guess(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str
) -> None:
    faults = {each["pointer"]: each["detail"] for each in problem(http.post(path, json=body), 422)["errors"]}
    assert faults[pointer] == "this field is unknown"


@pytest.mark.parametrize(
    ("architecture", "meant"),
    [
        ("Dense(1 => 1, ReLU)", "'relu'"),
        ("Dense(1 => 1, F.silu)", "'swish'"),
        ("Linear(1, 1)", "'Dense'"),
        ("nn.Linear(1 => 1)", "'Dense'"),
        ("Sequential(Dense(1 => 1))", "'Chain'"),
        ("Chain(Dense(1 => 1), ReLU())", "'relu'"),
        ("BatchNorm1d(3)", "'BatchNorm'"),
        ("Dense(1, 1)", "Dense(4 => 2)"),
        ("Dense(1 -> 1)", "Dense(4 => 2)"),
        ("Dense(1 => 1, init=he_normal)", "'kaiming_normal'"),
        ("Dense(1 => 1; kernel_initializer=ones32)", "'init'"),
        ("Dropout(rate=0.5)", "'p'"),
        ("Dense(1 => 1, x -> ReLU(x))", "'relu'"),
        ("Dense(1 => 1, x -> np.tanh(x))", "tanh(x)"),
        ("Dense(1 => 1, x -> x ** 2)", "x ^ 2"),
        ("Qqq(1)", "there are Chain, "),
    ],
)
def test_an_error_of_notation_names_what_may_be_meant(http: httpx.Client, architecture: str, meant: str) -> None:
    assert meant in problem(http.post("/api/models", json={"architecture": architecture}), 422)["detail"]


def test_an_unknown_name_gets_the_near_one_that_exists(client: Client) -> None:
    dataset, model = line(client, name="near-housing"), straight(client, name="near-prices")
    body = {"model": model.name, "dataset": "near_housin"}
    for answer, meant in (
        (client.http.get("/api/models/Near_Prices"), model.name),
        (client.http.get("/v2/models/near-price"), model.name),
        (client.http.delete("/api/datasets/near-housings"), dataset.name),
        (client.http.post("/api/jobs", json=body), dataset.name),
        (client.http.post(f"/api/models/{model.id}/evaluations", json={"dataset": "nearhousing"}), dataset.name),
    ):
        assert f"did you mean {meant!r}?" in problem(answer, 404)["detail"]
    assert "did you mean" not in problem(client.http.get("/api/models/zzzzzzzzzz"), 404)["detail"]
    assert "did you mean" not in problem(client.http.get(f"/api/models/{dataset.id}"), 404)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "possible"),
    [
        ("PUT", "/api/jobs", "GET and POST are"),
        ("GET", "/api/jobs/job_1/cancel", "POST is"),
        ("POST", "/api/models/m/parameters", "GET and PUT are"),
        ("POST", "/health/live", "GET is"),
        ("DELETE", "/", "GET is"),
        ("PUT", "/v1/models/m:predict", "POST is"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(http: httpx.Client, method: str, path: str, possible: str) -> None:
    answer = http.request(method, path)
    assert f"is not possible at {path}: {possible}" in problem(answer, 405)["detail"]
    assert all(word in answer.headers["Allow"] for word in possible.split() if word.isupper())


@pytest.mark.parametrize("path", ["/api/datasets", "/api/models", "/api/jobs"])
@pytest.mark.parametrize("sent_as", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_of_no_known_type_is_told_the_header(http: httpx.Client, path: str, sent_as: str | None) -> None:
    headers = {} if sent_as is None else {"Content-Type": sent_as}
    answer = problem(http.post(path, content=b'{"inputs": [[1]]}', headers=headers), 415)
    assert "Content-Type" in answer["detail"]


@pytest.mark.parametrize("name", ["my model", "-m", "m" * 101, "ü"])
def test_a_name_that_cannot_be_is_told_what_names_are(http: httpx.Client, name: str) -> None:
    answer = problem(http.post("/api/models", json={"name": name, "architecture": "Dense(1 => 1)"}), 422)
    assert "letters, digits, '.', '_' and '-'" in answer["detail"]


def test_a_bare_rule_stands_for_its_defaults(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, optimiser="Adam", epochs=1, wait=30)
    assert job.recipe["optimiser"]["rule"] == "Adam"


def test_a_flux_alias_of_an_activation_is_taken_in_json_too(http: httpx.Client) -> None:
    answer = http.post("/api/models", json={"layers": [DENSE | {"activation": "gelu"}]})
    written = http.post("/api/models", json={"architecture": "Dense(1 => 1, gelu)"})
    assert answer.json()["architecture"] == written.json()["architecture"]


def test_every_synonym_leads_to_what_there_is() -> None:
    kinds = (ACTIVATIONS, INITS, LAYERS, LOSSES, OPTIMISERS, SCHEDULES)
    assert {each for name in TERMS.values() for each in name.split("|")} - {
        name for registry in kinds for name in registry
    } == set()
    assert {each.partition(".")[0] for name in FIELDS.values() for each in name.split("|")} <= {
        field for each in OBJECTS.values() for field in each
    }


def test_nothing_is_suggested_for_what_nobody_means() -> None:
    assert suggestion("qqqq", ["mse", "mae"], TERMS) is None
