"""Missing values of a table: refused, dropped with their rows, or kept until something stands for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from service.datasets.columns import Kind, in_query
from service.datasets.faults import Note
from service.datasets.schemas import Missing
from service.datasets.table import Texts
from service.errors import Fault, Invalid, invalid
from service.http.json_numbers import Array

MOST_FAULTS = 10
MOST_TOLD = 5
"""Columns that the refusal of a table without whole rows lists."""

Way = Literal["mean", "mode", "category", "drop"]


@dataclass(frozen=True)
class Ways:
    """Ways to treat missing values, by role and kind; None refuses them."""

    numeric: Way | None = None
    categorical: Way | None = None
    targets: Way | None = None
    by_kind: bool = False

    @classmethod
    def of(cls, missing: Missing | None) -> "Ways":
        """Return the ways that a dataset's `missing` stands for."""
        if missing is None:
            return cls()
        if missing == "mean":
            return cls("mean", "mode", "drop")
        if missing == "drop":
            return cls("drop", "drop", "drop")
        return cls(missing.numeric, missing.categorical, missing.targets, by_kind=True)

    def for_column(self, kind: Kind, *, target: bool) -> Way | None:
        """Return what is done in a column; a boolean one, which is one input, has no room for a category more."""
        if target:
            return self.targets
        if kind == "numeric":
            return self.numeric
        return None if kind == "boolean" and self.categorical == "category" else self.categorical

    def remedy(self, kind: Kind, *, target: bool) -> str:
        """Return what a sender can do about a column whose missing values are refused."""
        if not self.by_kind:
            remedy = 'Set `missing` to "drop" to leave such rows out, or to "mean" to have such values filled in'
            own = "; missing=categorical:category makes them a category of their own"
            return f"{remedy}{own if kind == 'categorical' and not target else ''}."
        if target:
            return "Values of targets are never made up: `missing` of `targets` may be drop (missing=targets:drop)."
        if kind == "numeric":
            return "`missing` of `numeric` may be mean or drop (missing=numeric:mean)."
        if kind == "boolean" and self.categorical == "category":
            return "A boolean column has no category for it: set its type to categorical."
        return "`missing` of `categorical` may be mode, category or drop (missing=categorical:mode)."


@dataclass
class MissingValues:
    """The missing values of a table that arrives chunk by chunk.

    A feature without any value so far neither drops rows nor is refused: it is left out, should none come.
    """

    ways: Mapping[str, Way | None]
    remedies: Mapping[str, str]
    empty: set[str]
    """Features that have had no value yet."""
    counts: dict[str, int] = field(default_factory=dict)
    """Missing values by column, of rows that are kept."""
    lacking: dict[str, int] = field(default_factory=dict)
    """Missing values by column, of all rows, in columns whose missing values drop them."""
    _faults: list[tuple[int, int, str, Fault]] = field(default_factory=list)
    """Faults by row and column, those of empty features too."""

    def begun(self, gone: Mapping[str, Array]) -> list[str]:
        """Return the features that have their first values in a chunk."""
        begun = [name for name in self.empty if name not in gone or not gone[name].all()] if self.empty else []
        self.empty.difference_update(begun)
        return begun

    def dropped(self, gone: Mapping[str, Array]) -> Array | None:
        """Return which rows of a chunk go; None where none does."""
        found = {name: where for name, where in gone.items() if self.ways[name] == "drop" and name not in self.empty}
        for name, where in found.items():
            self.lacking[name] = self.lacking.get(name, 0) + int(where.sum())
        return np.logical_or.reduce(list(found.values())) if found else None

    def keep(self, gone: Mapping[str, Array], kept: slice | Array) -> None:
        """Count the missing values in rows that are kept."""
        for name, where in gone.items():
            if count := int(where[kept].sum()):
                self.counts[name] = self.counts.get(name, 0) + count

    def refused_in(self, gone: Mapping[str, Array]) -> list[str]:
        """Return columns of a chunk with missing values that are refused, and of whose faults there are not enough."""
        names = [name for name in gone if self.ways[name] is None]
        return names if len(self.faults) < MOST_FAULTS else []

    def refuse(self, row: int, place: int, name: str, fault: Fault) -> None:
        """Note a fault; of an empty feature the first ones alone."""
        if name not in self.empty or sum(each[2] == name for each in self._faults) < MOST_FAULTS:
            self._faults.append((row, place, name, fault))

    @property
    def faults(self) -> list[tuple[int, int, str, Fault]]:
        """Those of columns that have values."""
        return [each for each in self._faults if each[2] not in self.empty]

    def check(self, note: Note) -> None:
        """Note the faults where values are missing that may not be."""
        if found := sorted(self.faults, key=lambda each: each[:2])[:MOST_FAULTS]:
            _, _, name, first = found[0]
            detail = f"{first.detail} {self.remedies[name]}"
            note(Invalid(detail, "missing_values", tuple(fault for *_, fault in found)))


def no_rows(seen: int, lacking: Mapping[str, int]) -> Invalid:
    """Return that no row is left of those that came."""
    if not seen:
        return invalid("#", "There are no rows.", "empty")
    most = sorted(lacking, key=lambda name: -lacking[name])[:MOST_TOLD]
    told = ", ".join(f"{name!r} in {lacking[name]:,}" for name in most)
    left_out = f" Leave out a column that lacks most, in a file with ignore={in_query(most[0])}" if most else ""
    remedy = f"{left_out}, or fill values in." if most else ""
    return invalid("#", f"Every row lacks a value; of {seen:,} rows {told}.{remedy}", "empty")


def missing_in(values: Array | Texts) -> Array | None:
    """Return which values are missing; None where none is."""
    if isinstance(values, Texts):
        where = values.codes < 0
    elif np.isfinite(values).all():
        return None
    else:
        where = np.isnan(values)
    return where if where.any() else None
