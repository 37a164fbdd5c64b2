"""The archive of a backup: a tar file whose last member, the manifest, has the sum of every other one, and its own."""

import hashlib
import json
import os
import re
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from service.errors import DescentError
from service.storage.storage import sync

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "descent.db"
PIECE = 1 << 20
MOST_OF_MANIFEST = 256 << 20
"""Bytes of the longest manifest that is accepted."""
NAMES = re.compile(r"descent\.db|manifest\.json|datasets/ds_[0-9a-z]{26}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
"""Names that members have: none leads out of the folder that they are unpacked in."""


class BadArchive(DescentError):
    """An archive that is incomplete or damaged."""


@dataclass(frozen=True)
class File:
    """The size of a member, and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The description of an archive."""

    descent: str
    """The version of Descent that made it."""
    schema: str
    created_at: str
    counts: dict[str, int]
    """Rows of the nouns."""
    files: dict[str, File] = field(default_factory=dict)
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        known = asdict(self)
        return _json({**known, "sha256": hashlib.sha256(_json(known)).hexdigest()})

    @classmethod
    def from_bytes(cls, text: bytes) -> "Manifest":
        """Raise BadArchive where this is no manifest, or was changed."""
        try:
            known = json.loads(text)
            sum_of_itself = known.pop("sha256")
            files = {name: File(**entry) for name, entry in known["files"].items()}
            manifest = cls(**{**known, "files": files})
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BadArchive("its manifest cannot be read") from None
        if manifest.format != FORMAT:
            raise BadArchive(f"it has format {manifest.format}, and this Descent reads format {FORMAT}")
        if hashlib.sha256(_json(known)).hexdigest() != sum_of_itself:
            raise BadArchive("its manifest was changed")
        return manifest


def _json(known: dict[str, object]) -> bytes:
    return json.dumps(known, sort_keys=True, separators=(",", ":")).encode()


class Writer:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self._manifest = manifest

    def add(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            summed = _Summed(file)
            member = _member(name, os.fstat(file.fileno()).st_size)
            self._tar.addfile(member, summed)
        self._manifest.files[name] = File(member.size, summed.sha256)

    def add_manifest(self) -> None:
        text = self._manifest.to_bytes()
        member = _member(MANIFEST, len(text))
        self._tar.addfile(member, _Bytes(text))


@contextmanager
def writing(target: Path, manifest: Manifest) -> Iterator[Writer]:
    """A writer of an archive, readable for its owner alone, which has its name once the block has ended well."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                writer = Writer(tar, manifest)
                yield writer
                writer.add_manifest()
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
        sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


Keep = Callable[[str], Path | None]
"""The path to unpack a member to, given its name; None: it is only read."""


def read(path: Path, keep: Keep = lambda _: None) -> Manifest:
    """Read an archive from end to end, and return its manifest once every sum agrees.

    Raises:
        BadArchive: it is torn, was changed, or is none of ours.
        OSError: it cannot be read, or a member not be written.
    """
    found: dict[str, File] = {}
    manifest = None
    with path.open("rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    if manifest is not None or member.name in found or not _is_ours(member):
                        raise BadArchive(f"{member.name!r} has no place in it")
                    content = tar.extractfile(member)
                    assert content is not None, "a regular file has a content"
                    if member.name == MANIFEST:
                        manifest = Manifest.from_bytes(content.read(MOST_OF_MANIFEST))
                    else:
                        found[member.name] = _taken(content, keep(member.name))
                end = tar.offset
        except (tarfile.TarError, EOFError) as error:
            raise BadArchive(f"it is no whole archive of tar ({error})") from None
        whole = -(-(end + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
        if manifest is None or os.fstat(file.fileno()).st_size != whole:
            raise BadArchive("it is torn: its end is missing, or is not the one that was written")
    wrong = sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name))
    if wrong or DATABASE not in found:
        raise BadArchive(f"{', '.join(wrong[:3]) or DATABASE} is not as the manifest has it")
    return manifest


def _is_ours(member: tarfile.TarInfo) -> bool:
    return member.isreg() and NAMES.fullmatch(member.name) is not None and ".." not in member.name


def _taken(content: IO[bytes], target: Path | None) -> File:
    """Read a member to its end, into a file where there is a target."""
    digest, size = hashlib.sha256(), 0
    out = None if target is None else target.open("xb")
    try:
        while piece := content.read(PIECE):
            digest.update(piece)
            size += len(piece)
            if out is not None:
                out.write(piece)
    finally:
        if out is not None:
            out.close()
    return File(size, digest.hexdigest())


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


class _Summed:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._digest.update(piece)
        return piece

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class _Bytes(_Summed):
    """Bytes in memory, read as a file."""

    def __init__(self, text: bytes) -> None:
        from io import BytesIO

        super().__init__(BytesIO(text))
