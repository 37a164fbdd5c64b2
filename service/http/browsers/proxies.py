"""The address that a client used, which a proxy before this service may have changed."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from starlette.types import Scope

Network = IPv4Network | IPv6Network
DEFAULT_PORTS = {"http": "80", "https": "443"}
_PORT = r":(?:\d{1,5}|_[\w.-]+)"
_NODE = re.compile(rf"\[([\da-fA-F:.]+)\](?:{_PORT})?|([\d.]+){_PORT}", re.ASCII)
"""An address as RFC 7239 has it where a port may follow: one of IPv6 is in brackets."""


class Address(NamedTuple):
    """Scheme, and the host with its port as a Host header has them."""

    scheme: str
    host: str


class Proxies:
    """The proxies that are believed: what others forward counts for nothing."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks: Sequence[Network] = tuple(networks)
        self._is_one = lru_cache(256)(self._compare)

    def address_of(self, scope: Scope) -> Address:
        """Return the address that a request was sent to."""
        headers: dict[bytes, bytes] = {}
        if self._networks and self._is_one((scope.get("client") or ("",))[0]):
            headers = dict(scope["headers"])  # of several the last, which the nearest proxy added
        scheme = _last(headers.get(b"x-forwarded-proto", b"")).lower()
        host = _last(headers.get(b"x-forwarded-host", b""))
        if not host:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        return Address(scheme if scheme in DEFAULT_PORTS else scope["scheme"], host)

    def client_of(self, scope: Scope) -> str:
        """Return the address that a request came from: of those that believed proxies forward, the last that is none
        of a proxy's own.
        """
        client: str = (scope.get("client") or ("",))[0]
        if not self._networks or not self._is_one(client):
            return client
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        sent_on = (_without_port(each) for each in reversed(forwarded.decode("latin-1").split(",")) if each.strip())
        found = next((each for each in sent_on if not self._is_one(each)), client)
        return found if _is_address(found) else client

    def _compare(self, client: str) -> bool:
        try:
            address = ip_address(client)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _without_port(forwarded: str) -> str:
    """Return the address of a forwarded one that may have a port, quotes and brackets; all else as it is."""
    text = forwarded.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    node = _NODE.fullmatch(text)
    return (node[1] or node[2]) if node else text


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _last(value: bytes) -> str:
    return value.rpartition(b",")[2].strip().decode("latin-1")
