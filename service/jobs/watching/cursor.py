"""The cursor of a stream of many jobs: the epoch at which each goes on, and a digest by which we know it as ours."""

import base64
import binascii
import hashlib
from collections.abc import Iterable

from service.errors import Invalid, invalid

END = "end"
"""The id of the last event of a stream."""
PATTERN = "^[A-Za-z0-9_-]+$"
_DIGEST = 6
LAST_EPOCH = 2**31 - 1


def cursor_of(positions: dict[str, int]) -> str:
    """Return the cursor of jobs that go on at these epochs; its letters are `A-Za-z0-9_-`."""
    jobs = sorted(positions)
    epochs = b"".join(_packed(positions[job]) for job in jobs)
    return base64.urlsafe_b64encode(_digest(jobs, epochs) + epochs).rstrip(b"=").decode()


def positions_of(cursor: str | None, jobs: Iterable[str]) -> dict[str, int]:
    """Return the epochs at which the jobs go on; 0 without a cursor. Their order does not matter.

    Raises:
        Invalid: the cursor is none of ours, or of other jobs.
    """
    jobs = sorted(jobs)
    if cursor is None:
        return dict.fromkeys(jobs, 0)
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _bad() from None
    digest, epochs = packed[:_DIGEST], packed[_DIGEST:]
    # characters that decode to the same bytes are no cursor of ours either
    if digest != _digest(jobs, epochs) or base64.urlsafe_b64encode(packed).rstrip(b"=").decode() != cursor:
        raise _bad()
    numbers = _unpacked(epochs)
    if len(numbers) != len(jobs) or max(numbers) > LAST_EPOCH:
        raise _bad()
    return dict(zip(jobs, numbers, strict=True))


def _bad() -> Invalid:
    detail = "This is no id of an event of these jobs: send that of the last event seen, with the same jobs."
    return invalid("header/last-event-id", detail, "bad_event_id")


def _digest(jobs: list[str], epochs: bytes) -> bytes:
    return hashlib.blake2b("\n".join(jobs).encode() + b"\n" + epochs, digest_size=_DIGEST).digest()


def _packed(epoch: int) -> bytes:
    """Return a number as its length and its bytes."""
    content = epoch.to_bytes((epoch.bit_length() + 7) // 8)
    return bytes([len(content)]) + content


def _unpacked(epochs: bytes) -> list[int]:
    numbers, place = [], 0
    while place < len(epochs):
        end = place + 1 + epochs[place]
        numbers.append(int.from_bytes(epochs[place + 1 : end]))
        place = end
    return numbers
