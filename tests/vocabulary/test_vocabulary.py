"""Every word of the vocabulary can be read about, and used over HTTP."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from service.learning.initialisations import INITS
from service.learning.layers import LAYERS
from service.learning.layers.activations import ACTIVATIONS
from service.learning.losses import LOSSES
from service.learning.optimisers import OPTIMISERS
from service.learning.schedules import SCHEDULES
from service.vocabulary.description import PLURALS
from service.vocabulary.kinds import from_json
from service.vocabulary.schemas import ActivationShape, InitShape, LayerShape, LossShape, OptimiserShape, ScheduleShape

REGISTRIES: dict[str, Any] = {
    "layers": LAYERS,
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "optimisers": OPTIMISERS,
    "schedules": SCHEDULES,
    "inits": INITS,
}
SHAPES: dict[str, tuple[Any, str]] = {
    "layers": (LayerShape, "type"),
    "activations": (ActivationShape, "name"),
    "losses": (LossShape, "name"),
    "optimisers": (OptimiserShape, "rule"),
    "schedules": (ScheduleShape, "name"),
    "inits": (InitShape, "name"),
}


@pytest.fixture(scope="module")
def vocabulary(http: httpx.Client) -> dict[str, list[dict[str, Any]]]:
    answer: dict[str, list[dict[str, Any]]] = http.get("/api/vocabulary").json()
    return answer


def test_every_term_of_the_core_is_listed_with_its_formula(vocabulary: dict[str, list[dict[str, Any]]]) -> None:
    assert vocabulary.keys() == REGISTRIES.keys()
    for kind, terms in vocabulary.items():
        assert [term["name"] for term in terms] == list(REGISTRIES[kind])
        assert all(term["formula"] for term in terms)


def test_defaults_are_those_that_a_bare_term_gets(vocabulary: dict[str, list[dict[str, Any]]]) -> None:
    for kind, terms in vocabulary.items():
        shape, tag = SHAPES[kind]
        reader = TypeAdapter(shape)
        for term in terms:
            if any(parameter["required"] for parameter in term["parameters"]):
                continue
            bare = reader.validate_python({tag: term["name"]}).to_learning()
            given = {parameter["name"]: parameter["default"] for parameter in term["parameters"]}
            assert reader.validate_python({tag: term["name"], **given}).to_learning() == bare


def test_what_is_written_as_json_reads_back_as_the_same_term(vocabulary: dict[str, list[dict[str, Any]]]) -> None:
    for kind, terms in vocabulary.items():
        shape, tag = SHAPES[kind]
        reader = TypeAdapter(shape)
        for term in terms:
            if not any(parameter["required"] for parameter in term["parameters"]):
                first = reader.validate_python({tag: term["name"]})
                assert reader.validate_python(reader.dump_python(first)).to_learning() == first.to_learning()
                assert from_json(PLURALS[kind], reader.dump_python(first)) == first.to_learning()


EXP = {"name": "Exp", "start": 0.1, "decay": 0.9}


@pytest.mark.parametrize(
    ("plural", "written"),
    [
        pytest.param("losses", {"expression": "mean(abs.(ŷ - y))"}, id="written"),
        pytest.param("losses", {"name": "huber_loss", "delta": 0.5}, id="with a parameter"),
        pytest.param(
            "optimisers",
            {"rule": "OptimiserChain", "rules": [{"rule": "ClipNorm"}, {"rule": "Rprop", "ell": [0.4, 1.1]}]},
            id="rules in a rule",
        ),
        pytest.param(
            "schedules",
            {"name": "WarmUp", "length": 3, "then": {"name": "Loop", "cycle": EXP, "period": 9}},
            id="nested",
        ),
        pytest.param("schedules", {"name": "Sequence", "schedules": [EXP, EXP], "step_sizes": [4, 4]}, id="list"),
    ],
)
def test_a_worker_reads_the_terms_that_a_request_wrote(plural: str, written: dict[str, Any]) -> None:
    shape = TypeAdapter(SHAPES[plural][0])
    read = shape.validate_python(written)
    assert from_json(PLURALS[plural], shape.dump_python(read)) == read.to_learning()
