"""The bytes of CSV as UTF-8, in whatever encoding they are, without lines that are none of the table."""

import codecs
import re
from collections.abc import Iterator
from itertools import chain, islice

from service.datasets.columns import LONGEST_NAME
from service.datasets.formats.csv.blocks import BLOCK
from service.datasets.table import ReadOptions
from service.errors import invalid

MARK = b"\xef\xbb\xbf"
MARKS = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Encodings by their first bytes."""
WIDE = {1: "utf-16-le", 0: "utf-16-be"}
"""Encodings without a mark, by the first of the places at which every other byte is 0."""
_UNPACK = "unpack it, or send gzip"
_WRITE = "write its table as CSV or Parquet"
_ARFF = rb"@(?i:relatio)"
PACKED = {
    rb"BZh[1-9]1AY": ("packed by bzip2", _UNPACK),
    rb"\xfd7zXZ": ("packed by xz", _UNPACK),
    rb"\x28\xb5\x2f\xfd": ("packed by Zstandard", _UNPACK),
    rb"\x04\x22\x4d\x18": ("packed by LZ4", _UNPACK),
    rb"\x5d\0\0[\x01-\x80]\0": ("packed by LZMA", _UNPACK),
    rb"\x1f\x9d": ("packed by compress", _UNPACK),
    rb"7z\xbc\xaf": ("a 7z archive", _UNPACK),
    rb"Rar!\x1a": ("a RAR archive", _UNPACK),
    rb"PK\x05\x06": ("a zip archive that holds nothing", "pack one CSV in it"),
    rb"\x89HDF": ("an HDF5 file", _WRITE),
    rb"SQLite f[^,;\t\r\n]*\0": ("a database of SQLite", _WRITE),
    rb"\x80[\x02-\x05][\x95}\]]": ("a pickle of Python", f"{_WRITE}: pickles may hold programs, and none is read"),
    rb"\$FL[23]@": ("a file of SPSS", _WRITE),
    rb"<stata_d": ("a file of Stata", _WRITE),
    rb"\0{8}": ("a file of SAS, or of no text", _WRITE),
    rb"RD[AX][23]\n|X\n\0\0\0": ("a file of R", _WRITE),
    rb"ORC[\0-\x1f]": ("an ORC file", _WRITE),
    rb"Obj\x01": ("an Avro file", _WRITE),
    rb"FEA1[\0-\x1f]": ("Feather of version 1", "write version 2, or Parquet"),
    rb"\x89PNG|\xff\xd8\xff": ("a picture", "give the table as CSV"),
    _ARFF: (
        "ARFF",
        "leave the lines up to @data out with skip=, and name the columns: header=false and columns= for each",
    ),
    rb"\xd0\xcf\x11\xe0": ("an Excel workbook", "save the sheet as CSV UTF-8"),
    rb"%PDF-": ("a PDF", "give the table as CSV"),
    rb"PAR1[\x00-\x08\x0e-\x1f]": ("Parquet", "send Content-Type: application/vnd.apache.parquet"),
    rb"ARROW1\0\0": ("an Arrow file", "send Content-Type: application/vnd.apache.arrow.file"),
    rb"\xff\xff\xff\xff": ("an Arrow stream", "send Content-Type: application/vnd.apache.arrow.stream"),
    rb"\s*+<(?:!DOCTYP|html|\?xml|table)": ("HTML or XML", "give the table as CSV"),
    rb"\s*+\[?\s*+\{\s*+\"": ("JSON", 'send {"columns": {"x": [...]}, "targets": [...]} as application/json'),
    rb"\x93NUMPY": ("an array of NumPy", "send Content-Type: application/x-npy"),
}
"""Forms of bodies by their first bytes, and the remedies. A first name in CSV may begin with the same letters, and a
body with many blanks: runs of them are matched whole.
"""
FIRST = 8
"""Bytes that tell all these."""
NO_TEXT = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
"""Python's codecs of texts that are no encodings of files; some of them take quadratic time."""


def text_of(pieces: Iterator[bytes], options: ReadOptions) -> Iterator[bytes]:
    """Return the text in UTF-8, without a mark; skipped lines and comments are empty lines, so that others keep their
    numbers.

    Raises:
        Invalid: it is packed, or not in its encoding, or there is no such encoding.
    """
    first = b""
    while len(first) < FIRST and (piece := next(pieces, b"")):
        first += piece
    starts_aside = options.skip or (options.comment is not None and first.startswith(options.comment.encode()))
    for start, (what, remedy) in PACKED.items():
        if re.match(start, first) and not (start == _ARFF and starts_aside):
            raise invalid("#", f"This is no CSV, but {what}: {remedy}.", "malformed")
    encoding = _encoding(options.encoding) or next((MARKS[mark] for mark in MARKS if first.startswith(mark)), None)
    if encoding is None and (guessed := next((name for zeros, name in WIDE.items() if _has(first, zeros)), None)):
        detail = f"The text seems to be UTF-16 without its mark: encoding={guessed} reads it."
        raise invalid("query/encoding", detail, "malformed")
    if encoding is None and not options.skip and b"\0" in re.split(rb"[\r\n]", first, maxsplit=1)[0][:LONGEST_NAME]:
        detail = (
            f"This is no CSV: its first line holds a byte that is 0, as no text does. If it holds a table, {_WRITE}."
        )
        raise invalid("#", detail, "malformed")
    whole = chain((first,), pieces) if first else pieces
    text = _without_mark(whole if encoding is None else _decoded(whole, encoding))
    if options.skip:
        text = _skipped(text, options.skip)
    return _uncommented(text, options.comment.encode()) if options.comment else text


def _has(first: bytes, zeros: int) -> bool:
    """Whether there is a zero at every other byte from `zeros` on, and none between."""
    return len(first) >= FIRST and not any(first[zeros::2]) and all(first[1 - zeros :: 2])


def _encoding(name: str | None) -> str | None:
    """Return the encoding's name in Python; None of UTF-8."""
    if name is None:
        return None
    try:
        found = codecs.lookup(name)
        "".encode(name)  # codecs of bytes alone refuse texts
    except (LookupError, ValueError, TypeError):
        found = None
    if found is None or found.name.replace("-", "_") in NO_TEXT:
        known = "utf-8, utf-16, latin-1, cp1252, cp949 or shift_jis"
        raise invalid("query/encoding", f"There is no encoding {name[:50]!r}: it may be {known}.") from None
    return None if found.name in ("utf-8", "ascii", "utf-8-sig") else found.name


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise invalid("query/encoding", f"The text is not {encoding}: {str(error)[:100]}.", "malformed") from None


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = b""
    while len(first) < len(MARK) and (piece := next(pieces, b"")):
        first += piece
    return chain((first.removeprefix(MARK),), pieces)


def _skipped(pieces: Iterator[bytes], lines: int) -> Iterator[bytes]:
    waiting = b""
    for piece in pieces:
        waiting += piece
        ends = list(islice(re.finditer(rb"\r\n|\n|\r(?!\Z)", waiting), lines))  # at the end it may be half of one
        if len(ends) == lines:
            yield b"".join(end[0] for end in ends)
            yield waiting[ends[-1].end() :]
            break
        if len(waiting) > BLOCK:
            raise invalid("query/skip", f"The first {lines} lines are longer than {BLOCK:,} bytes.", "malformed")
    yield from pieces


def _uncommented(pieces: Iterator[bytes], prefix: bytes) -> Iterator[bytes]:
    comment = re.compile(rb"(?:(?<=[\r\n])|\A)%s[^\r\n]*" % re.escape(prefix))
    rest = b""
    for piece in pieces:
        data = rest + piece
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        rest = data[end:]
        if len(rest) > BLOCK:
            raise invalid("#", f"A line is longer than {BLOCK:,} bytes: is this CSV?", "malformed")
        yield comment.sub(b"", data[:end])
    yield comment.sub(b"", rest)
