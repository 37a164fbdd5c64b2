"""The structure of a long JSON text: found on its bytes, block by block, before anything makes Python objects of it.

A bracket counts where it stands outside of texts. Anything but JSON may pass here: the reader of the values finds it.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import invalid

BLOCK = 1 << 16
"""Bytes that are scanned together: they stay in the processor's cache, and delay other threads for moments only."""
MOST_DEPTH = 1000
"""Lists and objects within each other."""

QUOTE, COMMA, COLON, CASE = 0x22, 0x2C, 0x3A, 0x20
OPENING, CLOSING = 0x7B, 0x7D
"""Brackets of objects, and of lists too once the bit `CASE` is set."""

IN_TEXT = 1 << 20
"""The depth of characters in a text: no bracket leads there."""


class Structure:
    """Depth and texts at the start of each block, and the least depth in it, so that most blocks need no second look.

    Raises:
        Invalid: brackets or quotation marks are not in pairs, or it is nested too deeply.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._starts: list[int] = []
        self._depths: list[int] = []
        self._in_text: list[bool] = []
        self._least: list[int] = []
        start, depth, in_text = 0, 0, False
        while start < len(body):
            stop = _block_end(body, start)
            self._starts.append(start)
            self._depths.append(depth)
            self._in_text.append(in_text)
            _, depths, in_text = _edges(body, start, stop, depth, in_text)
            outside = depths[depths < IN_TEXT]
            least, most = (int(outside.min()), int(outside.max())) if outside.size else (depth, depth)
            if most > MOST_DEPTH:
                detail = f"The body is nested more than {MOST_DEPTH:,} deep."
                raise invalid("#", detail, "malformed")
            self._least.append(min(depth, least))
            start, depth = stop, int(outside[-1]) if outside.size else depth
            if least < 0:
                break
        if depth or in_text or min(self._least, default=0) < 0:
            what = "a text does not end" if in_text else "brackets are not in pairs"
            raise invalid("#", f"The body is not JSON: {what}.", "malformed")
        self._starts.append(len(body))

    def separators(self, start: int, stop: int, depth: int) -> Iterator[int]:
        """The places of the commas at `depth` between two places."""
        for commas in self._commas(start, stop, depth):
            yield from commas.tolist()

    def cuts(self, start: int, stop: int, depth: int) -> Iterator[tuple[int, int]]:
        """Yield the last of the commas at `depth`, and their number, in each block between two places that has any."""
        for commas in self._commas(start, stop, depth):
            if len(commas):
                yield int(commas[-1]), len(commas)

    def _commas(self, start: int, stop: int, depth: int) -> Iterator[NDArray[Any]]:
        for block in self._blocks(start, stop, depth):
            first, end = self._starts[block], self._starts[block + 1]
            commas = np.frombuffer(self.body, np.uint8, end - first, first) == COMMA
            edges, depths, _ = _edges(self.body, first, end, self._depths[block], self._in_text[block])
            if len(edges):
                commas &= np.repeat(depths == depth, np.diff(edges + 1, prepend=first, append=end))
            elif depths[0] != depth:
                continue
            found = np.flatnonzero(commas) + first
            yield found[(found >= start) & (found < stop)] if first < start or end > stop else found

    def _blocks(self, start: int, stop: int, depth: int) -> Iterator[int]:
        """The blocks between two places that may have commas at `depth`."""
        first = bisect_right(self._starts, start) - 1
        for block in range(first, len(self._least)):
            if self._starts[block] >= stop:
                return
            if self._least[block] <= depth:
                yield block


def commas(body: bytes, start: int, stop: int) -> list[int]:
    """The places of the commas between two places that stand in no bracket and no text which begins there. Looks at all
    that is between them at once.
    """
    edges, depths, _ = _edges(body, start, stop, 0, in_text=False)
    found = np.frombuffer(body, np.uint8, stop - start, start) == COMMA
    found &= np.repeat(depths == 0, np.diff(edges + 1, prepend=start, append=stop))
    places: list[int] = (np.flatnonzero(found) + start).tolist()
    return places


def count_values(body: bytes) -> int:
    """The commas, colons and opening brackets outside of texts: at least as many as there are values and names."""
    start, in_text, total = 0, False, 1
    while start < len(body):
        stop = _block_end(body, start)
        edges, depths, ends_in_text = _edges(body, start, stop, 0, in_text)
        piece = np.frombuffer(body, np.uint8, stop - start, start)
        counted = (piece == COMMA) | (piece == COLON) | (piece | CASE == OPENING)
        counted &= np.repeat(depths < IN_TEXT, np.diff(edges + 1, prepend=start, append=stop))
        total += int(np.count_nonzero(counted))
        start, in_text = stop, ends_in_text
    return total


def _block_end(body: bytes, start: int) -> int:
    """Return the end of a block, which never parts a backslash from the character it escapes."""
    stop = start + BLOCK
    if stop >= len(body):
        return len(body)
    block = body[start:stop]
    return stop - (len(block) - len(block.rstrip(b"\\"))) % 2


def _edges(body: bytes, start: int, stop: int, depth: int, in_text: bool) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """The places of brackets and quotation marks in a block, the depth of each segment between them, the one before
    the first included, and whether a text goes on behind the block.
    """
    block = body[start:stop]
    if b"\\" in block:  # what is escaped is neither: pairs of backslashes first
        block = block.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
    piece = np.frombuffer(block, np.uint8)
    folded = piece | CASE
    quotes = piece == QUOTE
    edges = np.flatnonzero((folded == OPENING) | (folded == CLOSING) | quotes)
    kinds = folded[edges]
    steps = (kinds == OPENING).astype(np.int32) - (kinds == CLOSING)
    depths = np.empty(len(edges) + 1, np.int32)
    depths[0] = 0
    if in_text or quotes.any():
        odd = (np.cumsum(kinds == QUOTE | CASE) + in_text) % 2 == 1  # whether a text goes on behind each edge
        np.cumsum(np.where(odd, 0, steps), out=depths[1:])
        depths += depth
        depths[1:][odd] = IN_TEXT
        if in_text:
            depths[0] = IN_TEXT
            in_text = bool(odd[-1]) if len(edges) else True
        else:
            in_text = bool(odd[-1])
    else:
        np.cumsum(steps, out=depths[1:])
        depths += depth
    return edges + start, depths, in_text
