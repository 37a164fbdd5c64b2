"""Scopes, the rights of keys. Each route declares the one that it needs; a route without one fails the start."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
ATTRIBUTE = "descent_scope"


class Scope(StrEnum):
    """A right; keys have one of the first four."""

    READ = "read"
    """To look, and to predict."""
    TRAIN = "train"
    """To create, change and delete, beside reading."""
    ADMIN = "admin"
    """To make keys, and to reach what others own by its id, beside all else."""
    METRICS = "metrics"
    """To read `/metrics`, and nothing else."""
    ANY = "any"
    """The right of every key."""
    OPEN = "open"
    """The right of everybody, without a key."""


READ, TRAIN, ADMIN, METRICS, ANY, OPEN = Scope

KINDS = (READ, TRAIN, ADMIN, METRICS)
"""The scopes that a key can have."""

_CONTAINS = {
    READ: {READ, ANY},
    TRAIN: {READ, TRAIN, ANY},
    ADMIN: {READ, TRAIN, ADMIN, METRICS, ANY},
    METRICS: {METRICS, ANY},
}


def contains(held: Scope, needed: Scope) -> bool:
    """Whether a key of the scope `held` may do what needs the scope `needed`."""
    return needed in _CONTAINS[held]


def needs(scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """Declare the scope that an endpoint, or an application that is mounted, needs."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, ATTRIBUTE, scope)
        return endpoint

    return declare


def scope_of(endpoint: object) -> Scope | None:
    """Return the scope that an endpoint has declared."""
    declared: Scope | None = getattr(endpoint, ATTRIBUTE, None)
    return declared
