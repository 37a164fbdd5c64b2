"""Test processes, each with one real service for all tests that only send it requests."""

import gc
import reprlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np  # noqa: F401 - its BLAS is to be there when threads are limited
import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from service.startup import machine

if TYPE_CHECKING:  # the process that hands tests to the others would load all of it for nothing
    import httpx

    from service.client import Client
    from service.database.database import Database
    from service.storage.storage import Storage
    from tests.support.serving import RunningService

MOST_PROCESSES = 8
"""Test processes; more would spend more time on services than they save."""
MEMORY_OF_PROCESS = 3 << 29
"""Bytes that a test process takes together with its services and their workers."""

LONGEST_ID = 100
"""Characters that name a row of a table of tests."""
_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = 10
_SHORT.maxstring = LONGEST_ID


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of test processes for `-n auto`; 0 is no process but pytest's own."""
    # One more than there are processors: a third of the time tests wait for services and workers that they have killed.
    processes = min(machine.processors() + 1, MOST_PROCESSES, machine.memory() // MEMORY_OF_PROCESS)
    return processes if processes > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Load the service's modules once for all test processes, while these collect their tests."""
    from tests.support.forked_services import load

    load()


def pytest_configure() -> None:
    # As in the service and its workers: the number of threads decides the last bits of a sum.
    threadpool_limits(1, user_api="blas")
    # Examples are judged by what they show, not by how long a busy machine takes to make and to run them.
    # They are other ones in each run: few of them each time are many in the end.
    health = [HealthCheck.too_slow]
    settings.register_profile("patient", deadline=None, suppress_health_check=health, max_examples=50)
    settings.load_profile("patient")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return what a row of a table holds, where pytest would only number it: `{'epochs': 0}` in place of `change3`."""
    if isinstance(val, Exception):
        return type(val).__name__
    if not isinstance(val, dict | list | tuple):
        return None
    text = _SHORT.repr(val)
    told = len(text) <= LONGEST_ID and "..." not in text  # what was cut may be the same as another
    return text if told and "<" not in text else None  # an address in memory is another in each process


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests, and no garbage meanwhile nor among them later: tests are many, and all of them stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that wait for processes: one process of tests waits while others compute, none at the end."""
    items.sort(key=_seconds_waited, reverse=True)


def _seconds_waited(item: pytest.Item) -> float:
    marker = item.get_closest_marker("waits")
    return 0.0 if marker is None else float(marker.args[0])


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RunningService]":
    from tests.support.serving import running_service

    with running_service(tmp_path_factory.mktemp("service")) as running:
        running.wait_until_ready()  # tests of requests that wait have few seconds
        yield running


@pytest.fixture(scope="session")
def client(service: "RunningService") -> "Iterator[Client]":
    from tests.support.conformity import Conformity
    from tests.support.document import document

    with service.client() as client:
        client.http.event_hooks["response"].append(Conformity(document()))
        yield client


@pytest.fixture(scope="session")
def http(client: "Client") -> "httpx.Client":
    """The bare HTTP client, for requests that the typed one cannot make."""
    return client.http


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"


@pytest.fixture
def storage(tmp_path: Path) -> "Storage":
    """An empty store, for tests without a service."""
    from service.storage.storage import Storage

    return Storage(tmp_path / "datasets", tmp_path / "cache")


@pytest.fixture
def database(tmp_path: Path) -> "Iterator[Database]":
    """A fresh database, for tests without a service."""
    from tests.support.databases import database_in

    database = database_in(tmp_path)
    yield database
    database.close()
