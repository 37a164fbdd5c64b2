"""A body as it arrives, unpacked, piece by piece."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Protocol

from service.errors import TooLarge, invalid
from service.http.unpacking import check_ratio

PIECE = 1 << 20
STEP = 1 << 14
"""Bytes of gzip that are unpacked at a time: they become at most a thousand times as many."""
GZIP = b"\x1f\x8b"
ANY_GZIP = zlib.MAX_WBITS | 16


class Body(Protocol):
    """The source of the bytes. An error of `read`, where they end early, reaches the reader of the table."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class Pieces(Iterator[bytes]):
    """The bytes of `body`, unpacked where they begin as gzip does.

    Raises:
        TooLarge: there are more than `limit` bytes, or far more than have arrived.
        Invalid: it is no gzip after all, or breaks off.
    """

    def __init__(self, body: Body, limit: int) -> None:
        self.packed = 0
        """Bytes that have arrived so far, as they were sent."""
        self._unpacked = self._unpack(body, limit)

    def __next__(self) -> bytes:
        return next(self._unpacked)

    def check(self, unpacked: int) -> None:
        """Raise TooLarge where the bytes so far may not unpack to as many as they declare."""
        check_ratio(self.packed, unpacked)

    def _unpack(self, body: Body, limit: int) -> Iterator[bytes]:
        raw = self._counted(body)
        start = b""
        while len(start) < len(GZIP) and (piece := next(raw, b"")):
            start += piece
        whole = chain((start,), raw)
        total = 0
        for piece in limited(_gunzip(whole) if start.startswith(GZIP) else whole, limit):
            total += len(piece)
            self.check(total)
            yield piece

    def _counted(self, body: Body) -> Iterator[bytes]:
        while piece := body.read(PIECE):
            self.packed += len(piece)
            yield piece


def limited(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Yield the pieces; raise TooLarge where they have more than `limit` bytes together."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise TooLarge(f"The body is larger than {limit:,} bytes (DESCENT_MAX_UPLOAD).", "too_large")
        yield piece


def to_file(body: Iterator[bytes], file: Path) -> Path:
    """Write the pieces to `file`, for forms that are not read from front to back."""
    with file.open("wb") as out:
        out.writelines(body)
    return file


def _gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the contents of one or several members of gzip; zeros may follow them, as tapes leave."""
    member = zlib.decompressobj(ANY_GZIP)
    for piece in packed:
        for start in range(0, len(piece), STEP):
            rest = piece[start : start + STEP]
            while rest:
                if member.eof:
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    member = zlib.decompressobj(ANY_GZIP)
                try:
                    yield member.decompress(rest)
                except zlib.error as error:
                    raise invalid("#", f"The body is not gzip as it should be: {error}.", "malformed") from None
                rest = member.unused_data
    if not member.eof:
        raise invalid("#", "The gzip of the body breaks off before its end.", "malformed")
