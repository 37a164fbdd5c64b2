"""Traces lead from the request that sends a job to all that workers do for it, and tell nothing of clients."""

import logging
from collections.abc import Callable, Iterator

import httpx
import pytest

from service.startup import traces
from service.telemetry.traces import tracing
from service.telemetry.traces.export import provider
from service.telemetry.traces.requests import is_left_out
from tests.support.serving import RunningService, http_client, wait_for
from tests.telemetry.collector import Collector, Told, collecting

pytestmark = pytest.mark.waits(5)

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENDER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
DATA = {"name": "secret-line", "columns": {"x": [0, 1, 2], "y": [2, 6, 10]}, "targets": ["y"]}
MODEL = {"name": "secret-model", "architecture": "Dense(1 => 1)"}
JOB = {"model": "secret-model", "dataset": "secret-line", "epochs": 10**7, "path": "batches", "batch_size": 1}
KNOWN = {
    "descent.attempt",
    "descent.bytes",
    "descent.epochs",
    "descent.ids",
    "descent.job",
    "descent.reports",
    "descent.state",
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "url.scheme",
}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as each:
        yield each


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[httpx.Client]:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    folder = tmp_path_factory.mktemp("traced")
    with RunningService.running(folder, DESCENT_WORKERS="1", **asked) as service, http_client(service.url) as client:
        client.post("/api/datasets", json=DATA).raise_for_status()
        client.post("/api/models", json=MODEL).raise_for_status()
        yield client


def named(spans: list[Told], name: str) -> list[Told]:
    return [each for each in spans if each.name == name]


def until(http: httpx.Client, job: str, is_so: Callable[[dict[str, object]], bool]) -> None:
    wait_for(lambda: is_so(http.get(f"/api/jobs/{job}").json()))


def test_all_that_workers_do_for_a_job_is_in_the_trace_of_its_request(http: httpx.Client, collector: Collector) -> None:
    id = http.post("/api/jobs", json=JOB, headers=SENDER).raise_for_status().json()["id"]
    wait_for(lambda: bool(named(collector.of(TRACE), "job.flush")))
    http.post(f"/api/jobs/{id}/pause").raise_for_status()
    until(http, id, lambda job: job["state"] == "paused")
    http.post(f"/api/jobs/{id}/resume").raise_for_status()
    until(http, id, lambda job: job["state"] == "running")
    http.post(f"/api/jobs/{id}/cancel").raise_for_status()
    wait_for(lambda: len(named(collector.of(TRACE), "job.end")) == 2)
    spans = collector.of(TRACE)
    (post,) = named(spans, "POST /api/jobs")
    claims = named(spans, "job.claim")
    assert post.parent == "b7ad6b7169203331"
    assert [each.attributes["descent.attempt"] for each in claims] == [1, 2]
    assert {each.parent for each in claims} == {post.id}
    steps = [each for each in spans if each not in (post, *claims)]
    assert {each.name for each in steps} == {"job.prepare", "job.train", "job.flush", "job.checkpoint", "job.end"}
    assert {each.parent for each in steps} == {each.id for each in claims}
    assert [each.attributes["descent.state"] for each in named(spans, "job.end")] == ["paused", "cancelled"]
    assert all(each.attributes["descent.job"] == id for each in (*claims, *steps))
    assert all(each.attributes["descent.reports"] for each in named(spans, "job.flush"))


def test_a_failed_job_tells_the_code_of_its_error(http: httpx.Client, collector: Collector) -> None:
    job = {**JOB, "epochs": 500, "optimiser": {"rule": "Descent", "eta": 1000}}
    id = http.post("/api/jobs", json=job, headers={"Prefer": "wait=60"}).json()["id"]
    wait_for(lambda: any(each.attributes["descent.job"] == id for each in named(collector.spans, "job.end")))
    end = next(each for each in named(collector.spans, "job.end") if each.attributes["descent.job"] == id)
    assert (end.failed, end.attributes["error.type"]) == (True, "diverged")


def test_spans_hold_no_name_value_or_path_that_a_client_chose(http: httpx.Client, collector: Collector) -> None:
    http.get("/api/models/secret-model", params={"secret": "query"})
    http.get("/secret/path", headers={"Host": "127.0.0.1", "User-Agent": "secret", "baggage": "secret=1"})
    http.request("SECRET", "/api/models")
    http.post("/api/models/secret-model/predictions", json={"inputs": [["secret"]]})
    http.post("/api/jobs", content=b"secret", headers={"traceparent": "00-secret"})
    wait_for(lambda: bool(named(collector.spans, "POST /api/models/{model}/predictions")))
    wait_for(lambda: any(each.attributes.get("http.response.status_code") == 415 for each in collector.spans))
    assert not any(b"secret" in body.lower() for body in collector.bodies)
    assert {name for each in collector.spans for name in each.attributes} <= KNOWN
    assert {each.service for each in collector.spans} == {"descent"}


def test_streams_of_events_probes_and_scrapes_have_no_spans(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    streams = {
        path
        for path, operations in paths.items()
        if any("text/event-stream" in json for json in map(str, operations.values()))
    }
    left_out = {path for path in paths if is_left_out({"path": path})}
    assert left_out == streams | {"/health/live", "/health/ready", "/metrics"}
    assert not is_left_out({"path": "/api/models/events"})


def test_a_collector_that_fails_costs_one_line_and_no_job(caplog: pytest.LogCaptureFixture) -> None:
    with collecting() as collector, pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_TRACES_SAMPLER", "none-such")
        made = provider()
        for status in (500, 403, 200, 200):
            collector.status = status
            made.get_tracer("test").start_span("one").end()
            made.force_flush()
        made.shutdown()
    host = collector.url.removeprefix("http://")
    unknown, lost, back = [record.getMessage() for record in caplog.records]
    assert unknown.startswith("OpenTelemetry: ")
    assert lost.startswith(f"traces do not reach the collector at {host}, and are lost: Failed to export spans batch")
    assert back == f"traces reach the collector at {host} again"


def test_traces_are_sent_where_the_standard_variables_ask_for_them() -> None:
    address = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    of_traces = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://elsewhere/v1/traces"}
    asking = address, of_traces, {"OTEL_TRACES_EXPORTER": "otlp"}, {**address, "OTEL_SDK_DISABLED": "false"}
    assert all(traces.are_wanted(each) and traces.fault(each) is None for each in asking)
    off = {**address, "OTEL_SDK_DISABLED": "True"}, {**of_traces, "OTEL_TRACES_EXPORTER": "none"}
    assert not any(map(traces.are_wanted, [{}, *off, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}]))
    places = [traces.place(each) for each in ({}, {**address, **of_traces})]
    assert places == [("localhost", 4318), ("elsewhere", 443)]


def test_traces_that_cannot_be_sent_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    address = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}
    faults = {
        "set it to otlp, or to none": {"OTEL_TRACES_EXPORTER": "zipkin"},
        "sent as http/protobuf alone: set it to that": {**address, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        "is no address of a collector: give one": {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"},
    }
    for remedy, environment in faults.items():
        assert remedy in (traces.fault(environment) or "")
    monkeypatch.setattr(traces, "PARTS", ("opentelemetry.none_such.trace",))
    assert "`pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`" in (traces.fault(address) or "")


def test_forms_of_contexts_that_are_not_installed_prevent_no_start() -> None:
    named = {"tracecontext,b3": "tracecontext", "b3": "tracecontext", "baggage, b3": "baggage"}
    for before, after in named.items():
        environment = {"OTEL_PROPAGATORS": before}
        assert traces.leave_out_unknown_propagators(environment) == ["b3"]
        assert environment == {"OTEL_PROPAGATORS": after}
    for well in ({}, {"OTEL_PROPAGATORS": "tracecontext,baggage"}, {"OTEL_PROPAGATORS": "none"}):
        assert traces.leave_out_unknown_propagators(dict(well)) == []


def test_without_the_variables_nothing_is_told_or_kept() -> None:
    assert tracing.passed("job.claim", tracing.clock(), None) is None
    assert tracing.current() is None
    assert not tracing.are_sent()


def test_a_step_that_cannot_be_told_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing._sending, "tracer", object())
    with tracing.step("job.flush", None, reports=1):
        pass
    assert "a step is missing in its trace" in caplog.text
