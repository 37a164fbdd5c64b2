"""Forms of several parts: fields in memory, and one file that goes to the disk as it arrives."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import Invalid, TooLarge, invalid

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # its warnings are faults of senders, who are told
FORM = "multipart/form-data"
FILE = "file"
"""The name of the part that is the file, in whatever place of the form."""
MOST_FIELDS = 5000
MOST_BYTES = 1 << 20
"""Bytes that the fields may have together."""
PIECE = 1 << 20
"""Bytes of the file that are written at once."""
SHOWN = 50


@dataclass
class Form:
    """The fields of a form in their order, and its file."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    path: Path | None = None
    """The place of the file's bytes; None where there is no file."""
    content_type: str = ""
    """That of the file."""
    size: int = 0


async def read_form(pieces: AsyncIterator[bytes], content_type: str, path: Path) -> Form:
    """Read a form to its end, and write its file to `path`. No more than a piece of it is in memory.

    Raises:
        Invalid: it is no form, breaks off, or has too many fields or a second file.
        TooLarge: its fields are too long.
    """
    parts = _Parts(_boundary(content_type), path)
    with path.open("wb") as out:
        async for piece in pieces:
            parts.feed(piece)
            if len(parts.waiting) >= PIECE:
                await to_thread.run_sync(out.write, parts.taken())
        await to_thread.run_sync(out.write, parts.taken())
    if not parts.ended:
        raise _malformed("it breaks off before its last boundary")
    return parts.form


def _boundary(content_type: str) -> bytes:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise invalid("header/content-type", f"{FORM} names the boundary between its parts: boundary=....", "malformed")
    return boundary


class _Parts:
    """The parts of a form that is parsed piece by piece."""

    def __init__(self, boundary: bytes, path: Path) -> None:
        self.form = Form()
        self.waiting = bytearray()
        """Bytes of the file that are not written yet."""
        self.ended = False
        self._path = path
        self._name = ""
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._header, self._of_header = bytearray(), bytearray()
        self._bytes = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._of_header.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._named,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _malformed(str(error)[:200]) from None

    def taken(self) -> bytes:
        """Return the bytes of the file so far, which are forgotten here."""
        taken, self.waiting = bytes(self.waiting), bytearray()
        return taken

    def _begin(self) -> None:
        self._headers, self._value = {}, bytearray()

    def _end_header(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._of_header)
        self._header, self._of_header = bytearray(), bytearray()

    def _named(self) -> None:
        options = parse_options_header(self._headers.get(b"content-disposition"))[1]
        if b"name" not in options:
            raise _malformed("a part has no name")
        self._name = options[b"name"].decode(errors="replace")
        if self._headers.get(b"content-transfer-encoding", b"binary").lower() not in (b"binary", b"8bit", b"7bit"):
            raise _malformed("a part has a transfer encoding: send its bytes as they are")
        if self._name == FILE:
            self._begin_file()
        elif options.get(b"filename"):
            name = self._name[:SHOWN]
            raise invalid(
                f"form/{name}",
                f"The field {name!r} is a file: send the table as {FILE!r}, and other fields without a filename.",
                "unknown_parameter",
            )
        elif len(self.form.fields) == MOST_FIELDS:
            raise invalid("#", f"The form has more than {MOST_FIELDS:,} fields.", "too_many_fields")

    def _begin_file(self) -> None:
        if self.form.path is not None:
            raise invalid(f"form/{FILE}", "The form has two files: send one.", "malformed")
        self.form.path = self._path
        self.form.content_type = self._headers.get(b"content-type", b"").decode(errors="replace")

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE:
            self.waiting += data[start:end]
            self.form.size += end - start
            return
        self._value += data[start:end]
        self._bytes += end - start
        if self._bytes > MOST_BYTES:
            raise TooLarge(f"The fields of the form have more than {MOST_BYTES:,} bytes together.")

    def _end_part(self) -> None:
        if self._name == FILE:
            return
        try:
            self.form.fields.append((self._name, self._value.decode()))
        except UnicodeDecodeError:
            raise invalid(f"form/{self._name[:SHOWN]}", "This field is not UTF-8.", "malformed") from None

    def _end(self) -> None:
        self.ended = True


def _malformed(what: str) -> Invalid:
    return invalid("#", f"The form cannot be read: {what}.", "malformed")
