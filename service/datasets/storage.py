"""Arrays of datasets as files: one folder a dataset, which appears whole or not at all."""

import os
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from service.database.columns import looks_like_an_id
from service.errors import NotFound
from service.learning.gram import Gram
from service.numbers import Array

HOUR = 3600.0
UNFINISHED = "."
"""Before the name of a folder that is still being written."""


@dataclass(frozen=True)
class Arrays:
    """A dataset's arrays, rows in the order train, validation, test; within a part as the data came.

    inputs (rows × inputs), targets (rows × outputs), numbers (rows): the row's number in the data as it came.
    """

    inputs: Array
    targets: Array
    numbers: Array


FILES = tuple(Arrays.__dataclass_fields__)


@dataclass(frozen=True)
class Storage:
    """The folder that holds all datasets."""

    folder: Path

    def write(self, dataset: str, arrays: Arrays, grams: Mapping[str, Gram] | None = None) -> None:
        """Keep `arrays`, and `grams` by part; once this returns, they survive a power failure."""
        unfinished = self.folder / f"{UNFINISHED}{dataset}"
        unfinished.mkdir(parents=True)
        for name in FILES:
            with (unfinished / f"{name}.npy").open("wb") as file:
                np.save(file, getattr(arrays, name), allow_pickle=False)
                _sync(file)
        for part, gram in (grams or {}).items():
            with (unfinished / f"{part}.gram").open("wb") as file:
                file.write(save(gram.arrays()))
                _sync(file)
        _sync_folder(unfinished)
        unfinished.rename(self.folder / dataset)
        _sync_folder(self.folder)

    def open(self, dataset: str) -> Arrays:
        """The arrays as read-only memory maps.

        Raises:
            NotFound: the files are gone.
        """
        try:
            maps = {name: np.load(self.folder / dataset / f"{name}.npy", mmap_mode="r") for name in FILES}
        except FileNotFoundError:
            raise NotFound(f"The arrays of dataset {dataset} are gone.", "dataset_gone") from None
        return Arrays(**maps)

    def gram(self, dataset: str, part: str) -> Gram | None:
        """The sums of squares and products of a part, where they are kept."""
        file = self.folder / dataset / f"{part}.gram"
        return Gram.from_arrays(load(file.read_bytes())) if file.exists() else None

    def delete(self, dataset: str) -> None:
        shutil.rmtree(self.folder / dataset, ignore_errors=True)

    def sweep(self, known: Collection[str]) -> None:
        """Remove datasets that are not among the `known` ids and older than an hour: a younger one may still get its
        row. What does not look like a dataset is not ours.
        """
        if not self.folder.is_dir():
            return
        for entry in self.folder.iterdir():
            id = entry.name.removeprefix(UNFINISHED)
            if looks_like_an_id(id) and entry.name not in known and time.time() - entry.stat().st_mtime > HOUR:
                shutil.rmtree(entry, ignore_errors=True)


def _sync(file: BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
