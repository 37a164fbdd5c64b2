"""Browsers sign in with a key and keep a cookie, which serves no page but those of this service."""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from service.access import keys
from service.http.browsers.browser_guard import BrowserGuard
from service.http.browsers.proxies import Proxies
from service.settings import Settings
from tests.access.conftest import Owners
from tests.support.problems import problem
from tests.support.serving import http_client, wait_for

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(owners: Owners) -> Iterator[httpx.Client]:
    """A browser that has signed in for ada, without the headers of its own."""
    with http_client(owners.service.url) as http:
        key = owners.ada.headers["Authorization"].removeprefix("Bearer ")
        answer = http.post("/api/sign-in", json={"key": key}, headers=OURS)
        assert answer.status_code == 200
        assert (answer.json()["owner"], answer.json()["scope"]) == ("ada", "train")
        cookie = SimpleCookie(answer.headers["Set-Cookie"])["descent"]
        assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/", "Strict", "43200")
        assert cookie["httponly"]
        assert not cookie["secure"]
        assert cookie.value not in key
        yield http


def test_the_cookie_works_for_its_key_until_the_browser_signs_out(owners: Owners, browser: httpx.Client) -> None:
    assert browser.get("/api/models", headers=OURS).status_code == 200
    assert browser.post("/api/models", json={"architecture": "Dense(1 => 1)"}, headers=OURS).json()["owner"] == "ada"
    problem(browser.get("/api/keys", headers=OURS), 403)
    value = browser.cookies["descent"]
    assert browser.delete("/api/sign-in", headers=OURS).status_code == 204
    assert "descent" not in browser.cookies
    kept = {**OURS, "Cookie": f"descent={value}"}
    wait_for(lambda: browser.get("/api/models", headers=kept).status_code == 401)
    assert problem(browser.get("/api/models", headers=kept), 401)["code"] == "not_signed_in"


def test_the_cookie_ends_with_its_key(owners: Owners) -> None:
    made = owners.admin.post("/api/keys", json={"scope": "read", "name": "brief"}).json()
    with http_client(owners.service.url) as http:
        http.post("/api/sign-in", json={"key": made["key"]}).raise_for_status()
        assert http.get("/api/models", headers=OURS).status_code == 200
        owners.admin.delete(f"/api/keys/{made['id']}").raise_for_status()
        wait_for(lambda: http.get("/api/models", headers=OURS).status_code == 401)


@pytest.mark.parametrize("key", ["", "dsc_", keys.new_key(), "x" * 200], ids=["none", "prefix", "unknown", "long"])
def test_a_key_that_is_not_good_signs_nobody_in(owners: Owners, key: str) -> None:
    with http_client(owners.service.url) as http:
        answer = http.post("/api/sign-in", json={"key": key})
    assert problem(answer, 401)["code"] == "key_not_good"
    assert "Set-Cookie" not in answer.headers


def test_a_browser_under_plain_http_is_told_where_to_sign_in(owners: Owners) -> None:
    with http_client(owners.service.url) as http:
        origin = {"Origin": owners.service.url}
        answer = http.post("/api/sign-in", json={"key": "dsc_"}, headers=origin)
    assert problem(answer, 403)["code"] == "insecure_sign_in"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://HOST"}, True),
        ({"Origin": "https://HOST"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://HOST", "Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": "https://HOST", "X-Forwarded-Proto": "https"}, False),  # no proxy is believed here
    ],
)
def test_a_request_with_the_cookie_comes_from_a_page_of_this_service(
    browser: httpx.Client, headers: dict[str, str], passes: bool
) -> None:
    address = browser.base_url.netloc.decode()
    sent = {name: value.replace("HOST", address) for name, value in headers.items()}
    for method in ("GET", "HEAD", "PATCH", "DELETE"):
        answer = browser.request(method, "/api/jobs/none", headers=sent)
        assert (answer.status_code != 403) == passes, (method, answer.text)


def networks(proxies: str) -> Proxies:
    return Proxies(Settings.model_validate({"proxies": proxies}).proxies)


def asked(client: Any, *headers: tuple[bytes, bytes]) -> tuple[str, str]:
    scope = {"scheme": "http", "client": client, "headers": [(b"host", b"inside"), *headers]}
    return networks("10.0.0.0/8, fd00::1").address_of(scope)


def test_only_a_proxy_that_is_named_tells_the_address_that_was_asked() -> None:
    forwarded = (b"x-forwarded-proto", b"http, https"), (b"x-forwarded-host", b"ml.example.com")
    for client in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert asked((client, 1), *forwarded) == ("https", "ml.example.com")
    for stranger in (("11.1.2.3", 1), ("testclient", 1), None):
        assert asked(stranger, *forwarded) == ("http", "inside")
    assert asked(("10.1.2.3", 1), (b"x-forwarded-proto", b"gopher")) == ("http", "inside")
    with pytest.raises(ValueError, match="no list of addresses"):
        Settings.model_validate({"proxies": "proxy.example.com"})


def test_behind_a_proxy_with_tls_its_pages_pass_and_no_others() -> None:
    async def app(*_: object) -> None: ...

    guard = BrowserGuard(app, frozenset({"inside"}), networks("10.1.2.3"))

    def refusal(origin: bytes, *headers: tuple[bytes, bytes]) -> object:
        usual = (b"host", b"inside"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"ml.example.com")
        scope = {"type": "http", "method": "POST", "path": "/api/models", "http_version": "1.1", "scheme": "http"}
        sent = [*usual, (b"cookie", b"a=b; __Host-descent=x"), (b"origin", origin), *headers]
        return guard._refusal({**scope, "client": ("10.1.2.3", 1), "headers": sent})

    assert refusal(b"https://ml.example.com") is None
    assert refusal(b"https://ML.example.com:443", (b"sec-fetch-site", b"same-origin")) is None
    for origin in (b"http://ml.example.com", b"https://ml.example.com:8443", b"https://inside", b"https://x.example"):
        assert refusal(origin) is not None


def test_the_log_tells_who_changed_what_and_who_was_not_let(owners: Owners, browser: httpx.Client) -> None:
    made = owners.ada.post("/api/models", json={"architecture": "Dense(1 => 1)"}).json()["id"]
    owners.ada.get(f"/api/models/{made}")
    browser.delete(f"/api/models/{made}", headers=OURS)
    problem(owners.ada.post("/api/keys", json={"scope": "admin"}), 403)
    wanted = ["POST /api/models 201", f"DELETE /api/models/{made} 204", "POST /api/keys 403"]

    def told() -> list[str]:
        found = re.findall(r" key_\w+ of ada from 127\.0\.0\.1: (.*?) \[", owners.service.log)
        return found[-len(wanted) :]

    wait_for(lambda: told() == wanted, seconds=10)
