"""A service with keys of several owners, and what is in it, for attempts to come in without a right.

Ada has things that are marked, Ben has good keys of his own, and some keys were revoked or have expired.
"""

import socket
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from service.access import operations, records
from service.database.record import now
from tests.support.databases import database_in
from tests.support.keys import mint
from tests.support.serving import PATIENCE, http_client

MARK = "okapi"
"""A text in all things of Ada that are read, and in no name of them."""
DATA = {"columns": {MARK: [0, 1, 2, 3, 4, 5], "y": [0, 2, 4, 6, 8, 10]}, "targets": ["y"]}
KEYS = {
    "ada": {"scope": "train"},
    "ben": {"scope": "train"},
    "looker": {"scope": "read", "owner": "ada"},
    "meter": {"scope": "metrics", "owner": "ada"},
    "expired": {"scope": "admin", "owner": "ada", "expires_in": "1h"},
    "revoked": {"scope": "admin", "owner": "ada"},
}
GOOD = ("ada", "ben", "looker", "meter")
REPLAY = "adas-request"


@dataclass(frozen=True)
class Attempt:
    """A request, and the kind of the attempt."""

    kind: str
    method: str
    path: str
    headers: tuple[str, ...] = ()
    body: bytes = b""

    def bytes(self, host: str) -> bytes:
        length = [f"Content-Length: {len(self.body)}", "Content-Type: application/json"] if self.body else []
        head = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", "Connection: close", *length, *self.headers]
        return "\r\n".join([*head, "", ""]).encode("latin-1", "replace") + self.body


@dataclass
class House:
    """A service with keys, and what is in it."""

    url: str
    keys: dict[str, str]
    things: dict[str, str] = field(default_factory=dict)
    """Ada's, by the names of parameters of paths: ids, and under `names` the names of some."""
    cookies: dict[str, str] = field(default_factory=dict)

    @cached_property
    def address(self) -> tuple[str, int]:
        found = urlsplit(self.url)
        return str(found.hostname), int(found.port or 0)

    def send(self, attempt: Attempt) -> tuple[int, bytes]:
        """Return status and all bytes of the answer; 0 where the connection closes without one."""
        with socket.create_connection(self.address, timeout=PATIENCE) as connection:
            connection.sendall(attempt.bytes(":".join(map(str, self.address))))
            answer = connection.makefile("rb").read()
        return int(answer.split(b" ", 2)[1]) if answer else 0, answer

    def client(self, name: str) -> httpx.Client:
        http = http_client(self.url)
        http.headers["Authorization"] = f"Bearer {self.keys[name]}"
        return http

    def furnish(self) -> None:
        """Give Ada a thing of each kind."""
        with closing(self.client("ada")) as ada:

            def made(path: str, body: Any, **headers: str) -> str:
                answer = ada.post(path, json=body, headers=headers)
                assert answer.is_success, answer.text
                return str(answer.json()["id"])

            labels = {"labels": {"mark": MARK}}
            dataset = made("/api/datasets", {**DATA, **labels, "name": "secret"})
            model = made("/api/models", {"architecture": "Dense(1 => 1)", "name": "secret", **labels})
            of_both = {"model": "secret", "dataset": "secret"}
            job = made("/api/jobs", {**of_both, "epochs": 2, **labels}, Prefer="wait=60")
            recipe = {**of_both, "recipe": {"epochs": 2}}
            sweep = made("/api/sweeps", {**recipe, "vary": {"seed": {"values": [0, 1]}}, "monitor": "train_loss"})
            folds = made("/api/cross-validations", {**recipe, "folds": 2})
            evaluation = made("/api/models/secret/evaluations", {"dataset": "secret", "part": "train"})
            made("/api/models", {"architecture": "Dense(1 => 1)", **labels}, **{"Idempotency-Key": REPLAY})
        for name in ("ada", "ben"):
            with closing(http_client(self.url)) as browser:
                browser.post("/api/sign-in", json={"key": self.keys[name]}).raise_for_status()
                self.cookies[name] = browser.cookies["descent"]
        self.things = {
            "dataset": dataset,
            "model": model,
            "job": job,
            "sweep": sweep,
            "cross_validation": folds,
            "evaluation": evaluation,
            "version": "1",
            "key": "ada",
        }


def keys_in(folder: Path) -> dict[str, str]:
    """Make all keys in a data folder; return their texts."""
    keys = {name: mint(folder, name, **given) for name, given in KEYS.items()}
    with closing(database_in(folder)) as database, database.transaction() as session:
        (expired,) = records.alive(session, "expired")
        expired.expires_at = now() - timedelta(seconds=1)
        operations.revoke(session, "revoked")
    return keys


def succeeded(attempt: Attempt, status: int, answer: bytes) -> bool:
    """Whether an attempt got what it may not have; `MARK` is in no request, so that no echo has it."""
    return not (status == 0 or 400 <= status < 500) or MARK.encode() in answer
