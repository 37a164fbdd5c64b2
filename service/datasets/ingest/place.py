"""The writing of a dataset's files from the spool: each row in the stretch of its part, categories as final codes."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from service.datasets.ingest.describe import SpooledColumn
from service.datasets.ingest.fill import Ingested
from service.datasets.split import Parts
from service.http.json_numbers import Array
from service.wire import PartName

Fills = Mapping[str, float]
"""The substitute for a missing value of each column: a number, or the final code of a category."""


class StretchedFile:
    """An .npy file (rows × columns, or rows) that is written in several places at once, one for each part."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any, counts: Mapping[PartName, int]) -> None:
        self._file = path.open("wb", buffering=0)
        header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)
        place, self._places = self._file.tell(), {}
        row_bytes = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
        for part, rows in counts.items():
            self._places[part] = place
            place += rows * row_bytes
        self._digests = {part: hashlib.sha256() for part in counts}

    def append(self, part: PartName, rows: Array) -> None:
        data = np.ascontiguousarray(rows).data.cast("B")
        self._digests[part].update(data)
        while data:
            written = os.pwrite(self._file.fileno(), data, self._places[part])
            self._places[part] += written
            data = data[written:]

    def close(self) -> None:
        self._file.close()

    @property
    def digests(self) -> list[str]:
        """Digests of the rows of each part."""
        return [digest.hexdigest() for digest in self._digests.values()]


def place(
    ingested: Ingested, parts: Parts, fills: Fills, folder: Path, dtype: str, check: Callable[[], None]
) -> list[str]:
    """Write inputs.npy, targets.npy and numbers.npy to `folder`; return the hashes of the rows of each part of each.

    Inputs and targets have this dtype. `check` is called between blocks, and may raise.
    """
    spool, features = ingested.spool, len(ingested.features)
    files = [
        StretchedFile(folder / "inputs.npy", (spool.rows, features), dtype, parts.counts),
        StretchedFile(folder / "targets.npy", (spool.rows, len(ingested.targets)), dtype, parts.counts),
        StretchedFile(folder / "numbers.npy", (spool.rows,), np.int64, parts.counts),
    ]
    try:
        for start in range(0, spool.rows, spool.block_rows):
            check()
            block = spool.block(start).astype(dtype, copy=False)
            stop = start + block.shape[1]
            if len(block) > features + len(ingested.targets):  # some columns are empty
                block = block[[column.place for column in (*ingested.features, *ingested.targets)]]
            _finish([*ingested.features, *ingested.targets], block, fills)
            numbers = np.arange(start, stop) if ingested.numbers is None else ingested.numbers.column(0, start, stop)
            arrays = [np.ascontiguousarray(block[:features].T), np.ascontiguousarray(block[features:].T), numbers]
            for part, rows in parts.indices(start, stop):
                for file, array in zip(files, arrays, strict=True):
                    file.append(part, array[rows])
        return [digest for file in files for digest in file.digests]
    finally:
        for file in files:
            file.close()


def _finish(columns: Sequence[SpooledColumn], block: Array, fills: Fills) -> None:
    """Put final codes and substitutes for missing values into a block (columns × rows)."""
    for column, values in zip(columns, block, strict=True):
        if not column.missing and column.codes is None:
            continue
        gone = np.isnan(values) if column.missing else None
        if gone is not None:
            values[gone] = 0
        if column.codes is not None:
            values[:] = column.codes[values.astype(np.intp)]
        if gone is not None and gone.any():
            values[gone] = fills[column.name]
