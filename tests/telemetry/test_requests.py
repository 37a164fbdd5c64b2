"""Requests have ids, which answers and log lines carry; each gets a line of the access log where that is wanted."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import httpx
import pytest

from service.http.request_context import OWNER, REQUEST_ID
from service.telemetry.logs import ACCESS, JsonFormatter, LineFormatter, OnceAMinute, form_of
from service.telemetry.requests import write_access

JOB = "job_06wjv8w6sn2f0800000g5kq4sz"


@contextmanager
def written(logger: str, formatter: logging.Formatter) -> Iterator[StringIO]:
    """The lines of one logger, whose level and handlers are as before afterwards."""
    stream = StringIO()
    handler = OnceAMinute(stream)
    handler.setFormatter(formatter)
    log = logging.getLogger(logger)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        handler.close()
        log.removeHandler(handler)
        log.setLevel(level)


@pytest.fixture
def request_id() -> Iterator[str]:
    tokens = REQUEST_ID.set("r-1"), OWNER.set("blue")
    yield "r-1"
    REQUEST_ID.reset(tokens[0])
    OWNER.reset(tokens[1])


@pytest.mark.parametrize("sent", ["a", "2f/=+:@~_.-Z", "x" * 128])
def test_a_sane_id_comes_back(http: httpx.Client, sent: str) -> None:
    answer = http.get("/health/live", headers={"X-Request-ID": sent})
    assert answer.headers.get_list("X-Request-ID") == [sent]


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", 'a"b', "a\tb", "<a>"])
def test_an_id_that_is_not_sane_gives_way_to_a_new_one(http: httpx.Client, sent: str) -> None:
    first, second = (http.get("/health/live", headers={"X-Request-ID": sent}).headers["X-Request-ID"] for _ in "12")
    assert len({sent, first, second}) == 3


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/nowhere", {}),
        ("PUT", "/api/models", {}),
        ("HEAD", "/api/models", {}),
        ("GET", "/api/models", {"Host": "evil.example"}),
        ("GET", "/api/models", {"Long": "x" * 70_000}),
        ("GET", "/docs/assets/favicon-32x32.png", {}),
        ("POST", "/v2/models/nowhere/infer", {}),
    ],
)
def test_every_answer_has_an_id(http: httpx.Client, method: str, path: str, headers: dict[str, str]) -> None:
    assert len(http.request(method, path, headers=headers).headers.get_list("X-Request-ID")) == 1


def test_a_line_of_json_names_request_owner_and_job(request_id: str) -> None:
    with written("service.some", JsonFormatter()) as stream:
        for _ in range(2):
            logging.getLogger("service.some").warning("job %s failed: %s", JOB, "two\nlines")
    first, count = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == f"job {JOB} failed: two\nlines"
    named = {name: first[name] for name in ("level", "request_id", "owner", "job_id")}
    assert named == {"level": "warning", "request_id": request_id, "owner": "blue", "job_id": JOB}
    assert count["job_id"] == JOB
    assert "request_id" not in count


def test_a_traceback_is_within_its_line_of_json() -> None:
    with written("service.some", JsonFormatter()) as stream:
        try:
            raise ValueError("two\nlines")
        except ValueError:
            logging.getLogger("service.some").exception("it broke off")
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert "ValueError: two\nlines" in line["traceback"]


def test_a_plain_message_is_one_line_whatever_it_quotes(request_id: str) -> None:
    with written("service.some", LineFormatter()) as stream:
        logging.getLogger("service.some").warning("a client sent %s", "x\n2026-01-01T00:00:00.000Z ERROR   forged")
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(r"a client sent x\n2026-01-01T00:00:00.000Z ERROR   forged [request_id=r-1 owner=blue]")


def test_a_line_of_the_access_log_has_the_path_as_it_was_sent() -> None:
    scope = {"method": "GET", "raw_path": b"/api/models/a%0Ab\xff?secret=1", "path": "/api/models/a\nb"}
    with written(ACCESS, JsonFormatter()) as stream:
        write_access(scope, 404, 0.0125)
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert {name: line[name] for name in ("method", "path", "status", "seconds")} == {
        "method": "GET",
        "path": "/api/models/a%0Ab\\xff",
        "status": 404,
        "seconds": 0.0125,
    }


@pytest.mark.parametrize(
    ("environment", "form"),
    [
        ({"DESCENT_LOG": "json"}, "json"),
        ({"descent_log": "json"}, "json"),
        ({"DESCENT_LOG": "xml"}, "plain"),
        ({}, "plain"),
    ],
)
def test_the_form_is_known_before_the_settings_are_read(environment: dict[str, str], form: str) -> None:
    assert form_of(environment) == form
