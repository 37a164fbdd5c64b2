"""The door is locked by default: every route and mount, over a socket, by every kind of key that is not good."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from service.access import operations, records
from service.access.keys import PREFIX, is_key, new_key
from service.access.routes import RouteTable, UndeclaredScope
from service.app import create_app
from service.database.database import Database
from service.database.record import now
from service.http.key_scopes import KINDS, OPEN, Scope, contains
from service.settings import Settings
from tests.support.keys import mint
from tests.support.problems import problem
from tests.support.serving import PATIENCE, RunningService, http_client, running_service, wait_for

UNSENT = "Content-Length: 1000000"
"""The announcement of a body that is never sent: who reads it before an answer waits forever."""
NOT_GOOD = {
    "none": "",
    "no scheme": new_key(),
    "another scheme": f"Basic {new_key()}",
    "no key": "Bearer",
    "a bad checksum": f"Bearer {PREFIX}{'0' * 47}",
    "unknown": f"Bearer {new_key()}",
    "two": f"Bearer {new_key()}\r\nAuthorization: Bearer {new_key()}",
}


@dataclass
class Locked:
    """A service with keys."""

    service: RunningService
    keys: dict[str, str] = field(default_factory=dict)
    """The texts of keys, by name."""

    def ask(self, method: str, path: str, authorization: str = "", *headers: str) -> tuple[int, str]:
        """Send the head of a request that announces a body; return status and all of an answer that closes."""
        address = urlsplit(self.service.url)
        head = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}", UNSENT, *headers]
        if authorization:
            head.append(f"Authorization: {authorization}")
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=PATIENCE) as connection:
            connection.sendall("\r\n".join([*head, "", ""]).encode())
            answer = connection.makefile("rb").read().decode()  # to the end: the connection closes
        return int(answer.split(" ", 2)[1]), answer


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    folder = tmp_path_factory.mktemp("locked")
    keys: dict[str, str] = {str(kind): mint(folder, kind, scope=kind, owner="ada") for kind in KINDS}
    keys |= {name: mint(folder, name, scope="admin", expires_in="1h") for name in ("expired", "revoked")}
    database = Database(f"sqlite:///{folder / 'descent.db'}")
    with database.transaction() as session:
        (expired,) = records.alive(session, "expired")
        expired.expires_at = now() - timedelta(seconds=1)
        operations.revoke(session, "revoked")
    database.close()
    with running_service(folder) as service:
        yield Locked(service, keys)


def routes(app: FastAPI) -> Iterator[tuple[str, str, Scope]]:
    """Each method of each route and mount, with a path for it, and the scope that it needs."""
    table = RouteTable(app)
    for route in iter_route_contexts(app.router.routes):
        path = re.sub(r"\{[^}]+\}", "x", route.path or "")
        for method in sorted(route.methods or {"GET"}):
            real = path if route.methods else f"{path}/swagger-ui.css"
            needed = table.needed(method, real)
            assert needed is not None, path
            yield method, real, needed


ROUTES = list(routes(create_app(Settings())))
CLOSED = [(method, path, scope) for method, path, scope in ROUTES if scope is not OPEN]


def test_only_these_are_open_to_all() -> None:
    usual = {path for _, path, scope in ROUTES if scope is OPEN}
    assert usual == {"/", "/page/x/x", "/health/live", "/health/ready", "/api/sign-in"}
    opened = create_app(Settings(docs="open"))
    more = {path for _, path, scope in routes(opened) if scope is OPEN} - usual
    assert more == {"/docs", "/openapi.json", "/docs/assets/swagger-ui.css"}


def test_every_route_is_401_without_a_good_key_and_reads_no_body(locked: Locked) -> None:
    bad = NOT_GOOD | {name: f"Bearer {locked.keys[name]}" for name in ("expired", "revoked")}
    strangers = [("GET", "/nothing", None), ("POST", "/api/nothing", None), ("OPTIONS", "/api/models", None)]
    for kind, authorization in bad.items():
        for method, path, _ in [*CLOSED, *strangers]:
            status, answer = locked.ask(method, path, authorization)
            assert status == 401, (kind, method, path, answer)
            assert "www-authenticate: Bearer" in answer, (kind, method, path)
            assert "connection: close" in answer.lower(), (kind, method, path)


def test_a_key_of_too_small_a_scope_is_403_and_closes(locked: Locked) -> None:
    for kind in KINDS:
        for method, path, needed in CLOSED:
            if not contains(kind, needed):
                status, answer = locked.ask(method, path, f"Bearer {locked.keys[kind]}")
                assert (status, "connection: close" in answer.lower()) == (403, True), (kind, method, path)
    assert locked.ask("GET", "/nothing", f"Bearer {locked.keys['metrics']}")[0] == 403


def test_a_key_of_its_scope_passes_and_open_paths_need_none(locked: Locked) -> None:
    with http_client(locked.service.url) as http:
        assert http.get("/health/live").status_code == 200
        assert http.head("/").status_code == 200
        for kind, made in (("read", 403), ("train", 201), ("admin", 201)):
            http.headers["Authorization"] = f"bearer  {locked.keys[kind]}"
            assert http.get("/api/models").status_code == 200
            assert http.post("/api/models", json={"architecture": "Dense(1 => 1)"}).status_code == made
            assert problem(http.get("/nothing"), 404)
            assert problem(http.put("/api/models"), 405)


def test_a_route_that_declares_no_scope_fails_the_start() -> None:
    app = create_app(Settings())
    app.add_api_route("/new", lambda: None)
    with pytest.raises(UndeclaredScope, match="/new declares no scope"):
        RouteTable(app)


def test_admins_mint_keys_that_do_not_outlive_their_own(locked: Locked) -> None:
    with http_client(locked.service.url) as http:
        http.headers["Authorization"] = f"Bearer {locked.keys['admin']}"
        made = http.post("/api/keys", json={"name": "brief", "scope": "admin", "expires_in": "1d"})
        assert made.status_code == 201
        brief = made.json()
        assert brief["owner"] == "brief"
        listed = http.get("/api/keys").json()["items"][0]
        assert "key" not in listed
        assert {**listed, "key": brief["key"]} == brief
        http.headers["Authorization"] = f"Bearer {brief['key']}"
        refused = problem(http.post("/api/keys", json={"scope": "read", "expires_in": "2d"}), 422)
        assert refused["errors"][0]["pointer"] == "#/expires_in"
        heir = http.post("/api/keys", json={"scope": "read"}).json()
        assert heir["expires_at"] == brief["expires_at"]
        for given in ("1y", "0d", -1, True, "", 1e99, "90 d"):
            problem(http.post("/api/keys", json={"scope": "read", "expires_in": given}), 422)


def test_only_the_hash_of_a_key_is_kept(locked: Locked) -> None:
    for file in locked.service.folder.glob("descent.db*"):
        kept = file.read_bytes()
        assert not [name for name, key in locked.keys.items() if key.encode() in kept]


def test_streams_and_waits_end_with_their_key(locked: Locked) -> None:
    with http_client(locked.service.url) as http:
        http.headers["Authorization"] = f"Bearer {locked.keys['admin']}"
        guest = http.post("/api/keys", json={"name": "guest", "owner": "ada", "scope": "train"}).json()
        dataset = {"columns": {"x": [0, 1, 2], "y": [0, 1, 2]}, "targets": ["y"]}
        ids = [
            http.post(path, json=body, headers={"Authorization": f"Bearer {guest['key']}"}).json()["id"]
            for path, body in (("/api/datasets", dataset), ("/api/models", {"architecture": "Dense(1 => 1)"}))
        ]
        recipe = {"dataset": ids[0], "model": ids[1], "epochs": 10_000_000, "path": "batches"}
        job = http.post("/api/jobs", json=recipe, headers={"Authorization": f"Bearer {guest['key']}"}).json()["id"]
        with http_client(locked.service.url) as watching:
            watching.headers["Authorization"] = f"Bearer {guest['key']}"
            with watching.stream("GET", f"/api/jobs/{job}/events") as events:
                lines = events.iter_lines()
                assert next(lines) == "event: state"
                assert http.delete("/api/keys/guest").status_code == 204
                for _ in lines:
                    pass  # to its end, which is that of the key
        wait_for(lambda: locked.ask("GET", "/api/models", f"Bearer {guest['key']}")[0] == 401)
        assert http.post(f"/api/jobs/{job}/cancel").status_code == 200
    assert "Traceback" not in locked.service.log


def test_a_mistyped_key_is_told_by_its_checksum() -> None:
    key = new_key()
    assert is_key(key)
    for place in range(len(PREFIX), len(key)):
        other = "1" if key[place] == "0" else "0"
        assert not is_key(key[:place] + other + key[place + 1 :])
