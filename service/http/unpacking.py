"""Limits on unpacking: a small body must not become a large one."""

from collections.abc import Sequence
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from service.errors import TooLarge, invalid

FREE = 64 << 20
"""Bytes to which anything may unpack."""
RATIO = 200
"""Times their size to which packed bytes may unpack beyond that; tables of numbers rarely reach a tenth of it."""


def room(packed: int) -> int:
    """Return the bytes to which `packed` bytes may unpack."""
    return max(FREE, RATIO * packed)


def check_ratio(packed: int, unpacked: int) -> None:
    """Raise TooLarge where `packed` bytes unpack to more than they may."""
    if unpacked > room(packed):
        detail = (
            f"Packed bytes may unpack to {FREE:,} bytes, and beyond that to {RATIO} times their size. These go "
            "further: send them as they are, or less tightly packed."
        )
        raise TooLarge(detail, "packed_too_tightly")


def check_members(members: Sequence[ZipInfo], packed: int) -> None:
    """Check the sizes that the members of a zip of `packed` bytes declare; no more bytes of them are ever read.

    Raises:
        TooLarge: they unpack to more than they may.
        Invalid: one is neither stored nor deflated. Python unpacks others in pieces of any size.
    """
    for member in members:
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            detail = f"Member {member.filename[:100]!r} is packed in an unusual way: NumPy stores or deflates."
            raise invalid("#", detail, "malformed")
        check_ratio(member.compress_size, member.file_size)
    check_ratio(packed, sum(member.file_size for member in members))
