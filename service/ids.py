"""Ids: a prefix that names the kind, then a serial that sorts by time."""

from __future__ import annotations

import itertools
import re
import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u; in ASCII order, so that ids sort by age
PREFIXES = ("ds", "mdl", "job", "ev", "key", "swp", "cv")
_serial = itertools.count()


def new_id(prefix: str) -> str:
    """Return a fresh id: the prefix, 64 bits of time in nanoseconds, 20 bits that count up, 46 bits of chance.

    Ids of one process sort by age, also those of one tick of the clock.
    """
    return _id_of(prefix, time.time_ns() << 66 | next(_serial) % (1 << 20) << 46 | secrets.randbits(46))


def first_id(prefix: str, nanoseconds: int) -> str:
    """Return what no id of this time or later sorts before."""
    return _id_of(prefix, min(max(nanoseconds, 0), (1 << 64) - 1) << 66)


def _id_of(prefix: str, number: int) -> str:
    return f"{prefix}_" + "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` has the form of the ids with this prefix."""
    return re.fullmatch(f"{prefix}_[{ALPHABET}]{{26}}", text) is not None


def looks_like_an_id(text: str) -> bool:
    return any(is_id(text, prefix) for prefix in PREFIXES)
