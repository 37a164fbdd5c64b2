"""The bytes of a CSV text in blocks of whole rows; each can be parsed by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.errors import invalid

BLOCK = 4 << 20
"""Bytes: little enough to stay in the cache between cutting and parsing, large enough for calls to cost nothing."""
QUOTE = b'"'


@dataclass(frozen=True)
class Block:
    """Whole rows, and the line of the text, from 1, at which they begin."""

    data: bytes
    line: int
    newline: bytes = b"\n"
    last: bool = False

    def __bool__(self) -> bool:
        return bool(self.data.strip(b" \r\n"))

    def after(self, start: int) -> "Block":
        """The rows that begin at byte `start`."""
        line = self.line + _lines(self.data[:start])
        return Block(self.data[start:], line, self.newline, self.last)


def blocks(pieces: Iterator[bytes]) -> Iterator[Block]:
    """Yield at least one block; the last may be empty.

    Raises:
        Invalid: a row is longer than a block.
    """
    waiting, size, line, newline = [b""], 0, 1, b""
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size < BLOCK:
            continue
        data = b"".join(waiting)
        newline = newline or newline_of(data)
        end = end_of_rows(data, newline)
        if not end:
            raise invalid("#", f"Line {line} is longer than {BLOCK:,} bytes: is this CSV?", "malformed")
        yield Block(data[:end], line, newline)
        line += _lines(data[:end], newline)
        waiting, size = [data[end:]], len(data) - end
    data = _without_end_mark(b"".join(waiting))
    yield Block(data, line, newline or newline_of(data), last=True)


def _without_end_mark(data: bytes) -> bytes:
    """Return the end of a text without the Ctrl-Z with which DOS ends one, or the zeros up to the end of its disk's
    block.
    """
    end = len(data.rstrip(b"\x1a\0\r\n"))
    return data[:end] + data[end:].translate(None, b"\x1a\0")


def beginning(pieces: Iterator[bytes], size: int) -> tuple[Iterator[bytes], bool]:
    """Return the whole rows of the first `size` bytes, or one that is longer, and whether they are all."""
    waiting, held = list[bytes](), 0
    while held <= size:
        piece = next(pieces, b"")
        if not piece:
            return iter(waiting), True
        waiting.append(piece)
        held += len(piece)
    data = b"".join(waiting)
    end = end_of_rows(data[:size], newline_of(data)) or end_of_rows(data, newline_of(data))
    return iter((data[:end] if end else data,)), False


def _lines(data: bytes, usual: bytes = b"") -> int:
    """Count the lines, which may end in several ways; in text with `usual` newlines alone, count these."""
    if usual == b"\n" and b"\r" not in data:
        return data.count(usual)
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def newline_of(data: bytes) -> bytes:
    """A line feed, or a carriage return where most lines end in one alone."""
    feeds = data.count(b"\n")
    return b"\r" if data.count(b"\r") - data.count(b"\r\n") > feeds else b"\n"


def end_of_rows(data: bytes, newline: bytes) -> int:
    """The end of the last whole row of `data`, 0 where there is none: after a newline that stands in no quotes, that is
    with an even number of quotes before it. A mark of inches may leave all numbers odd: then the last newline will do.
    """
    last = end = data.rfind(newline) + 1
    inside = data.count(QUOTE, 0, end) % 2 == 1
    while inside and end:
        opening = data.rfind(QUOTE, 0, end)
        before = data.rfind(newline, 0, opening) + 1
        inside = data.count(QUOTE, before, end) % 2 == 0
        end = before
    return end or last
