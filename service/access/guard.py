"""The door: who may come in is decided from method, path and headers alone, outside all routing.

Nothing of a body is read before, and a refusal closes the connection.
"""

import asyncio
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access import audit
from service.access.credentials import Admitted, Credential, Credentials
from service.access.in_flight import InFlight, Requests
from service.access.keys import digest_of, is_key
from service.access.routes import RouteTable
from service.database.caller import WITHOUT_KEYS, Caller, acting_for, caller
from service.database.database import Database
from service.errors import DescentError, Forbidden, Unauthorized
from service.http.browsers import cookie
from service.http.browsers.proxies import Proxies
from service.http.key_scopes import ADMIN, METRICS, OPEN, TRAIN, contains
from service.http.key_scopes import Scope as Right
from service.http.problems import refuse
from service.http.request_context import OWNER

NOBODY = Caller("", reaches_all=False)
"""The caller of paths that are open to all; it owns nothing, and no owner has this name."""

_HOW = "Send one as `Authorization: Bearer dsc_...`; `descent keys create`, on the machine of the service, makes one."
_MISSING = Unauthorized(f"This service asks for a key. {_HOW}", "key_missing")
_UNREADABLE = Unauthorized(f"The header Authorization has no key of this service. {_HOW}", "key_malformed")
_UNKNOWN = Unauthorized(f"This key is not known here, was revoked, or has expired. {_HOW}", "key_not_good")
_OVER = Unauthorized("This browser is not signed in any more: sign in again with a key.", "not_signed_in")
_SCHEME = b"bearer "
_NO_KEY = (WITHOUT_KEYS, None)
_CHANGING = (TRAIN, ADMIN)


class Guard:
    """ASGI middleware that lets in requests with a key whose scope is wide enough, and no others.

    While no key was ever made, requests to an address of the loopback interface need none. With `asks=False`, none do.
    """

    def __init__(self, app: ASGIApp, table: RouteTable, proxies: Proxies, *, asks: bool) -> None:
        self.app = app
        self._table = table
        self._proxies = proxies
        self._asks = asks
        self._credentials = Credentials()
        self._database: Database | None = None
        self._requests: Requests[Credential | None] = Requests(self._is_good)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self._asks:
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise TypeError(f"nothing here speaks {scope['type']}")
        try:
            needed = self._table.needed(scope["method"], scope["path"])
            who, credential = await self._admit(scope, needed)
        except DescentError as error:
            await refuse(scope, receive, send, error)
            return
        OWNER.set(who.owner or None)
        with acting_for(who):
            if who is NOBODY:
                await self.app(scope, receive, send)
            else:
                await self._answer(credential, needed, scope, receive, send)

    async def _answer(
        self, credential: Credential | None, needed: Right | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application answer for as long as the request's key is valid."""
        request = InFlight(send)
        self._requests.add(credential, request)
        try:
            await self.app(scope, receive, request.send)
        except asyncio.CancelledError:
            if not request.is_ended:
                raise
            await request.close()
            if not request.status:
                await refuse(scope, receive, send, _MISSING if credential is None else _UNKNOWN)
        finally:
            self._requests.remove(credential, request)
            if credential is not None and needed in _CHANGING:
                audit.write(scope, caller(), self._proxies.client_of(scope), request.status)

    async def _admit(self, scope: Scope, needed: Right | None) -> tuple[Caller, Credential | None]:
        """Return the caller, and its key or sign-in.

        Raises:
            Unauthorized: it has shown nothing, or nothing that is good.
            Forbidden: it may not do this.
            Unavailable: the database, which has the keys, does not answer.
        """
        if needed is OPEN:
            return NOBODY, None
        resources: Any = getattr(scope["app"].state, "resources", None)
        if resources is None:  # nothing was opened, and there is nothing to protect
            return _NO_KEY
        self._database = resources.database
        credential = self._shown(scope)
        if credential is None or credential.is_cookie:  # a cookie may be that of another service on this host
            (address, *_) = scope.get("server") or ("",)
            if _is_loopback(address) and not await self._credentials.has_keys(resources.database):
                return _NO_KEY
            if credential is None:
                raise _MISSING
        found = await self._credentials.find(resources.database, credential)
        if found is None:
            raise _OVER if credential.is_cookie else _UNKNOWN
        try:
            _check_scope(found, needed)
        except Forbidden as refused:
            audit.write(scope, found.caller, self._proxies.client_of(scope), refused.status)
            raise
        return found.caller, credential

    def _shown(self, scope: Scope) -> Credential | None:
        """Return the key or cookie of a request; None where it has neither.

        Raises:
            Unauthorized: it has more than one key, or none that could be one.
        """
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        if not shown:
            return self._signed_in(scope)
        if len(shown) == 1 and shown[0][: len(_SCHEME)].lower() == _SCHEME:
            text = shown[0][len(_SCHEME) :].strip().decode("latin-1")
            credential = Credential(digest_of(text))
            if self._credentials.remembers(credential) or is_key(text):
                return credential
        raise _UNREADABLE

    def _signed_in(self, scope: Scope) -> Credential | None:
        if not any(name == b"cookie" for name, _ in scope["headers"]):
            return None
        values = cookie.values(scope, self._proxies.address_of(scope).scheme)
        if len(values) > 1:  # one of them was set by somebody else
            raise _OVER
        return Credential(digest_of(values[0]), is_cookie=True) if values else None

    async def _is_good(self, credential: Credential | None) -> bool:
        assert self._database is not None
        try:
            if credential is None:
                return not await self._credentials.has_keys(self._database)
            return await self._credentials.find(self._database, credential, again=True) is not None
        except DescentError:  # the next look is a moment away; newcomers are refused meanwhile
            return True


def _check_scope(admitted: Admitted, needed: Right | None) -> None:
    if needed is None:  # there is nothing there, which the router says to all that may look around
        if admitted.scope is METRICS:
            raise Forbidden("A key of the scope `metrics` is for /metrics alone.", "scope_too_small")
    elif not contains(admitted.scope, needed):
        detail = f"This needs a key of the scope `{needed}`, and yours has `{admitted.scope}`"
        raise Forbidden(f"{detail}: ask an admin for another one.", "scope_too_small")


@lru_cache(64)  # a machine has few addresses, and to read one takes as long as a look into the database
def _is_loopback(host: str) -> bool:
    """Whether connections to this address come from this machine alone; those to none are within a process."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return True
