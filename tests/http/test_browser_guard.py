"""Requests that a web page makes a browser send, told apart from those that a person wants."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import tritonclient.http as triton  # type: ignore[import-untyped]  # it has no types
from pydantic import ValidationError
from ruamel.yaml import YAML
from starlette.testclient import TestClient

from service.app import create_app
from service.http.browsers.proxies import Proxies
from service.settings import Settings
from tests.support.problems import problem
from tests.support.serving import PATIENCE, RunningService, http_client, running_service

HOSTS = "descent, ML.example.com."
REPOSITORY = Path(__file__).parents[2]
MODEL = {"architecture": "Dense(1 => 1)"}
NGINX = {"Host": "127.0.0.1:8000", "Connection": "close"}
"""Headers that nginx's proxy_pass to that address sends in place of the client's own; all others go through."""
CADDY = {
    "Host": "ml.example.com",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "ml.example.com",
    "X-Forwarded-Proto": "https",
    "Via": "1.1 Caddy",
}
"""Headers that Caddy's reverse_proxy adds to the client's."""


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that has names."""
    with running_service(tmp_path_factory.mktemp("named"), DESCENT_HOSTS=HOSTS) as running:
        yield running


@pytest.fixture(scope="module")
def http(named: RunningService) -> Iterator[httpx.Client]:
    with http_client(named.url) as http:
        yield http


def create(http: httpx.Client, **headers: str) -> httpx.Response:
    """Ask for a model, with these headers in place of httpx's own or beside them."""
    return http.post(
        "/api/models", json=MODEL, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "app.localhost:1",
        "127.0.0.1",
        "192.0.2.7:80",
        "[::1]:8000",
        "[2001:db8::7]",
        "[fe80::1%25eth0]:8000",
        "[fe80::1%wlp3s0]",
        "127.0.0.1.:8000",
        "descent",
        "descent:8000",
        "ml.example.com",
        "Ml.Example.Com.:443",
    ],
)
def test_addresses_loopback_names_and_listed_names_pass(http: httpx.Client, host: str) -> None:
    assert http.get("/api/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8000",
        "other.ml.example.com",
        "notlocalhost",
        "127.1",
        "[evil]",
        "[evil%25eth0]",
        "[fe80::1%]",
        "127.0.0.1..",
        "::1",
        "user@localhost",
        "localhost/x",
        "localhost:x",
        "x" * 1000,
    ],
)
def test_another_host_is_400_and_learns_of_the_setting(http: httpx.Client, host: str) -> None:
    for answer in (http.get("/api/models", headers={"Host": host}), create(http, Host=host)):
        refused = problem(answer, 400)
        assert refused["code"] == "foreign_host"
        assert "DESCENT_HOSTS" in refused["detail"]
        assert host[:50] in refused["detail"]
    assert problem(http.get("/v2/models/x", headers={"Host": host}), 400)["error"]


def raw(head: bytes, service: RunningService) -> bytes:
    """The answer's first line to a request that httpx would not send."""
    import socket

    address = urlsplit(service.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=PATIENCE) as connection:
        connection.sendall(head)
        return connection.makefile("rb").readline().split(b" ", 1)[1].rstrip()


def test_only_http_1_1_needs_a_host_and_no_version_two(named: RunningService) -> None:
    assert raw(b"GET /api/models HTTP/1.1\r\n\r\n", named) == b"400 Bad Request"
    assert raw(b"GET /api/models HTTP/1.1\r\nHost:\r\n\r\n", named) == b"400 Bad Request"
    assert raw(b"GET /api/models HTTP/1.0\r\n\r\n", named) == b"200 OK"
    twice = b"GET /api/models HTTP/1.1\r\nHost: localhost\r\nHost: descent\r\n\r\n"
    assert raw(twice, named) == b"400 Bad Request"


def test_a_probe_of_a_pod_may_go_by_any_name(http: httpx.Client, named: RunningService) -> None:
    for path in ("/health/live", "/health/ready"):
        for host in ("10.42.0.17:8000", "descent-7c9f.pods.example", "x/y"):
            answer = http.get(path, headers={"Host": host, "User-Agent": "kube-probe/1.31", "Connection": "close"})
            assert answer.status_code in (200, 503), answer.text
    assert raw(b"GET /health/live HTTP/1.1\r\n\r\n", named) == b"200 OK"


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_that_a_browser_calls_another_sites_is_403(http: httpx.Client, method: str, site: str) -> None:
    answer = http.request(method, "/api/models/x", json={}, headers={"Sec-Fetch-Site": site})
    refused = problem(answer, 403)
    assert refused["code"] == "cross_site"
    assert "DESCENT_HOSTS" not in refused["detail"]  # it would not help


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_other_changes_by_a_browser_pass(http: httpx.Client, site: str) -> None:
    assert create(http, Sec_Fetch_Site=site).status_code == 201


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("https://localhost:8000", "localhost:8000"),  # TLS ends before us
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://[fe80::1%25eth0]:8000", "[fe80::1%25eth0]:8000"),
        ("https://192.0.2.7", "192.0.2.7"),
        ("https://192.0.2.7", "192.0.2.7:443"),
        ("http://192.0.2.7:80", "192.0.2.7"),
        ("https://descent", "127.0.0.1:8000"),
        ("http://ML.example.com:3000", "descent:8000"),
    ],
)
def test_an_origin_that_is_the_host_or_is_listed_may_change(http: httpx.Client, origin: str, host: str) -> None:
    assert create(http, Origin=origin, Host=host).status_code == 201


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "localhost:8000"),
        ("http://localhost:3000", "localhost:8000"),
        ("http://localhost:8000", "127.0.0.1:8000"),
        ("http://localhost", "localhost:8000"),
        ("https://192.0.2.7", "192.0.2.7:80"),
        ("https://sub.ml.example.com", "ml.example.com"),
        ("null", "localhost:8000"),
        ("", "localhost:8000"),
        ("http://descent@evil.example", "localhost:8000"),
        ("http://" + "x" * 1000, "localhost:8000"),
    ],
)
def test_a_change_for_a_foreign_origin_is_403(http: httpx.Client, origin: str, host: str) -> None:
    assert problem(create(http, Origin=origin, Host=host), 403)["code"] == "foreign_origin"
    assert http.get("/api/models", headers={"Origin": origin, "Host": host}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_program_passes_whatever_it_says_of_its_body(http: httpx.Client, kind: str) -> None:
    """The routes decide about the type; the guard already stops a page's form with the same body."""
    answer = http.post("/v2/models/none/infer", content=b"{}", headers={"Content-Type": kind})
    assert problem(answer, 404)["code"] == "model_not_found"
    page = {"Content-Type": kind, "Origin": "https://evil.example"}
    assert problem(http.post("/v2/models/none/infer", content=b"{}", headers=page), 403)["error"]


def test_a_refused_upload_is_read_so_that_its_sender_sees_the_answer(http: httpx.Client) -> None:
    answer = http.post("/api/datasets?targets=y", content=bytes(20 << 20), headers={"Origin": "https://evil.example"})
    assert problem(answer, 403)["code"] == "foreign_origin"


def test_nothing_is_allowed_to_pages_elsewhere(http: httpx.Client) -> None:
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (http.options("/api/models", headers=asking), http.get("/api/models", headers=asking)):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_behind_nginx_its_own_pages_work_once_their_name_is_listed(http: httpx.Client) -> None:
    page = {"Origin": "https://ml.example.com", "Sec-Fetch-Site": "same-origin"}
    assert http.post("/api/models", json=MODEL, headers=NGINX | page).status_code == 201
    assert http.get("/api/models", headers=NGINX | {"Host": "descent"}).status_code == 200  # an upstream of that name
    other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    problem(http.post("/api/models", json=MODEL, headers=NGINX | other), 403)


def test_behind_caddy_its_name_has_to_be_listed(http: httpx.Client) -> None:
    page = {"Origin": "https://ml.example.com", "Sec-Fetch-Site": "same-origin"}
    assert http.post("/api/models", json=MODEL, headers=CADDY | page).status_code == 201
    problem(http.get("/api/models", headers=CADDY | {"Host": "unlisted.example.com"}), 400)


def test_a_neighbour_in_compose_may_use_the_name_of_the_service(http: httpx.Client) -> None:
    services = YAML(typ="safe").load(REPOSITORY / "docker-compose.yml")["services"].items()
    ((name, service),) = ((name, each) for name, each in services if "build" in each)
    assert name in Settings(hosts=service["environment"]["DESCENT_HOSTS"]).hosts
    assert create(http, Host=f"{name}:8000").status_code == 201


def test_tritonclient_passes(http: httpx.Client, named: RunningService) -> None:
    http.post("/api/models", json={**MODEL, "name": "asked"}).raise_for_status()
    rows = triton.InferInput("inputs", [1, 1], "FP32")
    rows.set_data_from_numpy(np.ones((1, 1), np.float32))
    port = urlsplit(named.url).port
    for host in ("127.0.0.1", "localhost"):
        with triton.InferenceServerClient(f"{host}:{port}") as stock:
            assert stock.is_server_live()
            assert stock.infer("asked", [rows]).as_numpy("outputs").shape == (1, 1)


@pytest.mark.parametrize(
    ("settings", "base", "status"),
    [
        ({}, {}, 400),
        ({}, {"base_url": "http://localhost"}, 200),
        ({"hosts": "testserver"}, {}, 200),
    ],
)
def test_the_test_client_needs_an_address_or_its_name(
    settings: dict[str, Any], base: dict[str, Any], status: int
) -> None:
    answer = TestClient(create_app(Settings(**settings)), **base).get("/openapi.json")
    assert answer.status_code == status
    assert status == 200 or "DESCENT_HOSTS" in answer.json()["detail"]


def test_a_star_takes_every_name_but_not_what_a_browser_calls_cross_site() -> None:
    http = TestClient(create_app(Settings(hosts=frozenset("*"))))
    assert http.get("/openapi.json", headers={"Host": "any.example"}).status_code == 200
    assert http.get("/openapi.json", headers={"Host": "a/b"}).status_code == 400
    assert http.put("/openapi.json", headers={"Origin": "https://any.example"}).status_code == 405
    assert http.put("/openapi.json", headers={"Origin": "null"}).status_code == 403
    assert http.put("/openapi.json", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("hosts", ["http://descent", "descent:8000", "*.example.com", "a b", "a..b", "bücher.example"])
def test_what_is_no_name_stops_the_start(hosts: str) -> None:
    with pytest.raises(ValidationError, match="is no host name"):
        Settings.model_validate({"hosts": hosts})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["1.1.1.1, 203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ["nobody"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1:80, 203.0.113.7:4711, 10.0.0.2:443"], "203.0.113.7"),
        ("10.0.0.1", ["1.1.1.1,, [2001:db8::1]:443, [::ffff:10.0.0.2]:80,"], "2001:db8::1"),
        ("10.0.0.1", ['"[2001:db8::1]:_http"', '"10.0.0.2"'], "2001:db8::1"),
        ("10.0.0.1", ["203.0.113.7, 10.0.0.2:, 10.0.0.2"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7, _hidden:443"], "10.0.0.1"),
        ("203.0.113.9:80", ["1.1.1.1:80"], "203.0.113.9:80"),
        ("203.0.113.9", ['"10.0.0.1:80"'], "203.0.113.9"),
    ],
    ids=[
        *("behind two proxies", "of IPv6", "no proxy is believed", "no address", "nothing is forwarded"),
        *("with ports", "of IPv6 with a port", "in quotes", "a port is missing", "hidden"),
        *("a stranger with a port", "a stranger that names a proxy"),
    ],
)
def test_a_client_has_the_address_that_proxies_forward(peer: str, forwarded: list[str], client: str) -> None:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    assert Proxies([ip_network("10.0.0.0/8")]).client_of({"client": (peer, 1), "headers": headers}) == client
