"""The wishes for traces in OpenTelemetry's standard variables; read without OpenTelemetry."""

from collections.abc import Mapping, MutableMapping
from importlib.util import find_spec
from urllib.parse import urlsplit

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
ENDPOINT_OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
EXPORTER = "OTEL_TRACES_EXPORTER"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
PROTOCOL_OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
EXPORTERS = "otlp", "otlp_proto_http"
"""Names of the one exporter: of the standard, and of OpenTelemetry for Python."""
PROPAGATORS = "OTEL_PROPAGATORS"
GROUP = "opentelemetry_propagator"
"""Entry points of packages with propagators."""
BUILT_IN = "tracecontext", "baggage", "none"
OFF = "OTEL_SDK_DISABLED"
SPOKEN = "http/protobuf"
DEFAULT = "http://localhost:4318"
"""The collector's address where traces are asked for and it is not told, as the standard has it."""
PACKAGES = "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"
"""Those of the extra `telemetry`."""
PARTS = "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"


def are_wanted(environment: Mapping[str, str]) -> bool:
    """Whether traces are asked for, by an exporter or the address of a collector; empty variables count as unset."""
    if environment.get(OFF, "").strip().lower() == "true" or _exporter(environment) == "none":
        return False
    return any(environment.get(name) for name in (EXPORTER, ENDPOINT_OF_TRACES, ENDPOINT))


def fault(environment: Mapping[str, str]) -> str | None:
    """Return why traces that are asked for cannot be sent, with the remedy; None where they can."""
    exporter = _exporter(environment)
    if exporter not in ("", *EXPORTERS):
        return f"{EXPORTER}={exporter}: traces are sent by OTLP alone: set it to otlp, or to none."
    for name in (PROTOCOL_OF_TRACES, PROTOCOL):
        if (value := environment.get(name, "").strip()) not in ("", SPOKEN):
            remedy = "set it to that, with the port that the collector has for it (4318)"
            return f"{name}={value}: traces are sent as {SPOKEN} alone: {remedy}."
        if value:
            break
    if not _is_address(collector(environment)):
        return f"{_name_of_endpoint(environment)} is no address of a collector: give one such as {DEFAULT}."
    if not _are_there():
        remedy = f"`pip install {' '.join(PACKAGES)}`, or set {EXPORTER}=none"
        return f"Traces are asked for, and OpenTelemetry's SDK is not installed: {remedy}."
    return None


def collector(environment: Mapping[str, str]) -> str:
    """Return the collector's URL."""
    return environment.get(_name_of_endpoint(environment)) or DEFAULT


def place(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return the collector's host and port."""
    url = urlsplit(collector(environment))
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def leave_out_unknown_propagators(environment: MutableMapping[str, str]) -> list[str]:
    """Take the forms of contexts that are not installed out of the environment, and return them.

    FastAPI loads all that are named, whether traces are sent or not, and none that is missing is worth the start.
    """
    named = [name.strip() for name in environment.get(PROPAGATORS, "").split(",") if name.strip()]
    if not named:
        return []
    from importlib.metadata import entry_points  # here: it takes a while, and few name any

    missing = [name for name in named if name not in BUILT_IN and not entry_points(group=GROUP, name=name)]
    if missing:
        environment[PROPAGATORS] = ",".join(name for name in named if name not in missing) or "tracecontext"
    return missing


def _exporter(environment: Mapping[str, str]) -> str:
    return environment.get(EXPORTER, "").strip().lower()


def _name_of_endpoint(environment: Mapping[str, str]) -> str:
    return ENDPOINT_OF_TRACES if environment.get(ENDPOINT_OF_TRACES) else ENDPOINT


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _are_there() -> bool:
    try:
        return all(find_spec(part) is not None for part in PARTS)
    except ModuleNotFoundError:
        return False
