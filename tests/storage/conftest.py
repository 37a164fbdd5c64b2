"""A real server of S3, and a place in its bucket for each test."""

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.storage.storage import Storage

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Host and port of an S3 server that has a bucket `data`."""
    from moto.server import ThreadedMotoServer  # here: every process of tests would load boto otherwise

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    httpx.put(f"http://{host}:{port}/data").raise_for_status()
    yield f"{host}:{port}"
    moto.stop()


@pytest.fixture
def address(server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place in the bucket of this test alone."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return f"s3://data/{request.node.name}?endpoint_override={server}&scheme=http&region=us-east-1"


@pytest.fixture
def here(address: str, tmp_path: Path) -> Storage:
    return Storage(address, tmp_path / "here")


@pytest.fixture
def elsewhere(address: str, tmp_path: Path) -> Storage:
    """The same bucket as another machine sees it."""
    return Storage(address, tmp_path / "elsewhere")
