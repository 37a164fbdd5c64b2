"""Requests that schemathesis makes up from the OpenAPI document: each gets an answer that the document declares."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from service.app import create_app
from service.settings import Settings
from tests.serving import RunningService, running_service
from tests.training import line, straight

schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi(), config=SchemathesisConfig(seed=1))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of its own: what is made up may be anything."""
    with running_service(tmp_path_factory.mktemp("generated")) as service:
        yield service


@pytest.fixture(scope="module")
def known(target: RunningService) -> dict[str, str]:
    """What a path's parameters may stand for."""
    with target.client() as client:
        dataset = line(client, name="line", split={"test": {"last": 2}})
        model = straight(client, name="straight")
        job = client.train(model.id, dataset.id, wait=30)
        evaluation = client.evaluate(model.id, dataset.id)
    return {"model": "straight", "dataset": "line", "job": job.id, "evaluation": evaluation.id}


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True)
def test_every_answer_is_declared(case: schemathesis.Case, target: RunningService, known: dict[str, str]) -> None:
    case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
    case.call_and_validate(base_url=target.url, excluded_checks=[positive_data_acceptance])
