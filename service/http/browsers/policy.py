"""The rules for browsers that open an answer that is no page: they show it, as the type it has, and run nothing."""

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

_POLICY = b"content-security-policy"
_OF_ANSWERS = (
    (_POLICY, b"default-src 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def with_policy(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with those of the API, unless it is a page, which has its own policy."""
    given = list(headers)
    for name, _ in given:
        if name == _POLICY:
            return given
    given += _OF_ANSWERS
    return given
