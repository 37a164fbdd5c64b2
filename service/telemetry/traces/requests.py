"""Spans of requests, which FastAPI makes, without what clients chose."""

import re
from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Span, Tracer, TracerProvider
from starlette.types import Scope

from service.ids import looks_like_an_id

KEPT = {"http.request.method", "network.protocol.version", "url.scheme"}
"""Attributes of a request that begins. FastAPI adds the route, the status, and the kind of an error."""
_LEFT_OUT = re.compile(r"/health/.*|/metrics|/api/events|/api/[^/]+/[^/]+/events")
"""Probes, scrapes, and streams of events, which are open for hours."""


def is_left_out(scope: Scope) -> bool:
    return _LEFT_OUT.fullmatch(scope["path"]) is not None


class Discreet(TracerProvider):
    """A provider of tracers whose spans hold no path, query or host."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *names: Any, **more: Any) -> Tracer:
        return _DiscreetTracer(self._provider.get_tracer(*names, **more))


class _DiscreetTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, *given: Any, **more: Any) -> Span:
        return self._tracer.start_span(*given, **{**more, "attributes": _of_nobody(more.get("attributes") or {})})

    def start_as_current_span(self, *given: Any, **more: Any) -> Any:
        return self._tracer.start_as_current_span(*given, **more)


def _of_nobody(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that no client chose, and in place of the path the ids in it."""
    kept = {name: value for name, value in attributes.items() if name in KEPT}
    ids = [part for part in str(attributes.get("url.path", "")).split("/") if looks_like_an_id(part)]
    return kept | ({"descent.ids": ids} if ids else {})
