"""Folders of files in an S3 bucket."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.database.disk_faults import disk_fault
from service.errors import Unavailable

if TYPE_CHECKING:
    from pyarrow import fs

log = logging.getLogger(__name__)

SCHEME = "s3://"
PIECE = 8 << 20
"""Bytes that are copied at once."""


class Bucket:
    """The objects under an address such as s3://bucket/prefix?region=eu-central-1.

    The query takes the options of `pyarrow.fs.FileSystem.from_uri`, `endpoint_override` and `scheme` among them; the
    credentials are found as the tools of AWS find them, in the environment.

    Raises:
        ValueError: this is no such address.
    """

    def __init__(self, address: str) -> None:
        from pyarrow import fs  # here: workers need it only where the storage is a bucket

        if not address.startswith(SCHEME) or not urlsplit(address).netloc:
            raise ValueError(f"this is not an address such as {SCHEME}bucket/prefix")
        try:
            self._remote, self._prefix = fs.FileSystem.from_uri(address)
        except (OSError, ValueError) as error:  # pyarrow's own errors are of these kinds
            raise ValueError(f"this address cannot be used: {error}") from None
        self._local = fs.LocalFileSystem()

    def upload(self, folder: Path, name: str) -> None:
        """Copy the files of a folder to the folder `name` of the bucket."""
        with _out_of_reach():
            self._copy(str(folder), self._local, self._path(name), self._remote)

    def download(self, name: str, folder: Path) -> None:
        """Copy the files of the folder `name` to `folder`.

        Raises:
            FileNotFoundError: there are none.
        """
        with _out_of_reach():
            self._copy(self._path(name), self._remote, str(folder), self._local)

    def delete(self, name: str) -> None:
        """Delete the folder `name`; nothing where there is none."""
        from pyarrow import fs

        with _out_of_reach():
            if self._remote.get_file_info(self._path(name)).type != fs.FileType.NotFound:
                self._remote.delete_dir(self._path(name))

    def folders(self) -> dict[str, float]:
        """Return the folders of the bucket, each with the time of its newest file in seconds since 1970."""
        from pyarrow import fs

        newest: dict[str, float] = {}
        with _out_of_reach():
            found = self._remote.get_file_info(fs.FileSelector(self._prefix, allow_not_found=True, recursive=True))
        for info in found:
            if info.type == fs.FileType.File:
                name = info.path.removeprefix(self._prefix).strip("/").partition("/")[0]
                newest[name] = max(newest.get(name, 0.0), info.mtime.timestamp())
        return newest

    def _path(self, name: str) -> str:
        return f"{self._prefix.rstrip('/')}/{name}"

    def _copy(self, source: str, source_files: "fs.FileSystem", target: str, target_files: "fs.FileSystem") -> None:
        from pyarrow import fs

        if source_files.get_file_info(source).type == fs.FileType.NotFound:
            raise FileNotFoundError(source)
        # one after the other: several at once would each hold a piece in memory
        fs.copy_files(
            source,
            target,
            source_filesystem=source_files,
            destination_filesystem=target_files,
            chunk_size=PIECE,
            use_threads=False,
        )


@contextmanager
def _out_of_reach() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        fault = disk_fault(error)  # of the disk that the copy is on
        if fault is not None:
            raise fault from error
        log.warning("the bucket does not answer: %s", error)
        raise Unavailable("The storage of the datasets is out of reach: try again.", "storage_unavailable") from error
