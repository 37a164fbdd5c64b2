"""The text of a key, a prefix that scanners know, chance and a checksum; and its hash, which alone is kept."""

import hashlib
import re
import secrets
import zlib

from service.ids import ALPHABET

PREFIX = "dsc_"
LENGTH = 40
"""Letters of chance, of five bits each."""
_CHECK = 7
"""Letters of the checksum."""
_FORM = re.compile(f"{PREFIX}[{ALPHABET}]{{{LENGTH + _CHECK}}}")


def new_key() -> str:
    """Return a key that nobody has."""
    text = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return text + _checksum(text)


def is_key(text: str) -> bool:
    """Whether a text can be a key, and is not mistyped or cut off."""
    return _FORM.fullmatch(text) is not None and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def digest_of(secret: str) -> str:
    """Return the hash by which a key or a cookie is known."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (_CHECK - 1), -1, -5))
