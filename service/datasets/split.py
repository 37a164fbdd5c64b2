"""Which rows train, validate and test."""

import numpy as np
from numpy.typing import NDArray

from service.datasets.schemas import First, Fraction, Last, PartSpec, Split
from service.errors import Invalid, invalid
from service.wire import PartName

Indices = NDArray[np.int64]


def divide(rows: int, split: Split) -> dict[PartName, Indices]:
    """The row numbers of each part, ascending.

    `first` and `last` are cut off; then each `fraction`, a share of all rows (halves round up), is drawn from what is
    left by the seed; the remainder trains.

    Raises:
        Invalid: parts overlap, or no row is left to train on.
    """
    wanted: dict[PartName, PartSpec] = {"test": split.test, "validation": split.validation}
    owner = np.full(rows, "train", dtype="<U10")
    for part, spec in wanted.items():
        match spec:
            case First(first=count):
                _claim(owner, np.arange(min(count, rows)), part, count)
            case Last(last=count):
                _claim(owner, np.arange(max(rows - count, 0), rows), part, count)
    random = np.random.default_rng(split.seed)
    for part, spec in wanted.items():
        if isinstance(spec, Fraction):
            count = int(np.floor(spec.fraction * rows + 0.5))
            left = np.flatnonzero(owner == "train")
            if count > len(left):
                raise _overlap(part, f"{count} rows are asked for, but {len(left)} are left.")
            owner[random.choice(left, count, replace=False)] = part
    parts: dict[PartName, Indices] = {part: np.flatnonzero(owner == part) for part in ("train", "validation", "test")}
    if not len(parts["train"]):
        raise invalid("#/split", f"No row of {rows} is left to train on.", "nothing_to_train_on")
    return parts


def _claim(owner: NDArray[np.str_], rows: Indices, part: PartName, count: int) -> None:
    if count > len(rows):
        raise _overlap(part, f"{count} rows are asked for, but there are {len(owner)}.")
    if (owner[rows] != "train").any():
        raise _overlap(part, "These rows belong to the test part already.")
    owner[rows] = part


def _overlap(part: PartName, detail: str) -> Invalid:
    return invalid(f"#/split/{part}", detail, "overlapping_parts")
