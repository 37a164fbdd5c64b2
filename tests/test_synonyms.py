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
from service.pointers import OBJECTS
from service.synonyms import FIELDS, TERMS, suggestion
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
    ],
)
def test_an_error_names_what_may_be_meant(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str, meant: str
) -> None:
    faults = {each["pointer"]: each["detail"] for each in problem(http.post(path, json=body), 422)["errors"]}
    assert f"did you mean {meant!r}?" in faults[pointer]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/api/jobs", JOB | {"zzz": 1}, "#/zzz"),
        ("/api/models", {"layers": [{"type": "BatchNorm", "size": 2, "in": 2}]}, "#/layers/0/in"),
        ("/api/models", {"from_model": "m"}, "#/from_model"),
        ("/api/datasets", {"data": [[1]]}, "#/data"),
    ],
    ids=["nothing like it", "a field of another layer", "nothing beside it", "a field of another body"],
)
def test_a_field_that_nobody_can_mean_is_unknown_without_a_guess(
    http: httpx.Client, path: str, body: dict[str, Any], pointer: str
) -> None:
    faults = {each["pointer"]: each["detail"] for each in problem(http.post(path, json=body), 422)["errors"]}
    assert faults[pointer] == "this field is unknown"


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
    assert set(TERMS.values()) - {name for registry in kinds for name in registry} == set()
    assert {name.partition(".")[0] for name in FIELDS.values()} <= {
        field for each in OBJECTS.values() for field in each
    }


def test_nothing_is_suggested_for_what_nobody_means() -> None:
    assert suggestion("qqqq", ["mse", "mae"], TERMS) is None
