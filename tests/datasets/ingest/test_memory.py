"""Datasets far larger than the memory that storing them takes."""

from pathlib import Path

from tests.support.scripts import printed_by

SCRIPT = """
import sys
from pathlib import Path

import numpy as np

from service.datasets import operations
from service.datasets.table import Chunk, Table, Texts
from service.datasets.schemas import Split
from service.storage.storage import Storage
from tests.support.scripts import peak_memory

ROWS, CHUNKS, COLUMNS = 1 << 16, 20, 40


random = np.random.default_rng(1)
columns = {f"x{n}": random.normal(size=ROWS) for n in range(COLUMNS)}
columns["kind"] = Texts(random.integers(-1, 3, ROWS, np.int32), ["c", "a", "b"])


def chunks():
    for _ in range(CHUNKS):
        yield Chunk(columns, str)


kinds = {f"x{n}": "numeric" for n in range(COLUMNS)} | {"kind": "categorical"}
split = Split.model_validate({"test": {"fraction": 0.2}, "validation": {"fraction": 0.1}})
options = operations.Options(None, ["x0"], split, "float32", "mean")
storage = Storage(Path(sys.argv[1]) / "datasets", Path(sys.argv[1]) / "cache")
before = peak_memory()
record = operations.store(storage, Table(kinds, chunks()), options)
size = record.rows * (COLUMNS + 1) * 4
print(size, peak_memory() - before)
"""
MEBIBYTE = 1 << 20


def test_two_hundred_megabytes_are_stored_in_less_than_half_of_that(tmp_path: Path) -> None:
    size, used = map(int, printed_by(SCRIPT, str(tmp_path)).split())
    assert size > 200 * MEBIBYTE
    assert used < 96 * MEBIBYTE
