"""Metrics of requests: a label is a route, and never what a client chose."""

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from service.app import create_app
from service.metrics import port
from service.metrics.traffic import Traffic
from service.settings import Settings
from service.startup.preparation import Refused, prepared
from tests.support.serving import free_port, http_client


def series(traffic: Traffic) -> list[str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(traffic)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_random_urls_and_methods_add_five_series_at_most(tmp_path: Path) -> None:
    traffic = Traffic()
    before = len(series(traffic))
    app = create_app(Settings(data=tmp_path, metrics_port=1))
    app._observers = [traffic]  # type: ignore[attr-defined]

    async def ask() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for number in range(100):
                await client.request(f"M{number}", f"/random/{number}/x?y={number}")
                await client.get(f"/docs/assets/{number}")

    asyncio.run(ask())
    added = series(traffic)[before:]
    for number in range(10_000):
        traffic({"method": f"M{number}", "path": f"/{number}"}, 404, 0.001)
    assert len(series(traffic)) - before <= 5
    assert not any("random" in line for line in added)


def test_names_below_a_route_share_its_series() -> None:
    traffic = Traffic()
    before = len(series(traffic))
    route = SimpleNamespace(path="/api/models/{model}")
    for number in range(10_000):
        traffic({"method": "GET", "path": f"/api/models/{number}", "route": route}, 404, 0.25)
    added = [line for line in series(traffic) if "/api/models" in line]
    assert len(series(traffic)) - before == len(added) == 3
    assert 'descent_http_requests_total{method="GET",route="/api/models/{model}",status="404"} 10000.0' in added


def test_a_replica_shows_its_requests_and_memory_on_a_port_of_its_own() -> None:
    traffic, number = Traffic(), free_port()
    with port.served("127.0.0.1", number, traffic):
        traffic({"method": "GET", "path": "/"}, 200, 0.1)
        found = http_client(f"http://127.0.0.1:{number}").get("/metrics").text
    assert "descent_http_requests_total" in found
    assert "process_resident_memory_bytes" in found
    assert "descent_jobs" not in found


def test_a_port_of_metrics_in_use_is_refused_by_its_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(port=0, data=tmp_path, metrics_port=taken.getsockname()[1])
        with pytest.raises(Refused, match="choose another with DESCENT_METRICS_PORT"), prepared(settings):
            pass
