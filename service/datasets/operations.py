"""The rules of datasets."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import orjson
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database import lookup
from service.database.columns import new_id, now
from service.database.engine import Database
from service.datasets import records
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Split
from service.datasets.split import divide
from service.datasets.statistics import summarise
from service.datasets.storage import Arrays, Storage
from service.errors import Conflict, invalid
from service.learning.gram import Gram
from service.numbers import Array
from service.wire import Dtype, PartName

GRAM_OPERATIONS = 2e10
"""Sums that take longer, about a second, are left to the jobs that want them."""
OPERATIONS_PER_CUBE = 40
"""Of the decompositions that sums over collinear columns need, for each column cubed."""


@dataclass(frozen=True)
class Options:
    """What a new dataset is, but for its rows."""

    name: str | None
    targets: Sequence[str]
    split: Split
    dtype: Dtype


def store(storage: Storage, columns: dict[str, Array], options: Options) -> DatasetRecord:
    """Divide, describe and store `columns`. The row follows by `add`: so a row never lacks its files.

    Raises:
        Invalid: targets or parts are impossible.
    """
    features = _features(columns, options.targets)
    parts = divide(len(columns[features[0]]), options.split)
    order = np.concatenate(list(parts.values()))
    arrays = Arrays(
        inputs=_stack([columns[name] for name in features], order),
        targets=_stack([columns[name] for name in options.targets], order),
        numbers=order,
    )
    id = new_id("ds")
    record = DatasetRecord(
        id=id,
        name=options.name or id,
        features=[_numeric(name) for name in features],
        targets=[_numeric(name) for name in options.targets],
        train_rows=len(parts["train"]),
        validation_rows=len(parts["validation"]),
        test_rows=len(parts["test"]),
        dtype=options.dtype,
        created_at=now(),
    )
    record.sha256 = _hash(record, arrays)
    slices = {part: record.slice_of(part) for part in record.parts}
    record.statistics = [summarise(name, columns[name][order], slices) for name in columns]
    storage.write(id, arrays, _grams(record, arrays))
    return record


@contextmanager
def adding(database: Database, storage: Storage, record: DatasetRecord) -> Iterator[Session]:
    """A transaction that adds the row of stored data; where it fails, the files go too.

    Raises:
        Conflict: the name is taken.
    """
    try:
        with database.transaction() as session:
            session.add(record)
            session.flush()
            yield session
    except BaseException as error:
        storage.delete(record.id)
        if isinstance(error, IntegrityError):
            raise Conflict(f"There is a dataset {record.name!r} already.", "name_taken") from None
        raise


def _grams(record: DatasetRecord, arrays: Arrays) -> dict[str, Gram]:
    """For the quadratic path: with these, a job need not read the rows at all."""
    grams = {}
    for part in ("train", "validation"):
        rows = record.slice_of(part)
        count, width = rows.stop - rows.start, record.inputs + record.outputs + 1
        if count > 0 and count * width**2 + OPERATIONS_PER_CUBE * width**3 <= GRAM_OPERATIONS:
            with suppress(np.linalg.LinAlgError), np.errstate(all="ignore"):  # squares that overflow have no sums
                grams[part] = Gram.of(arrays.inputs[rows], arrays.targets[rows])
    return grams


def _features(columns: dict[str, Array], targets: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    for index, target in enumerate(targets):
        if target not in columns:
            known = ", ".join(map(repr, islice(columns, 20)))
            raise invalid(f"#/targets/{index}", f"There is no column {target!r}; there are {known}.", "unknown_column")
        if target in seen:
            raise invalid(f"#/targets/{index}", f"{target!r} is named twice.", "duplicate_column")
        seen.add(target)
    features = [name for name in columns if name not in seen]
    if not features:
        raise invalid("#/targets", "Every column is a target; at least one must be left as input.", "no_features")
    return features


def _stack(columns: list[Array], order: Array) -> Array:
    stacked = np.empty((len(order), len(columns)), columns[0].dtype)
    for index, values in enumerate(columns):
        np.take(values, order, out=stacked[:, index])
    return stacked


def _numeric(name: str) -> dict[str, Any]:
    return {"name": name, "kind": "numeric", "width": 1, "categories": None}


def _hash(record: DatasetRecord, arrays: Arrays) -> str:
    schema = [record.features, record.targets, record.parts, record.dtype]
    digest = hashlib.sha256(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
    for array in (arrays.inputs, arrays.targets, arrays.numbers):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def rows(
    record: DatasetRecord, storage: Storage, part: PartName | None, limit: int, after: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of rows, part by part (train, validation, test), each part in the order of the data as it came."""
    arrays = storage.open(record.id)
    whole = record.slice_of(part) if part else slice(0, record.rows)
    start = whole.start + lookup.position_of(after, whole.stop - whole.start)
    stop = min(start + limit, whole.stop)
    names = [column["name"] for column in (*record.features, *record.targets)]
    items = [
        {
            "row": int(arrays.numbers[index]),
            "part": part or record.part_at(index),
            "values": dict(zip(names, (*arrays.inputs[index], *arrays.targets[index]), strict=True)),
        }
        for index in range(start, stop)
    ]
    return items, str(stop - whole.start) if stop < whole.stop else None


def delete(database: Database, storage: Storage, reference: str) -> None:
    """Delete the row, then the files: what a crash leaves in between is swept at the next start.

    Raises:
        NotFound: there is no such dataset.
        Conflict: a job that has not ended holds it (the database's foreign key says so).
    """
    try:
        with database.transaction() as session:
            record = records.find(session, reference)
            session.delete(record)
            session.flush()
    except IntegrityError:
        detail = f"A job that has not ended needs dataset {reference!r}: see /api/jobs?dataset={reference}."
        raise Conflict(detail, "dataset_in_use") from None
    storage.delete(record.id)
