"""The way from a table to a dataset: into the spool, divided, described, placed, kept."""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import orjson

from service.datasets.arrangement import Arrangement
from service.datasets.columns import Column, ColumnSummary, in_query
from service.datasets.faults import Faults, Note
from service.datasets.ingest.advice import advice_on
from service.datasets.ingest.describe import SpooledColumn, describe
from service.datasets.ingest.doubts import doubts
from service.datasets.ingest.fill import Ingested, ingest
from service.datasets.ingest.place import place
from service.datasets.ingest.roles import Options
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Fraction, Split, plain_missing
from service.datasets.split import Classes, Parts, assign
from service.datasets.sums import sums_over
from service.datasets.table import Table
from service.errors import Invalid, invalid
from service.http.json_numbers import Array
from service.pointers import escape
from service.storage.storage import Storage, arrays_in, write_gram

THREADS = 2
"""Threads that describe columns while another one places rows; NumPy lets them work at once."""


def store_table(
    storage: Storage,
    read: Callable[[Path, Note], Table],
    options: Options,
    id: str,
    created_at: datetime,
    check: Callable[[], None] = lambda: None,
) -> DatasetRecord:
    """Read, divide, describe and keep a table. The row follows in another transaction: a row never lacks its files.

    `read` gets a folder for scratch files, and a function that notes faults. `check` is called again and again, and may
    raise: then nothing stays.

    Raises:
        Invalid: rows, targets or parts are impossible.
        TooLarge: the arrays would be larger than the options allow.
        Unavailable: the storage cannot be reached.
    """
    with storage.writing(id) as folder, ExitStack() as open_files:
        scratch = folder / "scratch"
        scratch.mkdir()
        faults = Faults()
        table = read_noting(read, scratch, faults)
        ingested = ingest(table, options, folder, open_files, check, faults)
        parts = divide(ingested, options)
        record = DatasetRecord(
            id=id,
            name=options.name or id,
            train_rows=parts.counts["train"],
            validation_rows=parts.counts["validation"],
            test_rows=parts.counts["test"],
            calibration_rows=parts.counts.get("calibration", 0),
            dtype=options.dtype,
            missing=plain_missing(options.missing),
            split_column=options.split_column,
            ignored=[*table.ignored, *ingested.empty],
            advice=[*table.advice, *advice_on(ingested, options, table.told)],
            state="ready",
            progress=None,
            beat=None,
            labels=dict(options.labels),
            created_at=created_at,
        )
        record.sha256 = _place_and_describe(record, ingested, parts, folder, check)
        record.advice += doubts(ingested, {each["name"]: each for each in record.statistics})
        shutil.rmtree(scratch)
        _add_grams(record, folder)
        record.bytes = sum(file.stat().st_size for file in folder.iterdir())
        storage.keep(id, record.sha256)
        return record


def read_noting(read: Callable[[Path, Note], Table], scratch: Path, faults: Faults) -> Table:
    """Read a table. Raises Invalid with all faults so far where it is none."""
    try:
        return read(scratch, faults.note)
    except Invalid as refused:
        faults.note(refused)
        raise faults.refusal from None


def divide(ingested: Ingested, options: Options) -> Parts:
    """Return the part of each row. Raises Invalid where parts are impossible."""
    if isinstance(options.split, Split):
        assign(ingested.parts, ingested.spool.rows, options.split, _classes(ingested, options.split))
    ingested.parts.check()
    return ingested.parts


def _classes(ingested: Ingested, split: Split) -> Classes | None:
    """The classes that a stratified split divides.

    Raises:
        Invalid: there is not exactly one class target, or nothing is drawn.
    """
    if not split.stratify:
        return None
    targets = [each for each in ingested.targets if each.kind != "numeric"]
    if len(targets) != 1:
        found = "no target of classes" if not targets else f"{len(targets)} targets of classes"
        detail = f"A stratified split needs one boolean or categorical target; there is {found}."
        raise invalid("#/split/stratify", detail, "not_stratifiable")
    if not any(isinstance(each, Fraction) for each in split.kept.values()):
        raise invalid("#/split/stratify", "Only a part that is a fraction is drawn by class.", "not_stratifiable")
    (target,) = targets

    def classes(start: int, stop: int) -> Array:
        codes = ingested.spool.column(target.place, start, stop)
        codes = codes if target.codes is None else target.codes[codes.astype(np.intp)]
        return codes.astype(np.intp)

    return classes


def _place_and_describe(
    record: DatasetRecord, ingested: Ingested, parts: Parts, folder: Path, check: Callable[[], None]
) -> str:
    columns = [*ingested.features, *ingested.targets]
    pool = ThreadPoolExecutor(THREADS, "descent-describe")
    try:
        # those with missing values first: placing waits for what stands for them
        ordered = sorted(columns, key=lambda each: not each.missing)
        futures = {each.name: pool.submit(describe, each, ingested.spool, parts) for each in ordered}
        fills = {
            each.name: fill_of(each, futures[each.name].result(), record.dtype)
            for each in ingested.features
            if is_filled(each)
        }
        record.features = [column_of(each, fills.get(each.name)) for each in ingested.features]
        record.targets = [column_of(each) for each in ingested.targets]
        digests = place(ingested, parts, fills, folder, record.dtype, check)
        record.statistics = [futures[name].result() for name in ingested.names]
    finally:
        pool.shutdown(cancel_futures=True)
    # the reading of dates is none of the data: the same days have the same hash
    read = (map(partial(replace, dates=None), columns) for columns in (record.features, record.targets))
    described = ([each.to_json() for each in columns] for columns in read)
    schema = [*described, record.parts, record.dtype, digests]
    return hashlib.sha256(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).hexdigest()


def column_of(column: SpooledColumn, fill: float | None = None) -> Column:
    """Return a column as it is stored."""
    categories = None if column.categories is None else tuple(column.categories)
    return Column(column.name, column.kind, categories, fill, column.dates)


def is_filled(column: SpooledColumn) -> bool:
    """Whether something stands for missing values of a feature."""
    return column.way in ("mean", "mode") or (column.way == "category" and column.missing > 0)


def fill_of(column: SpooledColumn, summary: ColumnSummary, dtype: str) -> float:
    """Return the substitute for a missing value: the mean of the training part, the most frequent class, or its own.

    Raises:
        Invalid: the training part has no value, or no mean.
    """
    train = summary["parts"]["train"]
    value: float | None
    if column.way == "category":
        value = len(column.categories or ()) - 1
    elif not train["count"]:
        value = None
    elif column.kind == "numeric":
        value = train["mean"]
    else:
        counts = list(train["categories"].values())
        value = counts.index(max(counts))
    if value is None:
        what = "mean" if column.kind == "numeric" else "most frequent class"
        remedy = f"leave the column out, in a file with ignore={in_query(column.name)}, or such rows"
        lacks = f"Column {column.name!r} has no {what} in the training part that could stand for missing values"
        detail = f"{lacks}: {remedy}."
        raise invalid(f"#/columns/{escape(column.name)}", detail, "no_mean")
    return float(np.dtype(dtype).type(value))


def _add_grams(record: DatasetRecord, folder: Path) -> None:
    """Add the sums for the quadratic path."""
    arrays, columns = arrays_in(folder), Arrangement.as_stored(record)
    for part in ("train", "validation"):
        gram = sums_over(arrays, columns, part)
        if gram is not None:
            write_gram(folder, part, gram)
