"""The split of rows into those that train, validate, test and calibrate."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from service.datasets.schemas import First, Fraction, Last, PartSpec, Split
from service.errors import Invalid, invalid
from service.wire import PartName

Indices = NDArray[np.int64]
Codes = NDArray[np.uint8]
Classes = Callable[[int, int], NDArray[np.intp]]
"""The class, from 0, of each of the rows start to stop."""

PARTS: tuple[PartName, ...] = ("train", "validation", "test", "calibration")
TRAIN = 0
BLOCK = 1 << 16
"""Rows among which a draw is made at once. Fixed, so that the parts depend on seed and number of rows alone."""


class Parts(AbstractContextManager["Parts"]):
    """The part of each row, as its place in `PARTS`: a byte a row, in a nameless scratch file."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._counts = np.zeros(len(PARTS), np.int64)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def counts(self) -> dict[PartName, int]:
        """Rows of each part; calibration is left out where it has none."""
        counts = zip(PARTS, self._counts.tolist(), strict=True)
        return {part: count for part, count in counts if count or part != "calibration"}

    @property
    def rows(self) -> int:
        return int(self._counts.sum())

    def clear(self) -> None:
        """Forget all rows, before any is read."""
        self._file.seek(0)
        self._file.truncate()
        self._counts[:] = 0

    def append(self, codes: Codes) -> None:
        self._file.write(codes.data)
        self._counts += np.bincount(codes, minlength=len(PARTS))

    def of(self, start: int, stop: int) -> Codes:
        """The parts of rows start to stop. Any number of threads may ask, once all rows are there."""
        return np.frombuffer(os.pread(self._file.fileno(), stop - start, start), np.uint8)

    def indices(self, start: int, stop: int) -> Iterator[tuple[PartName, "Indices | slice"]]:
        """Yield the rows start to stop of each part that has any, counted from `start`."""
        if self._counts[TRAIN] == self.rows:
            yield "train", slice(None)
            return
        codes = self.of(start, stop)
        for code, part in enumerate(PARTS):
            chosen = np.flatnonzero(codes == code)
            if len(chosen) == len(codes):
                yield part, slice(None)
            elif len(chosen):
                yield part, chosen

    def flush(self) -> None:
        """Let the rows be read, once all are there."""
        self._file.flush()

    def check(self) -> None:
        """Check that there are rows to train on, once all rows are there.

        Raises:
            Invalid: there is nothing to train on.
        """
        self.flush()
        if not self._counts[TRAIN]:
            raise invalid("#/split", f"No row of {self.rows} is left to train on.", "nothing_to_train_on")


class Draw:
    """A draw of `count` of `left` rows that come in blocks; every choice is as likely as any other.

    The number from each block is hypergeometric, the choice among its rows uniform.
    """

    def __init__(self, random: np.random.Generator, count: int, left: int) -> None:
        self._random = random
        self._count = count
        self._left = left

    def among(self, rows: Indices) -> Indices:
        """Draw among the next rows."""
        if not self._count or not len(rows):
            return rows[:0]
        count = int(self._random.hypergeometric(self._count, self._left - self._count, len(rows)))
        self._count -= count
        self._left -= len(rows)
        return rows[self._random.choice(len(rows), count, replace=False, shuffle=False)]


@dataclass(frozen=True)
class Cut:
    """The rows start to stop, which go to one part."""

    part: PartName
    start: int
    stop: int


def assign(parts: Parts, rows: int, split: Split, classes: Classes | None = None) -> None:
    """Assign a part to each of `rows` rows.

    `first` and `last` are cut off; then each `fraction`, a share of all rows (halves round up), is drawn from what is
    left by the seed; the remainder trains. With `classes`, each class adds its share: rounded down, and the rows that
    this leaves go to the classes with the largest remainders.

    Raises:
        Invalid: parts overlap, or no row is left to train on.
    """
    cuts = _cuts(rows, split.kept)
    left = _sizes(rows, cuts, classes)
    random = np.random.default_rng(split.seed)
    draws: list[tuple[PartName, list[Draw]]] = []
    for part, spec in split.kept.items():
        if isinstance(spec, Fraction):
            count = int(np.floor(spec.fraction * rows + 0.5))
            if count > left.sum():
                raise _overlap(part, f"{count} rows are asked for, but {left.sum()} are left.")
            counts = largest_remainders(count, left)
            draws.append((part, [Draw(random, *each) for each in zip(counts.tolist(), left.tolist(), strict=True)]))
            left = left - counts
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        codes = _cut(start, stop, cuts)
        free = np.flatnonzero(codes == TRAIN)
        of_class = None if classes is None else classes(start, stop)
        for part, of_each_class in draws:
            for number, draw in enumerate(of_each_class):
                rows_of_class = free if of_class is None else free[of_class[free] == number]
                codes[draw.among(rows_of_class)] = PARTS.index(part)
            free = free[codes[free] == TRAIN]
        parts.append(codes)


def largest_remainders(count: int, sizes: Indices) -> Indices:
    """`count` divided in proportion to `sizes`, none above its size: rounded down, the rest by largest remainder."""
    total = int(sizes.sum())
    if not total:
        return np.zeros_like(sizes)
    floors, remainders = zip(*(divmod(count * size, total) for size in sizes.tolist()), strict=True)
    counts = np.array(floors)
    most = np.argsort(-np.array(remainders, dtype=object), kind="stable")
    counts[most[: count - counts.sum()]] += 1
    return counts


def _cuts(rows: int, wanted: Mapping[PartName, PartSpec]) -> list[Cut]:
    cuts: list[Cut] = []
    for part, spec in wanted.items():
        match spec:
            case First(first=count):
                cut = Cut(part, 0, count)
            case Last(last=count):
                cut = Cut(part, rows - count, rows)
            case _:
                continue
        if count > rows:
            raise _overlap(part, f"{count} rows are asked for, but there are {rows}.")
        for other in cuts:
            if max(cut.start, other.start) < min(cut.stop, other.stop):
                raise _overlap(part, f"These rows belong to the {other.part} part already.")
        cuts.append(cut)
    return cuts


def _cut(start: int, stop: int, cuts: list[Cut]) -> Codes:
    codes = np.full(stop - start, TRAIN, np.uint8)
    for cut in cuts:
        codes[max(cut.start - start, 0) : max(cut.stop - start, 0)] = PARTS.index(cut.part)
    return codes


def _sizes(rows: int, cuts: list[Cut], classes: Classes | None) -> Indices:
    """Count the rows that the cuts leave of each class; without classes, of all."""
    if classes is None:
        return np.array([rows - sum(cut.stop - cut.start for cut in cuts)])
    sizes = np.zeros(0, np.int64)
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        free = classes(start, stop)[_cut(start, stop, cuts) == TRAIN]
        counts = np.bincount(free, minlength=len(sizes))
        counts[: len(sizes)] += sizes
        sizes = counts
    return sizes


def _overlap(part: PartName, detail: str) -> Invalid:
    return invalid(f"#/split/{part}", detail, "overlapping_parts")
