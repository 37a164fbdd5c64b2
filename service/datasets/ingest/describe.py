"""Statistics of a column, part by part, in a few passes over its rows and constant memory."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from service.datasets.columns import ColumnStatistics, ColumnSummary, DateOrder, Kind
from service.datasets.ingest.missing import Way
from service.datasets.ingest.spool import Spool
from service.datasets.split import Indices, Parts
from service.http.json_numbers import Array, finite
from service.wire import PartName

QUANTILES = (0.25, 0.5, 0.75)
BINS = 20
STRETCH = 1 << 17
"""Rows that are worked on together: few enough for a core's cache, many enough that calls cost little."""
MOST_SORTED = 1 << 20
"""Values whose quantiles are exact; of more values, this number is taken, evenly spread over the part."""


@dataclass(frozen=True)
class SpooledColumn:
    """A column of a spool: `place` is its row of the blocks; NaN stands for a missing value."""

    place: int
    name: str
    kind: Kind
    missing: int
    categories: list[str] | None = None
    """The categories of a categorical column, in the order in which they are recorded."""
    codes: Array | None = None
    """For each code in the spool, the recorded one: the place in `categories`."""
    way: Way | None = None
    """The treatment of missing values."""
    dates: DateOrder | None = None
    """The reading of dates that have become these days."""

    @property
    def labels(self) -> list[str] | None:
        """The labels of codes 0, 1, ... of a class; None for numbers."""
        return ["false", "true"] if self.kind == "boolean" else self.categories


def describe(column: SpooledColumn, spool: Spool, parts: Parts) -> ColumnSummary:
    """The summary of a column. Deviations, too, are exact: they are taken about the mean."""
    with np.errstate(all="ignore"):  # what overflows float64 is answered as null
        described = {part: _Description() for part in parts.counts}
        for part, values, gone in _stretches(column, spool, parts):
            described[part].begin(values, gone, column.labels)
        if column.kind != "categorical":
            ranks = dict.fromkeys(described, 0)
            for part, values, _ in _stretches(column, spool, parts):
                described[part].go_on(values, ranks[part], with_bins=column.kind == "numeric")
                ranks[part] += len(values)
        return {
            "name": column.name,
            "kind": column.kind,
            "parts": {part: each.summary(column) for part, each in described.items()},
        }


def _stretches(column: SpooledColumn, spool: Spool, parts: Parts) -> Iterator[tuple[PartName, Array, int]]:
    """Yield the values that are there, in runs of one part, and the number of missing ones among them."""
    for start in range(0, spool.rows, STRETCH):
        stop = min(start + STRETCH, spool.rows)
        values = spool.column(column.place, start, stop)
        for part, rows in parts.indices(start, stop):
            chosen = values[rows]
            present = chosen[~np.isnan(chosen)] if column.missing else chosen
            if column.codes is not None:
                present = column.codes[present.astype(np.intp)]
            yield part, present, len(chosen) - len(present)


@dataclass
class _Description:
    """The description of a column in one part, as far as it is known."""

    count: int = 0
    missing: int = 0
    min: float = math.inf
    max: float = -math.inf
    sums: list[float] = field(default_factory=list)
    of_classes: Array | None = None
    squares: list[float] = field(default_factory=list)
    edges: Array | None = None
    below: Array | None = None
    """Number of values below each inner edge."""
    sample: list[Array] = field(default_factory=list)

    def begin(self, values: Array, missing: int, labels: Sequence[str] | None) -> None:
        """Take values in the first pass: number, range and sum."""
        self.missing += missing
        if not len(values):
            return
        self.count += len(values)
        self.min = min(self.min, float(values.min()))
        self.max = max(self.max, float(values.max()))
        self.sums.append(float(values.sum(dtype=np.float64)))
        if labels is not None:
            counts = np.bincount(values.astype(np.intp), minlength=len(labels))
            self.of_classes = counts if self.of_classes is None else self.of_classes + counts

    @cached_property
    def mean(self) -> float:
        """The mean, once the first pass is over."""
        try:
            return math.fsum(self.sums) / self.count
        except (OverflowError, ValueError, ZeroDivisionError):
            return math.nan

    def go_on(self, values: Array, rank: int, *, with_bins: bool) -> None:
        """Second pass: take what needs mean, range or number. `rank` is the first value's place in the part."""
        if not len(values):
            return
        deviations = values.astype(np.float64)
        deviations -= self.mean
        self.squares.append(float(deviations @ deviations))
        if not with_bins:
            return
        if self.edges is None:
            self.edges = histogram_edges(self.min, self.max)
            self.below = np.zeros(len(self.edges) - 2, np.int64)
        self.below += count_below(values, self.edges[1:-1])
        self.sample.append(
            values if self.count <= MOST_SORTED else values[evenly_spread(self.count, rank, len(values))]
        )

    def summary(self, column: SpooledColumn) -> ColumnStatistics:
        is_number = column.kind != "categorical" and self.count > 0
        variance = sum(self.squares) / (self.count - 1) if is_number and self.count > 1 else math.nan
        return {
            "count": self.count,
            "missing": self.missing,
            "mean": finite(self.mean) if is_number else None,
            "std": finite(math.sqrt(variance)) if variance >= 0 else None,
            "min": self.min if is_number else None,
            "max": self.max if is_number else None,
            "quantiles": self._quantiles(),
            "histogram": self._histogram(),
            "categories": self._categories(column.labels),
        }

    def _quantiles(self) -> dict[str, float | None]:
        if not self.sample:
            return {}
        ordered = np.sort(np.concatenate(self.sample))
        return {str(share): finite(quantile(ordered, share)) for share in QUANTILES}

    def _histogram(self) -> dict[str, list[float]] | None:
        if self.edges is None or self.below is None:
            return None
        counts = np.diff(self.below, prepend=0, append=self.count)
        return {"edges": self.edges.tolist(), "counts": counts.tolist()}

    def _categories(self, labels: Sequence[str] | None) -> dict[str, int] | None:
        if labels is None or not self.count:
            return None if labels is None else dict.fromkeys(labels, 0)
        assert self.of_classes is not None
        return dict(zip(labels, self.of_classes.tolist(), strict=True))


def quantile(ordered: Array, share: float) -> float:
    """The value at the place share · (n − 1) of a sorted array, linear between its two neighbours."""
    below, between = divmod(share * (len(ordered) - 1), 1)
    low, high = (float(ordered[min(int(below) + step, len(ordered) - 1)]) for step in (0, 1))
    return low + between * (high - low)


def histogram_edges(smallest: float, largest: float) -> Array:
    """Edges of bins of one width between the smallest and the largest value.

    There are fewer where float64 has too few numbers there: between neighbours, or at one large one.
    """
    with suppress(ValueError):
        return np.histogram_bin_edges([smallest, largest], bins=BINS)
    share = np.linspace(0, 1, BINS + 1)
    edges = np.unique(np.clip(smallest * (1 - share) + largest * share, smallest, largest))
    return edges if len(edges) > 1 else np.repeat(edges, 2)


def count_below(values: Array, edges: Array) -> Array:
    """Count the values below each edge. A comparison for each edge is faster than finding the bin of each value."""
    limits = edges.astype(values.dtype)
    # the smallest number of that dtype that is not below the edge: the comparison is exact then
    limits = np.where(limits < edges, np.nextafter(limits, np.inf, dtype=values.dtype), limits)
    below = np.empty(len(values), bool)
    return np.array([np.count_nonzero(np.less(values, limit, out=below)) for limit in limits], np.int64)


def evenly_spread(count: int, first: int, length: int) -> Indices:
    """Choose, of the values first to first + length of `count`, those among `MOST_SORTED` that lie evenly spread."""
    begin, end = (-(-rank * MOST_SORTED // count) for rank in (first, first + length))
    return np.arange(begin, end) * count // MOST_SORTED - first
