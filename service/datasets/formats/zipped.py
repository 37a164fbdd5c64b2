"""A zip with one CSV in it, as downloads are packed."""

import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from service.datasets.formats.body import PIECE, Pieces, limited, to_file
from service.errors import Invalid, invalid
from service.http.unpacking import check_members

ZIP = b"PK\x03\x04"
NAME_FROM = 30
"""Bytes of a zip before the name of its first member."""
OF_EXCEL = "[Content_Types].xml"
OF_OPEN_DOCUMENT = "mimetype"
OF_MACS = "__MACOSX/"
SUFFIXES = (".csv", ".tsv")
"""Ends of the names of tables: of several members, the only one with such a name is the CSV."""
NO_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""Errors of Python's zipfile about bytes that are no zip, or one that is encrypted or packed in an unknown way."""


def unzipped(body: Pieces, limit: int, scratch: Path) -> Iterator[bytes]:
    """Return the text of a body, which may be the only CSV in a zip.

    Raises:
        Invalid: it is another zip.
        TooLarge: it unpacks to too much.
    """
    first = b""
    while len(first) < len(ZIP) and (piece := next(body, b"")):
        first += piece
    whole = chain((first,), body) if first else body
    return _member(to_file(whole, scratch / "body.zip"), body, limit) if first.startswith(ZIP) else whole


def begins_with_an_array(start: bytes) -> bool:
    """Whether the first member of the zip that begins so is one of npz."""
    name = start[NAME_FROM : NAME_FROM + int.from_bytes(start[26:28], "little")]
    return name.endswith(b".npy") or not name


def _member(file: Path, body: Pieces, limit: int) -> Iterator[bytes]:
    try:
        archive = zipfile.ZipFile(file)
        file.unlink()  # nameless from now on: it goes when nobody reads it
        members = list(filter(_is_of_the_sender, archive.infolist()))
        if any(each.filename == OF_EXCEL for each in members):
            raise invalid("#", "This is no CSV, but an Excel workbook: save the sheet as CSV UTF-8.", "malformed")
        if any(each.filename == OF_OPEN_DOCUMENT for each in members):
            raise invalid("#", "This is no CSV, but an OpenDocument file: save the sheet as CSV UTF-8.", "malformed")
        tables = [each for each in members if each.filename.lower().endswith(SUFFIXES)]
        if len(members) != 1 and len(tables) == 1:
            members = tables
        if len(members) != 1:
            held = ", ".join(repr(each.filename[:50]) for each in members[:10]) or "nothing"
            raise invalid(
                "#", f"This is a zip archive that holds {held}: send one CSV, as it is or packed.", "malformed"
            )
        check_members(members, body.packed)
        reading = archive.open(members[0])
    except NO_ZIP as error:
        raise _no_zip(error) from None
    return limited(_pieces(archive, reading.read), limit)


def _is_of_the_sender(member: zipfile.ZipInfo) -> bool:
    """Whether a member is neither a folder nor one of the files that systems put beside those of people."""
    return not (member.is_dir() or member.filename.startswith(OF_MACS) or Path(member.filename).name.startswith("."))


def _pieces(archive: zipfile.ZipFile, read: Callable[[int], bytes]) -> Iterator[bytes]:
    with archive:
        try:
            while piece := read(PIECE):
                yield piece
        except NO_ZIP as error:
            raise _no_zip(error) from None


def _no_zip(error: Exception) -> Invalid:
    return invalid("#", f"The body is no zip that can be read: {str(error)[:200]}.", "malformed")
