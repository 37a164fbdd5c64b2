"""One real service for all tests that only talk to it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.client import Client
from tests.conformity import Conformity
from tests.serving import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def client(service: RunningService) -> Iterator[Client]:
    with service.client() as client:
        client.http.event_hooks["response"].append(Conformity(client.http.get("/openapi.json").json()))
        yield client


@pytest.fixture(scope="session")
def http(client: Client) -> httpx.Client:
    """The bare HTTP client, for what the typed one does not say."""
    return client.http


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"
