"""Packed bodies that would become far larger than they are."""

import gzip
import io
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pyarrow
import pytest
from pyarrow import csv, ipc, parquet

from service.datasets.formats.media_types import MediaType
from service.errors import Invalid, TooLarge
from service.http import unpacking
from service.http.compression import Inflate
from service.http.unpacking import FREE, RATIO, check_ratio
from service.models.files import npz
from tests.support.datasets.reading import read
from tests.support.datasets.uploading import HEADER, upload
from tests.support.problems import problem

ROWS = 100_000
NOISE = np.random.default_rng(1).normal(size=ROWS)
TIGHT = {"x": np.zeros(ROWS), "y": np.zeros(ROWS)}
LOOSE = {"x": NOISE, "y": np.zeros(ROWS)}


LITTLE = 1 << 18
"""Bytes that a body may unpack to in any case, in place of what would take long to make."""


@pytest.fixture
def _little_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "FREE", LITTLE)


def written(form: str, columns: dict[str, Any]) -> tuple[MediaType, bytes]:
    """A table in a form that packs well, and its media type."""
    out, table = io.BytesIO(), pyarrow.table(columns)
    match form:
        case "npz":
            np.savez_compressed(out, allow_pickle=False, **columns)
            return MediaType.NPZ, out.getvalue()
        case "csv.gz":
            csv.write_csv(table, out)
            return MediaType.CSV, gzip.compress(out.getvalue())
        case "parquet of runs":
            parquet.write_table(table, out)
            return MediaType.PARQUET, out.getvalue()
        case "parquet of pages":
            parquet.write_table(table, out, compression="zstd", use_dictionary=False)
            return MediaType.PARQUET, out.getvalue()
        case _:
            with ipc.new_stream(out, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
                writer.write_table(table, max_chunksize=ROWS // 4)
            return MediaType.ARROW_STREAM, out.getvalue()


FORMS = ["csv.gz", "npz", "parquet of runs", "parquet of pages", "arrow"]


@pytest.mark.usefixtures("_little_is_free")
@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_unpacks_to_far_more_is_refused(form: str) -> None:
    kind, body = written(form, TIGHT)
    with pytest.raises(TooLarge) as refused:
        read(kind, body)
    assert refused.value.code == "packed_too_tightly"
    assert f"{RATIO} times" in refused.value.detail


@pytest.mark.parametrize("form", FORMS)
def test_what_unpacks_to_little_may_be_packed_as_tightly_as_it_likes(form: str) -> None:
    kind, body = written(form, TIGHT)
    assert len(read(kind, body)[1]["x"]) == ROWS


@pytest.mark.usefixtures("_little_is_free")
@pytest.mark.parametrize("form", ["csv.gz", "parquet of runs", "parquet of pages", "arrow"])
def test_a_column_that_packs_well_beside_others_is_taken(form: str) -> None:
    kind, body = written(form, LOOSE)
    assert len(read(kind, body)[1]["y"]) == ROWS


@pytest.mark.usefixtures("_little_is_free")
def test_each_member_of_an_archive_is_looked_at() -> None:
    kind, body = written("npz", LOOSE)
    with pytest.raises(TooLarge):
        read(kind, body)
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **LOOSE)
    assert len(read(kind, out.getvalue())[1]["y"]) == ROWS  # as the message advises


@pytest.mark.usefixtures("_little_is_free")
def test_members_are_added_up_and_may_not_share_their_bytes() -> None:
    _, body = written("npz", {f"x{number}": np.zeros(100_000) for number in range(20)})
    with pytest.raises(TooLarge):  # 800 kB each
        read(MediaType.NPZ, body)
    members = [zipfile.ZipInfo(f"x{number}.npy") for number in range(300)]
    for member in members:  # each would be the same 1000 bytes
        member.compress_size, member.file_size = 1000, 150_000
    with pytest.raises(TooLarge):
        unpacking.check_members(members, 1000 + 300 * 46)


@pytest.mark.usefixtures("_little_is_free")
def test_packing_twice_does_not_help() -> None:
    kind, tight = written("arrow", {"x": np.tile(NOISE[:200], ROWS // 200), "y": np.zeros(ROWS)})
    assert len(tight) > len(gzip.compress(tight))
    for packed in (tight, gzip.compress(tight)):
        with pytest.raises(TooLarge):
            read(kind, packed)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_in_other_packings_are_refused_unread(method: int) -> None:
    member, out = io.BytesIO(), io.BytesIO()
    np.save(member, np.zeros(3))
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("y.npy", member.getvalue())
    for reading in (lambda: read(MediaType.NPZ, out.getvalue()), lambda: npz.read(out.getvalue())):
        with pytest.raises(Invalid, match="NumPy stores or deflates"):
            reading()


@pytest.mark.usefixtures("_little_is_free")
def test_parameters_in_an_archive_are_looked_at_too() -> None:
    _, body = written("npz", TIGHT)
    with pytest.raises(TooLarge):
        npz.read(body)


def test_an_upload_of_more_than_64_mebibytes_is_413(http: httpx.Client) -> None:
    row = b"0." + b"0" * 1000 + b",0\n"
    answer = upload(http, gzip.compress(HEADER + row * (FREE // len(row) + 1), 6))
    assert problem(answer, 413)["code"] == "packed_too_tightly"
    assert upload(http, gzip.compress(HEADER + row * (FREE // len(row) - 1), 6)).status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_coded_body_is_unpacked_as_far_as_it_may_and_no_further(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    free = FREE // 8
    monkeypatch.setattr(unpacking, "FREE", free)
    compress: Callable[[bytes], bytes] = gzip.compress if coding == "gzip" else zlib.compress
    bomb, limit = compress(bytes(4 * free)), 1 << 30
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge) as refused:
            Inflate(coding, limit)(bomb, True)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * free  # Python may move a buffer that grows
    finally:
        tracemalloc.stop()
    assert refused.value.code == "packed_too_tightly"
    assert len(Inflate(coding, limit)(compress(bytes(free)), True)) == free
    piece = np.random.default_rng(1).bytes(1000) + bytes(100_000)
    assert len(Inflate(coding, limit)(compress(piece * 100), True)) == len(piece) * 100 > free


@pytest.mark.parametrize(("packed", "unpacked"), [(0, FREE), (1 << 20, RATIO << 20)])
def test_the_rule_holds_to_the_byte(packed: int, unpacked: int) -> None:
    check_ratio(packed, unpacked)
    with pytest.raises(TooLarge):
        check_ratio(packed, unpacked + 1)
