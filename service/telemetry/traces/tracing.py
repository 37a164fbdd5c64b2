"""Traces of jobs: steps of workers as spans of the request that sent the job.

Nothing of OpenTelemetry is loaded, and nothing done, unless the environment asks for traces. A span is named by its W3C
`traceparent`, a text that a row of the database or a message holds.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.startup import traces as wishes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

Attribute = str | int | float | bool

SCOPE = "descent"
KEY = "traceparent"
PATIENCE = 1.0
"""Seconds that a stop gives to spans that wait."""


@dataclass
class _Sending:
    """The SDK of this process; None where it sends nothing."""

    provider: "TracerProvider | None" = None
    tracer: "Tracer | None" = None


_sending = _Sending()


def start() -> "TracerProvider | None":
    """Make this process send traces where its environment asks for them; where that cannot be, write a line."""
    if _sending.provider is None and wishes.are_wanted(os.environ):
        reason = wishes.fault(os.environ)
        if reason is None:
            try:
                from service.telemetry.traces.export import provider

                _sending.provider = provider()
                _sending.tracer = _sending.provider.get_tracer(SCOPE)
            except Exception as error:  # noqa: BLE001 - whatever the variables of others hold: traces are not worth a start
                reason = f"OpenTelemetry does not start ({error!r})."
        if reason is not None:
            log.warning("no traces are sent: %s", reason)
    return _sending.provider


def stop() -> None:
    """Send what waits, and send nothing from now on."""
    provider, _sending.provider, _sending.tracer = _sending.provider, None, None
    if provider is not None:
        from service.telemetry.traces.export import close

        close(provider, PATIENCE)


def are_sent() -> bool:
    return _sending.provider is not None


def current() -> str | None:
    """Return the span of the present request; None where it has none."""
    if _sending.tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(KEY)


def clock() -> int:
    """Nanoseconds, as spans count them."""
    return time.time_ns()


def passed(
    name: str, began: int, parent: str | None, error: str | None = None, **attributes: Attribute | None
) -> str | None:
    """Tell of a step that ends now, and return its span; without a parent it begins a trace."""
    if _sending.tracer is None:
        return None
    try:
        return _told(_sending.tracer, name, began, parent, error, attributes)
    except Exception as fault:  # noqa: BLE001 - no step fails because it cannot be told
        log.warning("a step is missing in its trace: %r", fault)
        return None


def _told(
    tracer: "Tracer",
    name: str,
    began: int,
    parent: str | None,
    error: str | None,
    attributes: Mapping[str, Attribute | None],
) -> str | None:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    context = propagator.extract({} if parent is None else {KEY: parent}, Context())
    known = {f"descent.{key}": value for key, value in attributes.items() if value is not None}
    span = tracer.start_span(name, context, SpanKind.INTERNAL, known, start_time=began)
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)
    span.end()
    carrier: dict[str, str] = {}
    propagator.inject(carrier, set_span_in_context(span, Context()))
    return carrier.get(KEY)


@contextmanager
def step(name: str, parent: str | None, **attributes: Attribute | None) -> Iterator[dict[str, Attribute | None]]:
    """Tell of what the block does once it is over; it may add attributes."""
    began, error = clock(), None
    try:
        yield attributes
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        passed(name, began, parent, error, **attributes)
