"""Arrays of datasets as files: one folder a dataset, which appears whole or not at all, on this disk or in a bucket."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from service.database.disk_faults import disk_fault
from service.errors import NotFound, Unavailable
from service.http.json_numbers import Array
from service.ids import looks_like_an_id
from service.learning.rows.gram import Gram
from service.storage.bucket import SCHEME, Bucket

HOUR = 3600.0
UNFINISHED = "."
"""Prefix of the name of a folder that is still being written."""
CACHE_BYTES = 32 << 30
"""Bytes that copies of a bucket's datasets may take on this disk; those that were not used for longest go first."""
JUST_USED = 60.0
"""Seconds in which a copy stays whatever it takes: another process may be about to open its files."""
ATTEMPTS = 3
"""Attempts at a copy of a bucket's dataset that another process removes before its files are open."""

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Arrays:
    """A dataset's arrays, rows in the order train, validation, test, calibration; within a part in that of the upload.

    inputs (rows × feature columns), targets (rows × target columns), both with codes for categories; numbers (rows):
    the row's number in the uploaded data.
    """

    inputs: Array
    targets: Array
    numbers: Array


def arrays_in(folder: Path) -> Arrays:
    """Return the arrays in a dataset's folder as read-only memory maps. Raises FileNotFoundError where it is gone."""
    names = Arrays.__dataclass_fields__
    return Arrays(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names})


def write_gram(folder: Path, part: str, gram: Gram) -> None:
    """Keep the sums of squares and products of a part in a dataset's folder."""
    (folder / f"{part}.gram").write_bytes(save(gram.arrays()))


def read_gram(folder: Path, part: str) -> Gram | None:
    """Those sums, where they are kept. Raises FileNotFoundError where the whole folder is gone."""
    try:
        return Gram.from_arrays(load((folder / f"{part}.gram").read_bytes()))
    except FileNotFoundError:
        if folder.is_dir():
            return None
        raise


class Storage:
    """A folder, or a bucket of S3, that holds all datasets.

    `address` is a folder or s3://bucket/prefix. A bucket's datasets are copied to `cache` before use, under the
    hash of its content; any number of processes may share a cache.
    """

    def __init__(self, address: str | Path, cache: Path) -> None:
        self._bucket = Bucket(str(address)) if str(address).startswith(SCHEME) else None
        self.folder = Path(address) if self._bucket is None else cache

    @property
    def in_a_bucket(self) -> bool:
        return self._bucket is not None

    def download(self, dataset: str, folder: Path) -> None:
        """Copy a dataset's files from the bucket. Raises FileNotFoundError where it has none."""
        assert self._bucket is not None
        self._bucket.download(dataset, folder)

    def give_back(self, dataset: str, folder: Path) -> None:
        """Take the files of a dataset from a folder on the same disk, which goes; they survive a power failure then."""
        if self._bucket is not None:
            self._bucket.upload(folder, dataset)
            shutil.rmtree(folder)
            return
        for file in sorted(folder.iterdir()):
            sync(file)
        sync(folder)
        folder.rename(self.folder / dataset)
        sync(self.folder)

    def datasets(self) -> set[str]:
        """Return the ids under which there are files."""
        if self._bucket is not None:
            names = set(self._bucket.folders())
        else:
            names = {entry.name for entry in self.folder.iterdir()} if self.folder.is_dir() else set()
        return set(filter(looks_like_an_id, names))

    @contextmanager
    def writing(self, dataset: str) -> Iterator[Path]:
        """A folder for the files of a new dataset, which goes with the block unless they were kept in it.

        Raises:
            CannotWrite: the disk is full, or can only be read.
        """
        with self._made(self._unfinished(dataset)) as folder:
            yield folder

    @contextmanager
    def _made(self, folder: Path) -> Iterator[Path]:
        """Make a folder, and remove what is left of it after the block."""
        try:
            folder.mkdir(parents=True)
            yield folder
        except OSError as error:
            fault = disk_fault(error)
            if fault is None:
                raise
            raise fault from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, dataset: str, sha256: str) -> None:
        """Give a dataset's written files their name; once this returns, they survive a power failure.

        Raises:
            Unavailable: the bucket cannot be reached.
        """
        folder = self._unfinished(dataset)
        if self._bucket is not None:
            self._bucket.upload(folder, dataset)
            self._name(folder, self.folder / sha256)
            return
        self.give_back(dataset, folder)

    def open(self, dataset: str, sha256: str) -> Arrays:
        """Return the arrays as read-only memory maps.

        Raises:
            NotFound: the files are gone or damaged.
            Unavailable: they may not be read, the bucket cannot be reached, or its copy disappears as often as it is
                made.
        """
        return self._read(dataset, sha256, arrays_in)

    def gram(self, dataset: str, sha256: str, part: str) -> Gram | None:
        """Return the sums of squares and products of a part, where they are kept. Raises as `open` does."""
        return self._read(dataset, sha256, lambda folder: read_gram(folder, part))

    def delete(self, dataset: str, sha256: str | None = None) -> None:
        """Delete the files, also the copy under `sha256`. Files in a bucket that is away are swept later."""
        shutil.rmtree(self._unfinished(dataset), ignore_errors=True)
        if self._bucket is None:
            shutil.rmtree(self.folder / dataset, ignore_errors=True)
            return
        if sha256 is not None:
            self._remove(self.folder / sha256)
        with suppress(Unavailable):
            self._bucket.delete(dataset)

    def sweep(self, known: Collection[str], loading: Collection[str] = ()) -> None:
        """Remove datasets that are not among the `known` ids and older than an hour: a younger one may still get its
        row. Unfinished ones stay while they are among `loading`. Folders that do not look like datasets stay.

        Raises:
            Unavailable: the bucket cannot be reached.
        """
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            name = entry.name.removeprefix(UNFINISHED)
            stays = loading if name != entry.name else known
            is_ours = looks_like_an_id(name) or (self._bucket is not None and name != entry.name)
            if is_ours and name not in stays and time.time() - _last_change(entry) > HOUR:
                shutil.rmtree(entry, ignore_errors=True)
        if self._bucket is not None:
            for name, changed in self._bucket.folders().items():
                if looks_like_an_id(name) and name not in known and time.time() - changed > HOUR:
                    self._bucket.delete(name)

    def _unfinished(self, dataset: str) -> Path:
        return self.folder / f"{UNFINISHED}{dataset}"

    def _read(self, dataset: str, sha256: str, read: Callable[[Path], Kept]) -> Kept:
        try:
            if self._bucket is None:
                return read(self.folder / dataset)
            for _ in range(ATTEMPTS):
                copy = self._copy(self._bucket, dataset, sha256)
                try:
                    return read(copy)
                except FileNotFoundError:
                    self._remove(copy)  # where it is still there, files are missing in it
        except FileNotFoundError:
            raise NotFound(f"The arrays of dataset {dataset} are gone.", "dataset_gone") from None
        except OSError as error:
            remedy = "the user of the service has to be able to read its folder"
            detail = f"The arrays of dataset {dataset} cannot be read ({error.strerror}): {remedy}."
            raise disk_fault(error) or Unavailable(detail, "storage_unavailable") from error
        except (ValueError, EOFError, SafetensorError):
            detail = f"The arrays of dataset {dataset} are damaged: upload it anew, or restore a backup."
            raise NotFound(detail, "dataset_damaged") from None
        detail = f"The copy of dataset {dataset} is removed as often as it is made: try again."
        raise Unavailable(detail, "storage_unavailable")

    def _copy(self, bucket: Bucket, dataset: str, sha256: str) -> Path:
        """Return the folder with the copy of a dataset, made where there is none; it may be gone again at once.

        Raises:
            FileNotFoundError: the bucket has none.
            CannotWrite: the disk is full, or can only be read.
            Unavailable: it cannot be reached.
        """
        copy = self.folder / sha256
        try:
            os.utime(copy)  # it was used just now
        except FileNotFoundError:
            with self._made(self._unfinished(f"{sha256}.{uuid.uuid4().hex}")) as folder:
                bucket.download(dataset, folder)
                self._name(folder, copy)
        return copy

    def _name(self, folder: Path, copy: Path) -> None:
        """Give a finished copy its name, unless another process was faster, and make room."""
        with suppress(OSError):
            folder.rename(copy)
        copies = [entry for entry in self.folder.iterdir() if not entry.name.startswith(UNFINISHED)]
        taken = sum(map(_size, copies))
        for entry in sorted(copies, key=_last_change):
            if taken > CACHE_BYTES and time.time() - _last_change(entry) > JUST_USED:
                taken -= _size(entry)
                self._remove(entry)

    def _remove(self, copy: Path) -> None:
        """Remove a copy at once as a whole, as other processes see it: none finds a part of its files."""
        doomed = self._unfinished(f"{copy.name}.{uuid.uuid4().hex}")
        with suppress(OSError):  # another process was faster
            copy.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _last_change(folder: Path) -> float:
    """Seconds since 1970 at which a folder, or a file in it, was last changed or touched; 0 where it is gone."""
    return max((each.st_mtime for each in _states(folder)), default=0.0)


def _size(folder: Path) -> int:
    return sum(each.st_size for each in _states(folder))


def _states(folder: Path) -> Iterator[os.stat_result]:
    with suppress(FileNotFoundError):  # other processes remove folders too
        yield folder.stat()
        for file in folder.iterdir():
            yield file.stat()


def sync(path: Path) -> None:
    """Write a file, or the names in a folder, through to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
