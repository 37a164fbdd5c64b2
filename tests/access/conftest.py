"""A service with keys of two owners, and the clients that hold them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.keys import mint
from tests.support.serving import RunningService, http_client, running_service


@dataclass
class Owners:
    """A service, and a client for each key."""

    service: RunningService
    ada: httpx.Client
    ben: httpx.Client
    admin: httpx.Client


@pytest.fixture(scope="package")
def owners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owners]:
    folder: Path = tmp_path_factory.mktemp("owners")
    scopes = {"ada": "train", "ben": "train", "admin": "admin"}
    keys = {name: mint(folder, name, scope=scope) for name, scope in scopes.items()}
    with running_service(folder) as service, ExitStack() as stack:
        clients = {name: stack.enter_context(http_client(service.url)) for name in keys}
        for name, client in clients.items():
            client.headers["Authorization"] = f"Bearer {keys[name]}"
        yield Owners(service, **clients)
