"""`Idempotency-Key`: a POST that creates may be sent again, and is answered as it was the first time."""

import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.caller import caller
from service.database.database import Database
from service.errors import Conflict, invalid
from service.http.responses import Replayed
from service.idempotency import records
from service.idempotency.records import AnswerRecord
from service.resources import resources_of

IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=200, description="send it again with the same key: it is done once"),
]


class Fingerprint:
    """A fingerprint of method, address and body, which may be added piece by piece."""

    def __init__(self, request: Request, content_type: str | None = None) -> None:
        """`content_type` takes the place of a header that differs each time it is sent."""
        kind = request.headers.get("content-type", "") if content_type is None else content_type
        text = f"{request.method} {request.url.path}?{request.url.query}\n{kind}\n"
        self._digest = hashlib.sha256(text.encode())

    def add(self, piece: bytes) -> None:
        self._digest.update(piece)

    def __str__(self) -> str:
        return self._digest.hexdigest()


def fingerprint(request: Request, body: bytes) -> str:
    """Return the fingerprint of a request whose body has been read."""
    whole = Fingerprint(request)
    whole.add(body)
    return str(whole)


class KeysInFlight:
    """The keys of requests that this process is working on."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        """Each with the owner whose it is."""
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the key; raise Conflict where another request holds it."""
        whose = caller().owner, key
        with self._lock:
            if whose in self._keys:
                raise _in_flight()
            self._keys.add(whose)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(whose)


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
        """Return the answer, kept in the transaction of `session` where there is a key.

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


async def creation(request: Request, idempotency_key: IdempotencyKey = None) -> AsyncIterator[Creation]:
    """The means by which a POST that creates is answered; raises `Replayed` where it was answered before."""
    if idempotency_key is None:
        yield Creation(None, "")
        return
    database = resources_of(request).database
    mark = await run_in_threadpool(fingerprint, request, await request.body())
    # before the key is asked for: one that waits for its job's end has committed its answer long before it lets go
    await run_in_threadpool(replay, database, idempotency_key, mark)
    with resources_of(request).keys_in_flight.hold(idempotency_key):
        await run_in_threadpool(replay, database, idempotency_key, mark)
        yield Creation(idempotency_key, mark)


CreationOf = Annotated[Creation, Depends(creation)]
