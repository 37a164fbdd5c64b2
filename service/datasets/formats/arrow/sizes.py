"""Unpacked sizes of packed Arrow messages, as their metadata declare them, before anything is unpacked.

A message's metadata is a FlatBuffer. There, a table begins with the distance back to its vtable, which has the place of
each field within the table, or 0 for a field that is not there. The fields are those of Arrow's Message.fbs.
"""

import struct
from collections.abc import Iterator
from struct import unpack_from

import pyarrow
from pyarrow import ipc

from service.errors import invalid
from service.http.unpacking import check_ratio

LARGEST_BATCH = 256 << 20
"""Bytes of a batch, unpacked. It is unpacked as a whole, and a small one may unpack to any size."""

_HEADER = 2  # of a Message
_DATA = 1  # of a DictionaryBatch: its RecordBatch
_BUFFERS, _COMPRESSION = 2, 3  # of a RecordBatch
_DICTIONARIES, _RECORDS = 2, 3  # of a Footer
_BLOCK = 24
"""Bytes of a place in a footer."""
_END_MARK = b"ARROW1"
_LENGTH = struct.Struct("<i")


def check_sizes(source: pyarrow.NativeFile, packed: int) -> None:
    """Check the batches of a stream, which came as `packed` bytes.

    Raises:
        Invalid: one of them is packed and too large.
        TooLarge: together they unpack to too much.
    """
    _check(_batches(source), packed)


def check_sizes_of_file(source: pyarrow.NativeFile, packed: int) -> None:
    """Check the batches of a file in the same way, by its footer."""
    _check(_batches_of_file(source), packed)


def _check(batches: Iterator[ipc.Message], packed: int) -> None:
    total = 0
    for message in batches:
        try:
            size = _unpacked_size(message)
        except struct.error:
            raise invalid(
                "#", "The body is no Arrow stream that can be read: a message is damaged.", "malformed"
            ) from None
        if size > LARGEST_BATCH:
            detail = f"A batch takes {size:,} bytes unpacked: pack at most {LARGEST_BATCH:,} at once, or none."
            raise invalid("#", detail, "large_batch")
        total += size
    check_ratio(packed, total)


def _batches(source: pyarrow.NativeFile) -> Iterator[ipc.Message]:
    reader = ipc.MessageReader.open_stream(source)
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        if message.type in ("record batch", "dictionary"):
            yield message


def _batches_of_file(source: pyarrow.NativeFile) -> Iterator[ipc.Message]:
    end = source.size() - len(_END_MARK)
    source.seek(max(0, end - _LENGTH.size))
    (length,) = _LENGTH.unpack(source.read(_LENGTH.size))
    if not 0 < length <= end - _LENGTH.size or source.read() != _END_MARK:
        raise pyarrow.ArrowInvalid("the footer of the file is not there")
    source.seek(end - _LENGTH.size - length)
    footer = memoryview(source.read(length))
    try:
        blocks = list(_blocks(footer))
    except struct.error:
        raise pyarrow.ArrowInvalid("the footer of the file is damaged") from None
    for offset in blocks:
        source.seek(offset)
        yield ipc.read_message(source)


def _blocks(footer: memoryview) -> Iterator[int]:
    """Yield the places of dictionaries and batches in the file."""
    root = _followed(footer, 0)
    for field in (_DICTIONARIES, _RECORDS):
        if blocks := _field(footer, root, field):
            vector = _followed(footer, blocks)
            (count,) = unpack_from("<I", footer, vector)
            yield from (unpack_from("<q", footer, vector + 4 + _BLOCK * index)[0] for index in range(count))


def _unpacked_size(message: ipc.Message) -> int:
    """Bytes of all buffers unpacked, as the first eight of each declare; 0 where they are not packed."""
    data, body = memoryview(message.metadata), memoryview(message.body)
    batch = _followed(data, _field(data, _followed(data, 0), _HEADER))
    if message.type == "dictionary":
        batch = _followed(data, _field(data, batch, _DATA))
    buffers = _field(data, batch, _BUFFERS)
    if not _field(data, batch, _COMPRESSION) or not buffers:
        return 0
    vector = _followed(data, buffers)
    (count,) = unpack_from("<I", data, vector)
    places = (unpack_from("<qq", data, vector + 4 + 16 * index) for index in range(count))
    return sum(max(0, unpack_from("<q", body, place)[0]) for place, size in places if size)


def _field(data: memoryview, table: int, field: int) -> int:
    """Return the offset of a field of the table at `table`; 0 where the field is not there."""
    vtable = table - unpack_from("<i", data, table)[0]
    place = 4 + 2 * field
    offset = unpack_from("<H", data, vtable + place)[0] if place < unpack_from("<H", data, vtable)[0] else 0
    return table + offset if offset else 0


def _followed(data: memoryview, place: int) -> int:
    """Return the target of the offset at `place`."""
    return place + int(unpack_from("<I", data, place)[0])
