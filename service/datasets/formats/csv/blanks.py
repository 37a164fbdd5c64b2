"""Blanks around the values of CSV: they are no part of a value that stands in no quotes."""

import re
from functools import cache

import numpy as np

from service.datasets.formats.csv.blocks import QUOTE

BLANK, TAB = b" ", b"\t"


def stripped(data: bytes, delimiter: str) -> bytes:
    """Return whole rows without the blanks around their values; the same bytes where there are none."""
    if delimiter == " " or not (BLANK in data or (delimiter != "\t" and TAB in data)):
        return data
    text = np.frombuffer(data, np.uint8)
    blanks = text == ord(BLANK)
    if delimiter != "\t" and TAB in data:
        blanks |= text == ord(TAB)
    places = np.flatnonzero(blanks)
    is_edge = np.zeros(256, bool)
    is_edge[[*b"\r\n", ord(delimiter)]] = True
    at_edge = is_edge[text[places - 1]] | is_edge[text[np.minimum(places + 1, len(text) - 1)]]
    at_edge |= (places == 0) | (places == len(text) - 1)
    if not at_edge.any():
        return data
    if QUOTE in data:
        quotes = np.flatnonzero(text == ord(QUOTE))
        if (np.searchsorted(quotes, places[at_edge]) % 2 == 1).all():
            return data  # all of them stand in quotes
        return _around_values(delimiter).sub(lambda found: found[0].strip(b" \t"), data)
    runs = np.cumsum(np.diff(places, prepend=-2) != 1) - 1
    goes = np.zeros(runs[-1] + 1, bool)
    goes[runs[at_edge]] = True
    kept = np.ones(len(text), bool)
    kept[places[goes[runs]]] = False
    return text[kept].tobytes()


def without_quoted_blanks(data: bytes, delimiter: str) -> bytes:
    """Return whole rows with nothing in place of blanks in quotes that are a whole value: they are missing, too."""
    if not (BLANK in data or TAB in data):  # one byte is found far sooner than two, of which one is common
        return data
    if not (b'" ' in data or b'"\t' in data):
        return data
    return _quoted_blanks(delimiter).sub(b"", data)


@cache
def _quoted_blanks(delimiter: str) -> re.Pattern[bytes]:
    edge = rb"[%s\r\n]" % re.escape(delimiter).encode()
    return re.compile(rb'(?:(?<=%s)|\A)"[ \t]++"(?=%s|\Z)' % (edge, edge))


@cache
def _around_values(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a value in quotes with blanks around it, and of blanks at either end of another."""
    blank = rb" " if delimiter == "\t" else rb"[ \t]"
    edge = rb"[%s\r\n]" % re.escape(delimiter).encode()
    begin, end = rb"(?:(?<=%s)|\A)" % edge, rb"(?=%s|\Z)" % edge
    quoted = rb'%s%s*"(?:[^"]++|"")*+"%s*%s' % (begin, blank, blank, end)
    # no run is looked at twice: blanks within a text may be many
    return re.compile(rb"%s|%s%s++|(?<!%s)%s++%s" % (quoted, begin, blank, blank, blank, end))


_RUN = re.compile(rb"[ \t]+")
_AT_EDGE = re.compile(rb"(?<=[\r\n])\t|\t(?=[\r\n])|\A\t|\t\Z")
_IN_QUOTES = re.compile(rb'"(?:[^"]++|"")*+"|[ \t]+')


def divided(data: bytes) -> bytes:
    """Return whole rows with a tab in place of each run of blanks between values, and none around a row."""
    if QUOTE in data:
        tabs = _IN_QUOTES.sub(lambda found: found[0] if found[0].startswith(QUOTE) else TAB, data)
    else:
        tabs = _RUN.sub(TAB, data)
    return _AT_EDGE.sub(b"", tabs)
