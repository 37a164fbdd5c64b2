"""Protection from web pages that make a visitor's browser talk to this service."""

import re
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from service.environment import EVERY_HOST
from service.errors import BadRequest, DescentError, Forbidden
from service.http.browsers.cookie import is_sent
from service.http.browsers.proxies import DEFAULT_PORTS, Proxies
from service.http.problems import refuse

PROBES = ("/health/live", "/health/ready")
"""Paths for any Host: a probe may use a name that nobody set, and learns nothing else."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
"""Methods that change nothing (RFC 9110, 9.2.1). Pages elsewhere cannot read their answers: CORS is off."""
LONGEST = 300
"""Characters of a Host or an Origin: a name has at most 253."""

_AUTHORITY = r"(\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.~%-]+)?\]|[A-Za-z0-9_.-]+)(?::([0-9]{0,5}))?"
_HOST = re.compile(_AUTHORITY)
_ORIGIN = re.compile(rf"([A-Za-z][A-Za-z0-9+.-]*)://{_AUTHORITY}")


class BrowserGuard:
    """ASGI middleware against DNS rebinding and cross-site requests.

    Rebinding needs a name, so a Host is an IP literal, a name of the loopback interface, or one of `hosts` (`*`: any).
    Browsers send the origin of a request; one without such headers is from another program, and passes, unless it has
    the cookie of a browser that signed in: browsers send that for pages of other ports of the same host, too.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], proxies: Proxies) -> None:
        self.app = app
        self._proxies = proxies
        self.hosts = hosts
        self._accepts = lru_cache(256)(self._compare)  # most requests name the host that the one before named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (error := self._refusal(scope)) is not None:
            await refuse(scope, receive, send, error)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> DescentError | None:
        hosts, origins, sites, cookies = [], [], [], []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"sec-fetch-site":
                sites.append(value)
            elif name == b"cookie":
                cookies.append(value)
        if scope["path"] not in PROBES and (error := self._refusal_of_hosts(hosts, scope["http_version"])) is not None:
            return error
        signed_in = bool(cookies) and is_sent(cookies)
        if scope["method"] in SAFE_METHODS and not signed_in:
            return None
        if any(site not in (b"same-origin", b"none") for site in sites):
            return Forbidden("A web page of another site asked for this, and may change nothing here.", "cross_site")
        if signed_in:
            return self._refusal_of_cookie(scope, origins, sites)
        return next((_foreign(origin) for origin in origins if self._is_foreign(origin, hosts)), None)

    def _refusal_of_cookie(self, scope: Scope, origins: list[bytes], sites: list[bytes]) -> Forbidden | None:
        """Judge a request with our cookie: its origin is exactly the address that was asked, as a proxy tells it."""
        if not origins and not sites:
            detail = "A request with this cookie tells its origin, by Sec-Fetch-Site or Origin: browsers do so "
            return Forbidden(f"{detail}under https and on localhost. Programs send a key.", "origin_missing")
        asked = self._proxies.address_of(scope)
        for origin in origins:
            if len(origin) > LONGEST or _split(origin.decode("latin-1")) != _split(f"{asked.scheme}://{asked.host}"):
                detail = f"A web page of {_quoted(origin)} asked for this, and not one of this service. If it is one, "
                return Forbidden(f"{detail}name the proxy before it in DESCENT_PROXIES.", "foreign_origin")
        return None

    def _refusal_of_hosts(self, hosts: list[bytes], http_version: str) -> BadRequest | None:
        if hosts in ([], [b""]):
            needed = http_version == "1.1"
            return BadRequest("HTTP/1.1 needs a Host header.", "host_missing") if needed else None
        if len(hosts) > 1:
            return BadRequest("There is more than one Host header.", "malformed")
        (host,) = hosts
        if len(host) <= LONGEST and self._accepts(host):
            return None
        return BadRequest(
            f"This service does not answer to Host {_quoted(host)}: use an IP address or localhost, or add the name to "
            "DESCENT_HOSTS.",
            "foreign_host",
        )

    def _compare(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host.decode("latin-1"))
        return match is not None and (self._is_listed(match[1]) or _is_local(match[1]))

    def _is_listed(self, name: str) -> bool:
        return EVERY_HOST in self.hosts or _plain(name) in self.hosts

    def _is_foreign(self, origin: bytes, hosts: list[bytes]) -> bool:
        """Return whether an Origin is neither the Host that was asked nor a listed name; schemes are not compared,
        since a proxy may end TLS.
        """
        if len(origin) > LONGEST or (source := _ORIGIN.fullmatch(origin.decode("latin-1"))) is None:
            return True
        if self._is_listed(source[2]):
            return False
        asked = _HOST.fullmatch(hosts[0].decode("latin-1")) if hosts else None
        if asked is None:
            return True
        default = DEFAULT_PORTS.get(source[1].lower(), "")
        return (_plain(source[2]), source[3] or default) != (_plain(asked[1]), asked[2] or default)


def _split(origin: str) -> tuple[str, str, str] | None:
    """Return scheme, host and port of an origin."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return None
    scheme = match[1].lower()
    return scheme, _plain(match[2]), match[3] or DEFAULT_PORTS.get(scheme, "")


def _foreign(origin: bytes) -> Forbidden:
    detail = f"A web page of {_quoted(origin)} asked for this, and may change nothing here."
    if _ORIGIN.fullmatch(origin.decode("latin-1")) is not None:
        detail += " If it is one of yours, add its host to DESCENT_HOSTS."
    return Forbidden(detail, "foreign_origin")


def _is_local(name: str) -> bool:
    """Return whether a name is an IP literal, or by RFC 6761 one of the loopback interface."""
    plain = _plain(name)
    if plain == "localhost" or plain.endswith(".localhost"):
        return True
    try:
        ip_address(plain.strip("[]").partition("%")[0])  # a zone is the machine's own affair, and may be escaped
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _quoted(value: bytes) -> str:
    return repr(value[:100].decode("latin-1"))
