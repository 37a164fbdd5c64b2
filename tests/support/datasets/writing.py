"""Tables as the bytes of each form that datasets are read from."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow
from pyarrow import csv, ipc, parquet


def as_csv(table: pyarrow.Table) -> bytes:
    out = io.BytesIO()
    csv.write_csv(table, out)
    return out.getvalue()


def as_parquet(table: pyarrow.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out, **options)
    return out.getvalue()


def as_stream(table: pyarrow.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    with ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table, **options)
    return out.getvalue()


def as_npz(columns: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **columns)
    return out.getvalue()
