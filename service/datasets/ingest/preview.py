"""A look at a table before it is loaded: all that its beginning tells, and nothing stored."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.datasets.columns import ColumnSummary, Kind
from service.datasets.faults import Faults, Note
from service.datasets.ingest.advice import FILLED, advice_on
from service.datasets.ingest.describe import describe
from service.datasets.ingest.doubts import doubts
from service.datasets.ingest.fill import Filling, Ingested
from service.datasets.ingest.roles import Options
from service.datasets.ingest.store import column_of, divide, fill_of, is_filled
from service.datasets.schemas import Split
from service.datasets.split import Parts, assign
from service.datasets.table import Chunk, Table, Texts
from service.errors import Fault, Invalid
from service.http.json_numbers import JsonObject, finite
from service.ids import new_id
from service.storage.storage import Storage

SAMPLE = 1 << 20
"""Bytes of text, or of numbers, that are looked at."""
FIRST = 10
"""Rows that the answer has."""
NUMBER_BYTES = 8


def preview_table(
    storage: Storage,
    read: Callable[[Path, Note], Table],
    options: Options,
    faults: Faults,
    check: Callable[[], None] = lambda: None,
) -> JsonObject:
    """Return a description of the table, as `Preview` has it; `read`, `check` are those of `store_table`.

    Raises:
        TooLarge, Unavailable: as a table that is stored does.
    """
    with storage.writing(new_id("ds")) as folder, ExitStack() as open_files:
        scratch = folder / "scratch"
        scratch.mkdir()
        look = _Look(faults)
        try:
            table = read(scratch, faults.note)
            if table.kinds:
                look.at(table, options, folder, open_files, check)
        except Invalid as refused:
            faults.note(refused)
        return look.answer


class _Look:
    """The columns and rows of a table seen so far."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._complete = False
        self._unread: dict[str, list[NDArray[np.intp]]] = {}
        """By column, the rows of the data whose values are none of its kind."""
        self._found: JsonObject = {
            "features": [],
            "targets": [],
            "inputs": 0,
            "outputs": 0,
            "parts": None,
            "first": [],
            "rows_read": 0,
            "statistics": {"columns": []},
            "advice": [],
        }

    @property
    def answer(self) -> JsonObject:
        told: list[Fault] = self._faults.all
        ends = {"complete": self._complete, "sampled": not self._complete, "faults": [asdict(each) for each in told]}
        return {**self._found, **ends}

    def at(
        self, table: Table, options: Options, folder: Path, open_files: ExitStack, check: Callable[[], None]
    ) -> None:
        """Read the beginning of a table, and describe it."""
        filling = Filling.of(table, options, folder, open_files, self._faults)
        filling.keeps_all = True
        with closing(table.chunks):
            try:
                self._read(table, filling, check)
            except Invalid as refused:
                self._faults.note(refused)
        if self._complete:
            filling.end()
        else:
            filling.missing.check(self._faults.note)
        if not (self._complete and filling.seen):
            filling.missing.empty.clear()  # values may come yet
        ingested = filling.ingested
        self._found["rows_read"] = filling.seen
        # Values that cannot be read are faults, and not missing: nothing is said to stand for them.
        faulty = {"/".join(fault.pointer.split("/")[:3]) for fault in self._faults.all}
        advice = [*table.advice, *advice_on(ingested, options, table.told)]
        parts = self._parts(ingested, options, open_files, folder)
        described = self._describe(ingested, parts, options)
        advice = [each for each in advice if each.code != FILLED or each.pointer not in faulty]
        advice += [each for each in doubts(ingested, described) if each.pointer not in faulty]
        self._found["advice"] = [asdict(each) for each in advice]

    def _note_unread(self, chunk: Chunk, filling: Filling) -> None:
        for name, values in chunk.columns.items():
            wrong = chunk.wrong.get(name, np.zeros(chunk.rows, bool))
            if not isinstance(values, Texts):
                with np.errstate(over="ignore"):
                    wrong = wrong | np.isinf(values.astype(filling.options.dtype, copy=False))
            if wrong.any():
                self._unread.setdefault(name, []).append(filling.seen + np.flatnonzero(wrong))

    def _read(self, table: Table, filling: Filling, check: Callable[[], None]) -> None:
        held = 0
        for chunk in table.chunks:
            check()
            if held >= SAMPLE and table.complete:
                return
            if not self._found["first"]:
                self._found["first"] = [
                    dict(zip(chunk.columns, row, strict=True)) for row in _first(chunk, table.kinds)
                ]
            self._note_unread(chunk, filling)
            filling.take(chunk)
            held += chunk.rows * len(chunk.columns) * NUMBER_BYTES
        self._complete = table.complete

    def _parts(self, ingested: Ingested, options: Options, open_files: ExitStack, folder: Path) -> Parts:
        """Return the parts by which statistics are made: as in the dataset where all rows are there."""
        has_parts = ingested.parts.rows > 0
        if isinstance(options.split, Split):  # classes are drawn from where each row has one
            targets = ingested.targets
            has_parts = not options.split.stratify or (not any(each.missing for each in targets) and bool(targets))
        if self._complete and ingested.spool.rows and has_parts:
            try:
                parts = divide(ingested, options)
            except Invalid as refused:
                self._faults.note(refused)
            else:
                self._found["parts"] = parts.counts
                return parts
        elif ingested.parts.rows:
            ingested.parts.flush()
            return ingested.parts
        all_train = open_files.enter_context(Parts(folder))
        if ingested.spool.rows:
            assign(all_train, ingested.spool.rows, Split())
            all_train.flush()
        return all_train

    def _describe(self, ingested: Ingested, parts: Parts, options: Options) -> dict[str, ColumnSummary]:
        described = {
            each.name: describe(each, ingested.spool, parts) for each in (*ingested.features, *ingested.targets)
        }
        for name in described.keys() & self._unread:
            self._count_as_there(described[name], np.concatenate(self._unread[name]), ingested, parts)
        if self._complete and not self._faults:
            for each in filter(is_filled, ingested.features):
                try:
                    fill_of(each, described[each.name], options.dtype)
                except Invalid as refused:
                    self._faults.note(refused)
        self._found["statistics"]["columns"] = [described[name] for name in ingested.names]
        for role, width, columns in (
            ("features", "inputs", ingested.features),
            ("targets", "outputs", ingested.targets),
        ):
            self._found[role] = [column_of(each).to_json() for each in columns]
            self._found[width] = sum(each["width"] for each in self._found[role])
        return described

    @staticmethod
    def _count_as_there(summary: ColumnSummary, rows: NDArray[np.intp], ingested: Ingested, parts: Parts) -> None:
        """Take values in `rows` of the data, which cannot be read, from the missing ones of a column."""
        if ingested.numbers is not None:  # some rows are dropped
            rows = np.flatnonzero(np.isin(ingested.numbers.column(0, 0, ingested.numbers.rows), rows))
        for part, chosen in parts.indices(0, ingested.spool.rows):
            of_part = rows if isinstance(chosen, slice) else np.intersect1d(rows, chosen)
            summary["parts"][part]["missing"] -= len(of_part)


def _first(chunk: Chunk, kinds: Mapping[str, Kind]) -> Iterable[tuple[Any, ...]]:
    """Return the values of the first rows; None where one is missing, or none of its column's kind."""
    rows = min(FIRST, chunk.rows)
    columns = list[list[Any]]()
    for name, each in chunk.columns.items():
        if isinstance(each, Texts):
            columns.append([None if code < 0 else each.categories[code] for code in each.codes[:rows].tolist()])
        else:
            values = [finite(value) for value in each[:rows].tolist()]
            is_boolean = kinds[name] == "boolean"
            columns.append([bool(value) if is_boolean and value is not None else value for value in values])
    return zip(*columns, strict=True)
