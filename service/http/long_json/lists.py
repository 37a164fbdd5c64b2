"""Long JSON lists: they stay text, and are read piece by piece, so that other threads get their turns and only a piece
at a time is there as Python objects.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import simdjson

from service.errors import invalid
from service.http.long_json.structure import BLOCK, Structure, commas
from service.http.long_json.text import malformed, parse, parse_recipe
from service.pointers import escape

LONG = BLOCK
"""Bytes of text; shorter lists are read at once."""
SHORT = 256
"""Bytes of a list within something long that is read at once all the same."""
MOST_MEMBERS = 10_000
"""Members of a long object, or of a list that is needed whole."""
MOST_LONG_DEPTH = 20
"""Long lists and objects within each other: each level is scanned once more."""
OUTLINE = 4 << 20
"""Bytes of everything in a body that is not in long lists, with `SHORT` more for each object that has such."""
LARGEST_PIECE = 1 << 20
"""Bytes of text that simdjson reads at once: it blocks other threads meanwhile."""

_NAME = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BLANK = b" \t\n\r"
_STEP = 1 << 12
"""Bytes that are searched for white space at once."""


@dataclass
class _Text:
    """A body, and the number of bytes of it that may still be read outside of long lists."""

    structure: Structure
    left: int = OUTLINE

    def parse(self, start: int, stop: int, pointer: str) -> Any:
        self.spend(stop - start, pointer)
        return parse(self.structure.body[start:stop], start)

    def spend(self, size: int, pointer: str) -> None:
        """Count the bytes read, or their cost, so that no number of small parts takes long or much memory."""
        self.left -= size
        if self.left < 0:
            detail = f"All that is in a body outside of its lists of values takes at most {OUTLINE:,} bytes."
            raise invalid(pointer, detail, "too_long")


def read(body: bytes) -> Any:
    """Return the value of a body in which each list that is long is a `LongList`.

    Raises:
        Invalid: this is not JSON, as far as it was looked at, or an object in it has too many members.
    """
    start = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    return _value(_Text(Structure(body)), start, len(body), 0, "#", LONG)


@dataclass(slots=True)
class Piece:
    """Elements of a list, which lie between two places of the body: some short ones, or a long one alone."""

    _text: _Text
    _start: int
    _stop: int
    _depth: int
    first: int
    """The index of the first of them."""
    _is_long: bool = False

    def elements(self) -> list[Any]:
        """Return the elements; a long one is a `LongList`, or an object with such lists in it."""
        if self._is_long:
            return [_value(self._text, self._start, self._stop, self._depth, "#", LONG)]
        elements: list[Any] = parse(self._as_list(), self._start - 1)
        return elements

    def numbers(self) -> "np.ndarray[Any, np.dtype[np.float64]] | None":
        """Their numbers (elements), or the numbers of lists of one length (elements × numbers); None where there is
        anything else. One that is too large is infinite.
        """
        if self._stop - self._start > LARGEST_PIECE:
            return None
        text = self._as_list()
        try:
            array, lists = rectangle(simdjson.Parser().parse(text))
        except NO_RECTANGLE:
            return None  # whatever it is: the reader of the elements finds it
        return array if text.count(b"[") == lists else None

    def _as_list(self) -> bytes:
        text = self._text.structure.body[self._start : self._stop]
        if not text.strip(_BLANK):
            raise malformed(f"a value is missing at byte {self._start}")
        return b"[%b]" % text


class LongList:
    """A list that is still text; it has at least one element."""

    def __init__(self, text: _Text, start: int, stop: int, depth: int) -> None:
        self._text = text
        self._start = start
        self._stop = stop
        self._depth = depth
        self._cuts = list(text.structure.cuts(start, stop, depth)) if stop - start > LONG else []

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        if self.size <= LONG:  # in one piece: its elements are read faster than their commas are found
            return len(next(self.pieces()).elements())
        return 1 + sum(count for _, count in self._cuts)

    @property
    def size(self) -> int:
        """Bytes of text."""
        return self._stop - self._start

    @cached_property
    def first(self) -> Any:
        """The first element."""
        return next(self.pieces()).elements()[0]

    def pieces(self) -> Iterator[Piece]:
        """The elements in order, a few at a time."""
        first, start = 0, self._start
        for cut, count in [*self._cuts, (self._stop, 1)]:
            if cut - start <= 2 * LONG:
                yield Piece(self._text, start, cut, self._depth, first)
            else:
                yield from self._short_and_long(start, cut, first)
            first, start = first + count, cut + 1

    def _short_and_long(self, start: int, stop: int, first: int) -> Iterator[Piece]:
        """Yield pieces of elements where at least one is long."""
        count = 0
        for begin, end in _split(self._text, start, stop, self._depth):
            if end - begin <= LONG:
                count += 1
                continue
            if count:
                yield Piece(self._text, start, begin - 1, self._depth, first)
            yield Piece(self._text, begin, end, self._depth, first + count, _is_long=True)
            first, start, count = first + count + 1, end + 1, 0
        if count:
            yield Piece(self._text, start, stop, self._depth, first)

    def plain(self) -> list[Any]:
        """Return the list as a part of a recipe, which has no long lists of values."""
        elements: list[Any] = parse_recipe(b"[%b]" % self._text.structure.body[self._start : self._stop])
        return elements

    def whole(self) -> list[Any]:
        """Return all elements; those of them that are objects have their own lists as `LongList`s.

        Raises:
            Invalid: there are too many.
        """
        if len(self) > MOST_MEMBERS:
            detail = f"A list that holds others has {len(self):,} elements; at most {MOST_MEMBERS:,} are read."
            raise invalid("#", detail, "too_long")
        return [
            _value(self._text, start, stop, self._depth, "#", SHORT)
            for start, stop in _split(self._text, self._start, self._stop, self._depth)
        ]


def pieces(values: list[Any] | LongList) -> Iterator[tuple[int, list[Any]]]:
    """The elements, a few at a time where they are many, behind the index of the first of them."""
    if isinstance(values, LongList):
        yield from ((piece.first, piece.elements()) for piece in values.pieces())
    else:
        yield 0, values


def first_of(values: list[Any] | LongList) -> Any:
    """Return the first element; None where there is none."""
    if isinstance(values, LongList):
        return values.first
    return values[0] if values else None


def unwrapped(values: list[Any]) -> list[Any]:
    """Take values out of the lists of one that each may be in."""
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]


NO_RECTANGLE = (ValueError, TypeError, AttributeError, LookupError, RuntimeError)
"""Errors of simdjson's and of `rectangle` at a text that is something else."""


def rectangle(shown: Any) -> "tuple[np.ndarray[Any, np.dtype[np.float64]], int]":
    """The numbers of a list of simdjson's (elements) or of lists of one length (rows × elements), and how many lists
    that are. simdjson hides how numbers are nested any deeper: the brackets of the text tell.

    Raises:
        One of `NO_RECTANGLE`: there is anything else in it.
    """
    numbers = np.frombuffer(shown.as_buffer(of_type="d"))
    rows = len(shown)
    width = numbers.size // (rows or 1)
    if width == 1 and not isinstance(shown[0], simdjson.Array):
        return numbers.reshape(rows), 1
    if not width or set(map(len, shown)) != {width}:
        raise ValueError("rows of several lengths")
    return numbers.reshape(rows, width), 1 + rows


def _value(text: _Text, start: int, stop: int, depth: int, pointer: str, long: int) -> Any:
    """The value between two places, whose commas are at `depth` + 1; lists of more than `long` bytes stay text."""
    body = text.structure.body
    start, stop = _trimmed(body, start, stop)
    opening, closing = body[start : start + 1], body[stop - 1 : stop]
    if stop - start > BLOCK and opening not in (b"[", b"{", b'"'):
        raise malformed(f"no value begins at byte {start}, or too long a one")
    if stop - start <= long or opening not in (b"[", b"{"):
        return text.parse(start, stop, pointer)
    if depth >= MOST_LONG_DEPTH:
        raise malformed(f"long lists and objects are nested more than {MOST_LONG_DEPTH} deep")
    if closing != (b"]" if opening == b"[" else b"}"):
        raise malformed(f"the bracket at byte {start} is closed by another one")
    inner = _trimmed(body, start + 1, stop - 1)
    if inner[0] >= inner[1]:
        return [] if opening == b"[" else {}
    return LongList(text, *inner, depth + 1) if opening == b"[" else _object(text, *inner, depth + 1, pointer)


def _object(text: _Text, start: int, stop: int, depth: int, pointer: str) -> dict[str, Any]:
    text.spend(SHORT, pointer)
    body = text.structure.body
    members: dict[str, Any] = {}
    for index, part in enumerate(_split(text, start, stop, depth)):
        if index == MOST_MEMBERS:
            detail = f"This object has more than {MOST_MEMBERS:,} members, the most that are read."
            raise invalid(pointer, detail, "too_long")
        begin, end = _trimmed(body, *part)
        name = _NAME.match(body, begin, min(end, begin + BLOCK))
        if name is None:
            raise malformed(f"a member has no name at byte {begin}, or too long a one")
        key: str = text.parse(*name.span(), pointer)
        colon, _ = _trimmed(body, name.end(), end)
        if body[colon : colon + 1] != b":":
            raise malformed(f"a name is followed by no colon at byte {colon}")
        members[key] = _value(text, colon + 1, end, depth, f"{pointer}/{escape(key[:100])}", SHORT)
    return members


def _split(text: _Text, start: int, stop: int, depth: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches between the commas at `depth`."""
    short = stop - start <= LONG  # only its own bytes are looked at, not all of its block
    structure = text.structure
    for comma in commas(structure.body, start, stop) if short else structure.separators(start, stop, depth):
        yield start, comma
        start = comma + 1
    yield start, stop


def _trimmed(body: bytes, start: int, stop: int) -> tuple[int, int]:
    """Return the same without white space, a few bytes at a time."""
    while start < stop and body[start] in _BLANK:
        step = body[start : min(stop, start + _STEP)]
        start += len(step) - len(step.lstrip(_BLANK))
    while start < stop and body[stop - 1] in _BLANK:
        step = body[max(start, stop - _STEP) : stop]
        stop -= len(step) - len(step.rstrip(_BLANK))
    return start, stop
