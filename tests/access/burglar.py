"""Attempts to come in without a right, of all kinds, drawn by a seed."""

import base64
import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
from fastapi.routing import iter_route_contexts

from service.access.keys import PREFIX, new_key
from service.access.routes import RouteTable
from service.app import create_app
from service.http.key_scopes import OPEN, Scope, contains
from service.ids import ALPHABET
from service.settings import Settings
from tests.access.house import MARK, Attempt, House
from tests.examples import BODIES
from tests.support.document import document

NEEDED = {"export": "?format=npz", "effect": "?dataset=any&feature=x"}
"""What a path, by its last part, needs in its query."""


class Burglar:
    """Attempts without end, drawn by a seed."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._random = random.Random(seed)  # noqa: S311 - no secrets
        self._kinds = sorted(name.removeprefix("_by_") for name in vars(type(self)) if name.startswith("_by_"))
        table, self._routes = RouteTable(app := create_app(Settings())), list[tuple[str, str, Scope]]()
        for route in iter_route_contexts(app.router.routes):
            path = route.path or ""
            for method in sorted(route.methods or ()):
                scope = table.needed(method, path)
                assert scope is not None
                if scope is not OPEN:
                    self._routes.append((method, path, scope))
        self._of_things = [
            (method.upper(), path, BODIES.get(operation["operationId"]))
            for path, methods in document()["paths"].items()
            for method, operation in methods.items()
            if any(f"{{{name}}}" in path for name in house.things.keys() - {"version", "evaluation", "key"})
        ]

    def attempts(self) -> Iterator[Attempt]:
        while True:
            for kind in self._kinds:
                yield getattr(self, f"_by_{kind}")(kind)

    def _pick(self, *given: Any) -> Any:
        return self._random.choice(given)

    def _url(self, path: str, names: bool = False) -> str:
        things = dict(self._house.things)
        if names:
            things |= {"model": "secret", "dataset": "secret"}
        filled = path.format_map(defaultdict(lambda: "x", things)) if "{" in path and ":path" not in path else path
        return filled.replace("{path:path}", "x")

    def _anywhere(self, kind: str, *headers: str, body: bytes = b"") -> Attempt:
        method, path, _ = self._pick(*self._routes)
        url = self._url(path)
        return Attempt(kind, method, url + NEEDED.get(url.rpartition("/")[2], ""), headers, body)

    def _bearer(self, kind: str, text: str) -> Attempt:
        return self._anywhere(kind, f"Authorization: Bearer {text}")

    def _key(self) -> str:
        return self._house.keys[self._pick("ada", "looker", "ben")]

    def _by_nothing(self, kind: str) -> Attempt:
        return self._anywhere(kind)

    def _by_unknown_key(self, kind: str) -> Attempt:
        return self._bearer(kind, new_key())

    def _by_revoked_key(self, kind: str) -> Attempt:
        return self._bearer(kind, self._house.keys["revoked"])

    def _by_expired_key(self, kind: str) -> Attempt:
        return self._bearer(kind, self._house.keys["expired"])

    def _by_part_of_a_key(self, kind: str) -> Attempt:
        key = self._key()
        length = self._random.randrange(len(key))
        return self._bearer(kind, self._pick(key[:length], key[length + 1 :], key[1:], PREFIX + key[len(PREFIX) + 1 :]))

    def _by_changed_key(self, kind: str) -> Attempt:
        key = self._key()
        at = self._random.randrange(len(PREFIX), len(key))
        letter = self._pick(*(each for each in ALPHABET if each != key[at]))
        changed = key[:at] + letter + key[at + 1 :]
        longer = key + self._pick(*ALPHABET, "\x00", " x", "%00", ";", ",")
        cased = key.upper() if key.upper() != key else key.lower()
        spaced = f"{key[:at]} {key[at:]}"
        return self._bearer(kind, self._pick(changed, longer, cased, spaced, quote(key[:4]) + "%" + key[5:], key[::-1]))

    def _by_hash(self, kind: str) -> Attempt:
        digest = hashlib.sha256(self._key().encode()).hexdigest()
        return self._bearer(kind, self._pick(digest, digest.upper(), PREFIX + digest, PREFIX + digest[:47], "ada"))

    def _by_header_of_another_form(self, kind: str) -> Attempt:
        key = self._key()
        coded = base64.b64encode(f"{key}:".encode()).decode()
        other = base64.b64encode(f":{key}".encode()).decode()
        return self._anywhere(
            kind,
            self._pick(
                f"Authorization: {key}",
                f"Authorization: Basic {coded}",
                f"Authorization: Basic {other}",
                f"Authorization: Token {key}",
                f"Authorization: Bearer{key}",
                f"Authorization: Bearer={key}",
                f'Authorization: Bearer "{key}"',
                f"Authorization: Bearer {key}, Bearer {key}",
                f"Authorization: Bearer {key}\r\nAuthorization: Bearer {key}",
                f"Authorization: Bearer\r\n {key}",
                f"Authorization : Bearer {key}",
                f"Authorization_: Bearer {key}",
                f"X-API-Key: {key}",
                f"Api-Key: {key}",
                f"X-Auth-Token: {key}",
                f"Proxy-Authorization: Bearer {key}",
                f"Cookie: {key}",
                f"Cookie: key={key}",
                f"X-Authorization: Bearer {key}",
                f"Referer: http://user:{key}@localhost/",
            ),
        )

    def _by_query(self, kind: str) -> Attempt:
        attempt = self._anywhere(kind)
        sign = "&" if "?" in attempt.path else "?"
        name = self._pick("key", "api_key", "access_token", "token", "Authorization")
        return Attempt(kind, attempt.method, f"{attempt.path}{sign}{name}={self._key()}")

    def _by_body(self, kind: str) -> Attempt:
        key = self._key()
        body = self._pick({"key": key}, {"access_token": key}, {"Authorization": f"Bearer {key}"})
        return self._anywhere(kind, body=orjson.dumps(body))

    def _by_forged_cookie(self, kind: str) -> Attempt:
        good, key = self._house.cookies["ada"], self._key()
        value = self._pick(
            good[:-1], good + "x", good.swapcase(), key, hashlib.sha256(good.encode()).hexdigest(), "", f'"{good}"'
        )
        name = self._pick("descent", "__Host-descent", "Descent", "descent ")
        return self._anywhere(kind, f"Cookie: {name}={value}", "Sec-Fetch-Site: same-origin")

    def _by_cookie_of_another_form(self, kind: str) -> Attempt:
        good = self._house.cookies["ada"]
        cookie = self._pick(
            f"Cookie: __Host-descent={good}",
            f"Cookie: descent={good}; descent={good}",
            f"Cookie: descent={good}; descent=x",
            f"Cookie: xdescent={good}",
            f"Cookie: DESCENT={good}",
            f"X-Cookie: descent={good}",
            f"Authorization: Bearer {good}",
        )
        return self._anywhere(kind, cookie, "Sec-Fetch-Site: same-origin")

    def _by_cookie_from_elsewhere(self, kind: str) -> Attempt:
        where = self._pick(
            (),
            ("Sec-Fetch-Site: cross-site",),
            ("Sec-Fetch-Site: same-site",),
            ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"),
            ("Origin: null",),
            ("Origin: http://localhost",),
            (f"Origin: {self._house.url.replace('http', 'https')}",),
            (f"Origin: {self._house.url}.example.com",),
            (f"Origin: {self._house.url}", "Sec-Fetch-Site: same-site"),
            ("Origin: http://evil.example", f"X-Forwarded-Host: {self._house.url[7:]}"),
        )
        return self._anywhere(kind, f"Cookie: descent={self._house.cookies['ada']}", *where)

    def _by_crooked_path(self, kind: str) -> Attempt:
        thing = self._url(self._pick("/api/models/{model}", "/api/datasets/{dataset}/content", "/metrics", "/api/keys"))
        crooked = self._pick(
            f"/{thing}",
            f"{thing}/",
            f"{thing};a=b",
            f"{thing}%00",
            f"{thing}%20",
            f"{thing}?",
            f"/page/..{thing}",
            f"/page/..%2f..{thing}",
            f"/page/%2e%2e{thing}",
            f"/health/live/..{thing}",
            f"/health/live{thing}",
            f"/.{thing}",
            f"/api/sign-in/../..{thing}",
            thing.replace("api", "%61pi"),
            thing.replace("/", "//"),
            thing.replace("/", "%2f"),
            thing.replace("/", "\\"),
            thing.upper(),
            f"http://localhost{thing}",
            f"http://localhost/health/live{thing}",
            f"/docs/..{thing}",
            f"/docs/assets/..{thing}",
            "/docs/assets/swagger-ui.css",
            "/openapi.json",
            "/docs",
        )
        return Attempt(kind, self._pick("GET", "HEAD", "POST", "DELETE"), crooked)

    def _by_method(self, kind: str) -> Attempt:
        attempt = self._anywhere(kind)
        method = self._pick("OPTIONS", "TRACE", "get", "Get", "PROPFIND", "CONNECT", "SUBSCRIBE", "QUERY", "MOVE")
        return Attempt(kind, method, attempt.path)

    def _by_header_that_proxies_set(self, kind: str) -> Attempt:
        path = self._anywhere(kind).path
        headers = self._pick(
            ("X-Forwarded-For: 127.0.0.1",),
            ("X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1"),
            (f"X-Original-URL: {path}",),
            (f"X-Rewrite-URL: {path}",),
            (f"X-Forwarded-Uri: {path}", "X-Forwarded-Prefix: /health/live"),
            ("X-HTTP-Method-Override: GET",),
            ("X-Remote-User: ada", "Remote-User: ada"),
            ("X-Descent-Client: ada", "X-Owner: ada"),
            ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
        )
        return Attempt(kind, "GET", self._pick(path, "/api/models", "/api/keys"), headers)

    def _by_too_small_a_scope(self, kind: str) -> Attempt:
        name, held = self._pick(("looker", Scope.READ), ("meter", Scope.METRICS), ("ada", Scope.TRAIN))
        method, path, _ = self._pick(*(each for each in self._routes if not contains(held, each[2])))
        return Attempt(kind, method, self._url(path), (f"Authorization: Bearer {self._house.keys[name]}",))

    def _of_another_owner(self, kind: str, *, names: bool) -> Attempt:
        method, path, body = self._pick(*self._of_things)
        url = self._url(path, names=names)
        sent = b"" if method in ("GET", "DELETE") else orjson.dumps({} if body is None else body)
        as_ben = self._pick(
            (f"Authorization: Bearer {self._house.keys['ben']}",),
            (f"Cookie: descent={self._house.cookies['ben']}", "Sec-Fetch-Site: same-origin"),
        )
        wait = self._pick((), ("Prefer: wait=1",))
        return Attempt(kind, method, url + NEEDED.get(url.rpartition("/")[2], ""), (*as_ben, *wait), sent)

    def _by_id_of_another_owner(self, kind: str) -> Attempt:
        return self._of_another_owner(kind, names=False)

    def _by_name_of_another_owner(self, kind: str) -> Attempt:
        attempt = self._of_another_owner(kind, names=True)
        named = ("/models/secret", "/datasets/secret")
        return attempt if any(each in attempt.path for each in named) else self._by_name_of_another_owner(kind)

    def _by_reference_to_another_owners(self, kind: str) -> Attempt:
        things = self._house.things
        model, dataset = self._pick((things["model"], things["dataset"]), ("secret", "secret"))
        recipe = {"model": model, "dataset": dataset, "recipe": {"epochs": 1}}
        path, body = self._pick(
            ("/api/jobs", {"model": model, "dataset": dataset, "epochs": 1}),
            ("/api/jobs?validate_only=true", {"model": model, "dataset": dataset, "epochs": 1}),
            ("/api/models", {"from": {"model": model}}),
            ("/api/models", {"from": {"job": things["job"]}}),
            ("/api/models", {"architecture": "Dense(_ => _)", "dataset": dataset}),
            ("/api/models", {"architecture": "auto", "dataset": dataset}),
            ("/api/sweeps", {**recipe, "vary": {"seed": {"values": [0, 1]}}, "monitor": "train_loss"}),
            ("/api/sweeps?validate_only=true", {**recipe, "vary": {"seed": {"values": [0, 1]}}}),
            ("/api/cross-validations", {**recipe, "folds": 2}),
            (f"/v2/repository/models/{model}/load", {}),
            (f"/v1/models/{model}:predict", {"instances": [[1]]}),
            (f"/v2/models/{model}/infer", BODIES["v2_infer"]),
        )
        headers = (f"Authorization: Bearer {self._house.keys['ben']}",)
        return Attempt(kind, "POST", path, headers, orjson.dumps(body))

    def _by_query_for_another_owners(self, kind: str) -> Attempt:
        things = self._house.things
        path = self._pick(
            f"/api/events?job={things['job']}",
            f"/api/events?job={things['job']}&job={things['job']}&points=5",
            f"/api/models/{things['model']}/effect?dataset={things['dataset']}&feature={MARK[:2]}",
        )
        return Attempt(kind, "GET", path, (f"Authorization: Bearer {self._house.keys['ben']}",))
