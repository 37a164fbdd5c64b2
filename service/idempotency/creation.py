"""`Idempotency-Key`: a POST that creates may be sent again, and is answered as it was the first time."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from service.database.database import Database
from service.errors import Conflict, invalid
from service.idempotency import records
from service.idempotency.records import AnswerRecord


class Fingerprint:
    """Tells requests apart by method, address and body, which may be added piece by piece."""

    def __init__(self, request: Request) -> None:
        text = f"{request.method} {request.url.path}?{request.url.query}\n{request.headers.get('content-type', '')}\n"
        self._digest = hashlib.sha256(text.encode())

    def add(self, piece: bytes) -> None:
        self._digest.update(piece)

    def __str__(self) -> str:
        return self._digest.hexdigest()


def fingerprint(request: Request, body: bytes) -> str:
    """That of a request whose whole body is there."""
    whole = Fingerprint(request)
    whole.add(body)
    return str(whole)


@dataclass(eq=False)
class Replayed(Exception):
    """Not an error: the request was answered before, and this is what was said."""

    response: Response


class KeysInFlight:
    """The keys of requests that this process is working on."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Raises Conflict where another request holds it."""
        with self._lock:
            if key in self._keys:
                raise _in_flight()
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def was_used(database: Database, key: str) -> bool:
    """Whether a request with this key was answered before."""
    with database.reading() as session:
        return records.find(session, key) is not None


def replay(database: Database, key: str, mark: str) -> None:
    """Raise `Replayed` where a request with this key was answered before.

    Raises:
        Invalid: that request was another one.
    """
    with database.reading() as session:
        kept = records.find(session, key)
    if kept is None:
        return
    if kept.fingerprint != mark:
        raise invalid("header/idempotency-key", "This key was used for another request.", "key_reused")
    headers = {"Location": kept.location, "Idempotent-Replayed": "true"}
    if kept.status == 202:
        headers["Retry-After"] = "1"
    raise Replayed(Response(kept.body, kept.status, headers, "application/json"))


@dataclass(frozen=True)
class Creation:
    """A POST that creates something, with its key if it has one."""

    key: str | None
    mark: str

    def answer(self, session: Session, created: BaseModel, location: str, status: int = 201) -> Response:
        """The answer, kept in the transaction of `session` where there is a key.

        Raises:
            Conflict: another replica is working on a request with the same key.
        """
        body = created.model_dump_json().encode()
        if self.key is not None:
            record = AnswerRecord(key=self.key, fingerprint=self.mark, status=status, location=location, body=body)
            records.keep(session, record)
            try:
                session.flush()
            except IntegrityError:
                raise _in_flight() from None
        return Response(body, status, {"Location": location}, "application/json")


def _in_flight() -> Conflict:
    return Conflict("A request with this key is still being worked on.", "key_in_flight")
