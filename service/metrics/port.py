"""A port of its own for what one replica knows of itself: its requests, memory, processor time and open files."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.metrics.traffic import Traffic


@contextmanager
def served(host: str, port: int | None, traffic: Traffic) -> Iterator[None]:
    """Serve them for as long as the block lasts, where there is a port."""
    if port is None:
        yield
        return
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

    registry = CollectorRegistry(auto_describe=False)
    registry.register(traffic)
    ProcessCollector(registry=registry)
    server, thread = start_http_server(port, host, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
