"""The filling of a spool with a table's chunks: numbers in the dataset's dtype, categories as codes."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from service.datasets.columns import Kind
from service.datasets.faults import Faults
from service.datasets.formats.checks import no_finite
from service.datasets.ingest.categories import category_of_missing, check_classes, in_order
from service.datasets.ingest.describe import SpooledColumn
from service.datasets.ingest.missing import MOST_FAULTS, MissingValues, Ways, missing_in, no_rows
from service.datasets.ingest.roles import Layout, Options, layout
from service.datasets.ingest.spool import Spool
from service.datasets.rounding import Rounding
from service.datasets.split import PARTS, Parts
from service.datasets.table import Chunk, Table, Texts
from service.errors import Fault, Invalid, TooLarge, invalid
from service.http.json_numbers import Array
from service.pointers import escape


@dataclass
class Ingested:
    """A table in the spool. `numbers` has each row's number in the data, where rows were left out."""

    spool: Spool
    features: list[SpooledColumn]
    targets: list[SpooledColumn]
    parts: Parts
    """Empty, unless a column holds the part of each row."""
    numbers: Spool | None
    names: list[str]
    """Names of features and targets, in the order of the data."""
    empty: list[str]
    """Columns without any value, which are no features."""
    rounded: list[str]
    """Columns of dates that the dtype does not hold exactly."""
    roundings: dict[str, Rounding]
    """The losses of columns in float64 and in the dataset's dtype."""


def ingest(
    table: Table, options: Options, folder: Path, open_files: ExitStack, check: Callable[[], None], faults: Faults
) -> Ingested:
    """Read all chunks. `open_files` closes the scratch files in `folder`; `check` is called between chunks, and may
    raise. Once there are `faults`, no further chunk is read.

    Raises:
        Invalid: rows or values are missing, numbers do not fit the dtype, categories or parts are too many or unknown.
        TooLarge: there are more rows, columns or bytes than `options.most`.
    """
    filling = Filling.of(table, options, folder, open_files, faults)
    with closing(table.chunks):
        try:
            for chunk in table.chunks:
                check()
                filling.take(chunk)
                if faults:
                    break
        except Invalid as refused:
            faults.note(refused)
    filling.end()
    faults.check()
    return filling.ingested


def _missing_values(table: Table, roles: Layout, options: Options) -> MissingValues:
    ways = Ways.of(options.missing)
    targets = {name: name in roles.targets for name in roles.names}
    return MissingValues(
        {name: ways.for_column(table.kinds[name], target=target) for name, target in targets.items()},
        {name: ways.remedy(table.kinds[name], target=target) for name, target in targets.items()},
        set(roles.features),
    )


@dataclass
class Filling:
    """A spool and what goes with it, while a table's chunks are read. Faults are noted."""

    table: Table
    options: Options
    roles: Layout
    spool: Spool
    parts: Parts
    numbers: Spool | None
    missing: MissingValues
    faults: Faults
    keeps_all: bool = False
    """Whether rows with faults are kept, too."""
    seen: int = 0
    """Rows of the data."""
    categories: dict[str, dict[str, int]] = field(default_factory=dict)
    rounded: set[str] = field(default_factory=set)
    roundings: dict[str, Rounding] = field(default_factory=dict)
    """By numeric or boolean column."""

    @classmethod
    def of(cls, table: Table, options: Options, folder: Path, open_files: ExitStack, faults: Faults) -> "Filling":
        """Return one without rows; the scratch files in `folder` are for `open_files` to close.

        Raises:
            Invalid: no column has a role.
            TooLarge: there are too many columns.
        """
        roles = layout(table, options, faults)
        if len(table.kinds) > options.most.columns:
            found = f"There are {len(table.kinds):,} columns, and at most {options.most.columns:,} are allowed"
            raise TooLarge(f"{found} (DESCENT_MAX_COLUMNS): leave some out.", "too_many_columns")
        if not roles.names:
            raise faults.refusal
        missing = _missing_values(table, roles, options)
        spool = open_files.enter_context(Spool(folder, len(roles.names), options.dtype))
        parts = open_files.enter_context(Parts(folder))
        drops = "drop" in missing.ways.values()
        numbers = open_files.enter_context(Spool(folder, 1, "int64")) if drops else None
        return cls(table, options, roles, spool, parts, numbers, missing, faults)

    @property
    def ingested(self) -> Ingested:
        """The table in the spool, after its end."""
        roles, kinds, missing = self.roles, self.table.kinds, self.missing
        columns = [self.column(place, name, kinds[name]) for place, name in enumerate(roles.names)]
        return Ingested(
            self.spool,
            [each for each in columns[: len(roles.features)] if each.name not in missing.empty],
            columns[len(roles.features) :],
            self.parts,
            self.numbers,
            [name for name in kinds if name != roles.parts and name not in missing.empty],
            [name for name in roles.features if name in missing.empty],
            [name for name in roles.names if name in self.rounded],
            self.roundings,
        )

    def take(self, chunk: Chunk) -> None:
        columns = {name: self._column(name, chunk) for name in self.roles.names}
        gone = {name: where for name, values in columns.items() if (where := missing_in(values)) is not None}
        wrong = {name: where for name, where in chunk.wrong.items() if where.any()}
        self.missing.empty.difference_update(wrong)
        self._note_infinite(columns, gone, wrong, chunk)
        if any(self.missing.ways[name] == "drop" for name in self.missing.begun(gone)) and self.spool.rows:
            self._drop_all()  # every row so far lacks a value of that column
        lacking = {name: where & ~wrong[name] if name in wrong else where for name, where in gone.items()}
        self._refuse_missing(lacking, chunk)
        codes = self._part_codes(chunk)
        columns = {
            name: self._watched(name, values, chunk.columns[name], has_gaps=name in gone)
            for name, values in columns.items()
        }
        if self.keeps_all or not self.missing.faults:  # else the rest is looked through for more, and not kept
            dropped = self.missing.dropped(lacking)
            kept = slice(None) if dropped is None else np.flatnonzero(~dropped)
            if self.numbers is not None:
                self.numbers.append([np.arange(self.seen, self.seen + chunk.rows)[kept]])
            self._keep(columns, gone, codes, kept)
        self.seen += chunk.rows

    def _watched(self, name: str, held: Array | Texts, sent: Array | Texts, *, has_gaps: bool) -> Array | Texts:
        """Return a column as the spool takes it: as it was sent, once the dataset's dtype costs one too many digits."""
        if isinstance(held, Texts) or isinstance(sent, Texts):
            return held
        there = np.where(np.isnan(held), np.nan, sent) if has_gaps else sent
        if self.roundings.setdefault(name, Rounding()).add(there, held):
            self.spool.widen()
        return held if self.spool.dtype == self.options.dtype else there

    def _drop_all(self) -> None:
        for file in (self.spool, self.parts, self.numbers):
            if file is not None:
                file.clear()
        self.categories.clear()
        self.missing.counts.clear()

    def end(self) -> None:
        """Note what can be told once all rows have come."""
        self.missing.check(self.faults.note)
        for name in self.roles.targets:
            check_classes(name, self.categories.get(name, ()), self.faults.note)
        if self.faults:
            return
        if not self.spool.rows:
            self.faults.note(no_rows(self.seen, self.missing.lacking))
        elif len(self.missing.empty) == len(self.roles.features):
            self.faults.note(invalid("#", "No input column has a value in any row.", "no_features"))

    def column(self, place: int, name: str, kind: Kind) -> SpooledColumn:
        missing, way = self.missing.counts.get(name, 0), self.missing.ways[name]
        if kind != "categorical":
            return SpooledColumn(place, name, kind, missing, way=way, dates=self.table.dates.get(name))
        found = self.categories.get(name, {})
        ordered = in_order(found)
        codes = np.empty(len(found), np.dtype(self.options.dtype))
        codes[[found[category] for category in ordered]] = np.arange(len(ordered))
        if way == "category" and missing:
            ordered.append(category_of_missing(name, found, told=name in self.table.told))
        return SpooledColumn(place, name, kind, missing, ordered, codes, way)

    def _column(self, name: str, chunk: Chunk) -> Array | Texts:
        values = chunk.columns[name]
        if isinstance(values, Texts):
            wrong = chunk.wrong.get(name)
            return values if wrong is None else Texts(np.where(wrong, -1, values.codes), values.categories)
        with np.errstate(over="ignore"):
            held: Array = values.astype(self.options.dtype, copy=False)
        if name in self.table.dates and not np.array_equal(held, values, equal_nan=True):
            self.rounded.add(name)
        return held

    def _refuse_missing(self, gone: Mapping[str, Array], chunk: Chunk) -> None:
        places = {name: place for place, name in enumerate(chunk.columns)}
        for name in self.missing.refused_in(gone):
            for row in np.flatnonzero(gone[name])[:MOST_FAULTS].tolist():
                fault = self._fault(name, row, chunk, f"the value of column {name!r} is missing.")
                self.missing.refuse(self.seen + row, places[name], name, fault)

    def _note_infinite(
        self, columns: dict[str, Array | Texts], gone: dict[str, Array], wrong: dict[str, Array], chunk: Chunk
    ) -> None:
        """Note infinite numbers; from now on they are missing."""
        faults = list[Fault]()
        for name, values in columns.items():
            if isinstance(values, Texts) or (name not in gone and np.isfinite(values).all()):
                continue
            infinite = np.isinf(values)
            rows = np.flatnonzero(infinite)[:MOST_FAULTS].tolist()
            what = no_finite(name, chunk.columns[name], rows, self.options.dtype)
            faults += [self._fault(name, row, chunk, what) for row in rows]
            if rows:
                columns[name] = finite = np.where(infinite, np.nan, values)
                gone[name] = np.isnan(finite)
                wrong[name] = infinite | wrong.get(name, False)
        if faults:
            self.faults.note(Invalid(faults[0].detail, "invalid", tuple(faults[:MOST_FAULTS])))

    def _part_codes(self, chunk: Chunk) -> Array | None:
        name = self.roles.parts
        if name is None:
            return None
        values = chunk.columns[name]
        if not isinstance(values, Texts):
            fault = self._fault(name, 0, chunk, f"column {name!r} holds no texts, but a part is {_PARTS}.")
            self.faults.note(Invalid(fault.detail, "unknown_part", (fault,)))
            return np.zeros(chunk.rows, np.uint8)
        known = np.array([*(PARTS.index(each) if each in PARTS else -1 for each in values.categories), -1])
        codes = known[values.codes]  # -1, a missing value, finds the last
        strange = np.flatnonzero(codes < 0)[:MOST_FAULTS].tolist()
        if strange:
            faults = tuple(self._fault(name, row, chunk, _no_part(name, values, row)) for row in strange)
            self.faults.note(Invalid(faults[0].detail, "unknown_part", faults))
        found: Array = np.maximum(codes, 0).astype(np.uint8)
        return found

    def _keep(
        self, columns: Mapping[str, Array | Texts], gone: Mapping[str, Array], codes: Array | None, kept: slice | Array
    ) -> None:
        self.missing.keep(gone, kept)
        self.spool.append([self._encoded(name, values, kept) for name, values in columns.items()])
        if codes is not None:
            self.parts.append(codes[kept])
        most = self.options.most
        if self.spool.rows > most.rows:
            raise TooLarge(f"There are more than {most.rows:,} rows (DESCENT_MAX_ROWS).", "too_many_rows")
        row_bytes = self.spool.columns * np.dtype(self.options.dtype).itemsize
        if self.spool.rows * row_bytes > most.bytes:
            raise TooLarge(f"The arrays are larger than the {most.bytes:,} bytes that {most.bytes_by} leaves.")

    def _encoded(self, name: str, values: Array | Texts, kept: slice | Array) -> Array:
        if not isinstance(values, Texts):
            return values[kept]
        codes = values.codes[kept]
        known = self.categories.setdefault(name, {})
        own = np.full(len(values.categories) + 1, np.nan, self.options.dtype)
        for code in np.unique(codes[codes >= 0]).tolist():
            own[code] = known.setdefault(values.categories[code], len(known))
        return own[codes]  # -1, a missing value, finds the last

    def _fault(self, name: str, row: int, chunk: Chunk, what: str) -> Fault:
        return Fault(f"#/columns/{escape(name)}/{self.seen + row}", f"{chunk.where(row)}: {what}")


_PARTS = f"{', '.join(PARTS[:-1])} or {PARTS[-1]}"


def _no_part(name: str, values: Texts, row: int) -> str:
    code = int(values.codes[row])
    what = "a missing value" if code < 0 else repr(values.categories[code][:50])
    return f"column {name!r} holds {what}, but a part is {_PARTS}."
