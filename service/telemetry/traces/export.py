"""OpenTelemetry's SDK at work: a provider that sends spans to the collector. Loaded where traces are sent alone."""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_SCHEDULE_DELAY, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from service.startup import traces

log = logging.getLogger(__name__)

OF_EXPORTERS = "opentelemetry.exporter"
DELAY = 1000.0
"""Milliseconds that spans wait for others, unless the standard variable tells them: a worker that is killed takes no
more of them along."""


def provider() -> TracerProvider:
    """Return a provider by the environment, which sends from a thread of its own; failures are a line of our log."""
    reasons = Reasons()
    of_sdk = logging.getLogger("opentelemetry")
    of_sdk.handlers[:], of_sdk.propagate = [reasons], False
    made = TracerProvider(resource=Resource.create(_names(os.environ)), shutdown_on_exit=False)
    exporter: Any = Telling(OTLPSpanExporter(), reasons)
    delay = None if os.environ.get(OTEL_BSP_SCHEDULE_DELAY) else DELAY
    made.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=delay))
    return made


def close(provider: TracerProvider, seconds: float) -> None:
    """Send what waits, for so long at the most: a collector that is away would hold the stop up."""
    closing = threading.Thread(target=provider.shutdown, name="descent-traces", daemon=True)
    closing.start()
    closing.join(seconds)


def _names(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the name and version of this service; the name that the environment gives goes before."""
    named = environment.get(OTEL_SERVICE_NAME) or f"{SERVICE_NAME}=" in environment.get(OTEL_RESOURCE_ATTRIBUTES, "")
    return {SERVICE_VERSION: version("descent")} | ({} if named else {SERVICE_NAME: "descent"})


class Reasons(logging.Handler):
    """A handler of the SDK's lines: it keeps those of exporters as the reason of a failure, and repeats the others."""

    first: str | None = None
    """The exporter's first line about the present batch: those after it tell of more tries."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage().partition("\n")[0]
        if record.name.startswith(OF_EXPORTERS):
            self.first = self.first or message.partition(" encountered while exporting")[0]
        elif record.levelno >= logging.WARNING:
            log.warning("OpenTelemetry: %s", message)


class Telling:
    """An exporter that writes a line when spans cease to arrive, and one when they arrive again."""

    def __init__(self, exporter: Any, reasons: Reasons) -> None:
        self._exporter = exporter
        self._reasons = reasons
        self._fails = False
        self._collector = "{}:{}".format(*traces.place(os.environ))

    def export(self, spans: Sequence[Any]) -> Any:
        """Send spans, which are lost where that fails."""
        self._reasons.first = None
        result = self._exporter.export(spans)
        fails = result.name != "SUCCESS"
        if fails and not self._fails:
            reason = self._reasons.first
            log.warning("traces do not reach the collector at %s, and are lost: %s", self._collector, reason)
        elif self._fails and not fails:
            log.info("traces reach the collector at %s again", self._collector)
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
