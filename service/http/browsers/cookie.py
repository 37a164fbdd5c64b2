"""The cookie of a browser that has signed in. It holds chance alone; what it stands for is in the database."""

from collections.abc import Iterable
from datetime import timedelta

from starlette.types import Scope

LIFE = timedelta(hours=12)
_PLAIN, _SECURE = "descent", "__Host-descent"
"""Names; the second, under https, is one that no other host and no page without TLS can set."""
_NAMES = (b"descent=", b"__Host-descent=")


def is_sent(cookies: Iterable[bytes]) -> bool:
    """Whether one of these headers has our cookie, under either name."""
    return any(each.strip().startswith(_NAMES) for header in cookies for each in header.split(b";"))


def values(scope: Scope, scheme: str) -> list[str]:
    """Return the values of our cookie that a request has, sent under the name of its scheme."""
    name = _name(scheme).encode() + b"="
    parts = (each.strip() for header, text in scope["headers"] if header == b"cookie" for each in text.split(b";"))
    return [each[len(name) :].decode("latin-1") for each in parts if each.startswith(name)]


def setting(scheme: str, value: str) -> str:
    """Return the header that sets our cookie; without a value, the one that drops it."""
    life = LIFE if value else timedelta(0)
    secure = "; Secure" if scheme == "https" else ""
    return f"{_name(scheme)}={value}; Path=/; Max-Age={life.total_seconds():.0f}; HttpOnly; SameSite=Strict{secure}"


def _name(scheme: str) -> str:
    return _SECURE if scheme == "https" else _PLAIN
