"""Columns in a scratch file come back as they went in."""

from pathlib import Path

import numpy as np
import pytest

from service.datasets.ingest.spool import Spool


def test_a_disk_that_takes_a_block_in_pieces_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Spool(tmp_path, 2, "float32") as spool:
        values = np.arange(3.0 * spool.block_rows, dtype=np.float32)
        write = spool._file.write
        monkeypatch.setattr(spool._file, "write", lambda data: write(data[:100_000]))
        spool.append([values, -values])
        assert np.array_equal(spool.column(1, 0, spool.rows), -values)
        assert np.array_equal(spool.block(spool.block_rows)[0], values[spool.block_rows : 2 * spool.block_rows])
