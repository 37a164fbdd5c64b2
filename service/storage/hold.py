"""Files of datasets that are held while they are copied, whatever is deleted meanwhile."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.ids import looks_like_an_id, new_id
from service.storage.storage import UNFINISHED, Storage

NO_LINKS = {errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}
"""Errors of file systems that make no second name for a file."""


class Hold:
    """Second names (hard links) for the files of datasets; copies, where there are none or a bucket has the files.

    Deletion takes files away one by one: a dataset is held as a whole where its row is there after `add`.
    """

    def __init__(self, storage: Storage, place: Path) -> None:
        self._storage = storage
        self._place = place

    @property
    def datasets(self) -> set[str]:
        """The ids of all that is held."""
        return {entry.name for entry in self._place.iterdir()}

    def add_all(self) -> None:
        """Hold all that there is now, where that costs nothing."""
        if not self._storage.in_a_bucket and self._storage.folder.is_dir():
            for entry in self._storage.folder.iterdir():
                if looks_like_an_id(entry.name):
                    self.add(entry.name)

    def add(self, dataset: str) -> None:
        """Hold the files of one dataset, unless they are held, or gone.

        Raises:
            OSError: a file cannot be copied.
            Unavailable: the bucket does not answer.
        """
        target = self._place / dataset
        if target.exists():
            return
        try:
            if self._storage.in_a_bucket:
                target.mkdir()
                self._storage.download(dataset, target)
            else:
                _link_files(self._storage.folder / dataset, target)
        except FileNotFoundError:
            self.drop(dataset)

    def files(self, dataset: str) -> list[Path]:
        return sorted((self._place / dataset).iterdir())

    def drop(self, dataset: str) -> None:
        shutil.rmtree(self._place / dataset, ignore_errors=True)


@contextmanager
def holding(storage: Storage, scratch: Path) -> Iterator[Hold]:
    """A hold that ends with the block, on the disk of the files; that of `scratch` for a bucket's.

    Should the process be killed, the sweep at a start removes it as a dataset that was never finished.
    """
    place = (scratch if storage.in_a_bucket else storage.folder) / f"{UNFINISHED}{new_id('ds')}"
    place.mkdir(parents=True)
    try:
        yield Hold(storage, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _link_files(folder: Path, target: Path) -> None:
    files = list(folder.iterdir())
    target.mkdir()
    for file in files:
        try:
            os.link(file, target / file.name)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            shutil.copyfile(file, target / file.name)
