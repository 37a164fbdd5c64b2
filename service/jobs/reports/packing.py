"""Epoch reports packed in blocks: each column is as narrow as its numbers allow, and none loses a digit.

A block begins with one code a column; the columns follow in order. Losses and norms keep all bits of their float64,
seconds are float32. A constant rate, or a column without numbers, takes 8 bytes or none in the whole block.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from service.http import json_numbers


class Report(TypedDict):
    """A report in JSON."""

    epoch: int
    train_loss: float
    validation_loss: float | None
    rate: float | None
    gradient_norm: float | None
    seconds: float


FIELDS = tuple(Report.__annotations__)
COLUMNS = FIELDS[1:]
SECONDS = COLUMNS.index("seconds")

BLOCK = 1024
"""Reports in a full block: a partial one is rewritten with each flush, some twenty kilobytes at most."""

NOTHING, CONSTANT, SINGLE, DOUBLE = range(4)
NARROW, WIDE = np.dtype("<f4"), np.dtype("<f8")

Matrix = NDArray[np.float64]


class Block(NamedTuple):
    """Reports of successive epochs from `epoch` on."""

    epoch: int
    length: int
    columns: bytes


@dataclass(frozen=True)
class Reports:
    """Reports of ascending epochs: a row each in `values`, without the epoch; NaN stands for null."""

    epochs: NDArray[np.int64]
    values: Matrix

    def __len__(self) -> int:
        return len(self.epochs)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> "Reports":
        return Reports(self.epochs[rows], self.values[rows])

    @property
    def train_losses(self) -> Matrix:
        return self.values[:, 0]

    def to_json(self) -> list[Report]:
        """Return an object for each report; numbers that are not finite are null."""
        columns = [self.epochs.tolist(), *map(_in_json, self.values.T)]
        columns[-1] = [None if seconds is None else float(f"{seconds:.7g}") for seconds in columns[-1]]
        reports = [dict(zip(FIELDS, row, strict=True)) for row in zip(*columns, strict=True)]
        return cast("list[Report]", reports)


def _in_json(column: Matrix) -> list[float | None]:
    values: list[float | None] = column.tolist()
    return values if np.isfinite(column).all() else [json_numbers.finite(value) for value in values]


def reports_of(rows: Sequence[tuple[Any, ...]]) -> Reports:
    """Return reports from rows of the fields in order."""
    plain = list(map(tuple, rows))  # NumPy asks rows of a database for an array interface, cell by cell
    table = np.array(plain, np.float64).reshape(len(rows), len(FIELDS))  # None becomes NaN; epochs are below 2⁵³
    return Reports(table[:, 0].astype(np.int64), table[:, 1:])


def joined(parts: Sequence[Reports]) -> Reports:
    """Return the reports of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return reports_of([])
    return Reports(np.concatenate([each.epochs for each in parts]), np.concatenate([each.values for each in parts]))


def pack(reports: Reports) -> Iterator[Block]:
    """Yield blocks of successive epochs, all full but the last."""
    for start in range(0, len(reports), BLOCK):
        part = reports[start : start + BLOCK]
        codes, packed = zip(*(_narrow(index, column) for index, column in enumerate(part.values.T)), strict=True)
        yield Block(int(part.epochs[0]), len(part), bytes(codes) + b"".join(packed))


def unpack(block: Block) -> Reports:
    """Return the reports of a block."""
    values = np.empty((block.length, len(COLUMNS)))
    place = len(COLUMNS)
    for index, code in enumerate(block.columns[: len(COLUMNS)]):
        kind, count = (NARROW if code == SINGLE else WIDE), _count(code, block.length)
        column = np.frombuffer(block.columns, kind, count, place) if count else np.array([np.nan])
        values[:, index] = column
        place += count * kind.itemsize
    return Reports(np.arange(block.epoch, block.epoch + block.length), values)


def _count(code: int, reports: int) -> int:
    """Return the number of values that a column of this code stores."""
    return 0 if code == NOTHING else 1 if code == CONSTANT else reports


def _narrow(index: int, column: Matrix) -> tuple[int, bytes]:
    """Return the code of the narrowest form that keeps the column, and its bytes."""
    with np.errstate(over="ignore"):
        single = column.astype(NARROW)
    if index == SECONDS:
        column = single.astype(WIDE)
    if np.isnan(column).all():
        return NOTHING, b""
    if (column == column[0]).all():
        return CONSTANT, column[:1].astype(WIDE).tobytes()
    if np.array_equal(single.astype(WIDE), column, equal_nan=True):
        return SINGLE, single.tobytes()
    return DOUBLE, column.astype(WIDE).tobytes()
