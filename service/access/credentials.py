"""The holders of keys and cookies, remembered for less than half a second, so that a revoked one is soon gone."""

import asyncio
import time
from dataclasses import dataclass
from typing import NamedTuple

from service.access import records
from service.access.records import Holder
from service.database.caller import Caller
from service.database.database import Database
from service.http.key_scopes import Scope

FRESH = 0.4
"""Seconds for which the database is not asked again."""
MOST = 1024
"""Holders that are remembered."""


class Credential(NamedTuple):
    """The hash of the key or cookie that a request shows."""

    digest: str
    is_cookie: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """A holder whose credential is good until a moment of the clock."""

    caller: Caller
    scope: Scope
    until: float


class Credentials:
    """The credentials of one process's requests; it belongs to one event loop."""

    def __init__(self) -> None:
        self._admitted: dict[Credential, tuple[float, Admitted]] = {}
        self._has_keys = False
        self._looked = -FRESH

    def remembers(self, credential: Credential) -> bool:
        return credential in self._admitted

    async def find(self, database: Database, credential: Credential, *, again: bool = False) -> Admitted | None:
        """Return the holder of a credential; None where it is unknown, revoked or over. `again` asks the database.

        Raises:
            Unavailable: the database does not answer.
        """
        moment = time.monotonic()
        kept = None if again else self._admitted.get(credential)
        if kept is not None and moment - kept[0] < FRESH:
            found = kept[1]
        else:
            holder = await _ask(database, credential)
            if holder is None:
                self._admitted.pop(credential, None)
                return None
            found = _admitted(holder)
            if len(self._admitted) >= MOST:
                self._admitted.clear()
            self._admitted[credential] = moment, found
        return found if time.time() < found.until else None

    async def has_keys(self, database: Database) -> bool:
        """Whether a key was ever made: from then on one is needed.

        Raises:
            Unavailable: the database does not answer.
        """
        moment = time.monotonic()
        if not self._has_keys and moment - self._looked >= FRESH:
            if database.on_sqlite:
                self._has_keys = records.any_keys(database)
            else:
                self._has_keys = await asyncio.to_thread(records.any_keys, database)
            self._looked = moment
        return self._has_keys


async def _ask(database: Database, credential: Credential) -> Holder | None:
    digest, is_cookie = credential
    if database.on_sqlite:  # microseconds
        return records.holder(database, digest, cookie=is_cookie)
    return await asyncio.to_thread(records.holder, database, digest, cookie=is_cookie)


def _admitted(holder: Holder) -> Admitted:
    scope = Scope(holder.scope)
    caller = Caller(holder.owner, reaches_all=scope is Scope.ADMIN, key=holder.key)
    until = float("inf") if holder.expires_at is None else holder.expires_at.timestamp()
    return Admitted(caller, scope, until)
