"""Arrow and Parquet as other tools write them, and their dates."""

import base64
import io
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import ipc

from service.datasets.faults import Faults
from service.datasets.formats.arrow import values
from service.datasets.formats.media_types import MediaType
from service.errors import Invalid
from tests.support.datasets.reading import read, refusal
from tests.support.datasets.writing import as_npz, as_parquet, as_stream

OF_JAVASCRIPT = base64.b64decode(
    "QVJST1cxAAD/////uAAAABQAAAAAAAAADAAWABQADwAQAAQADAAAACgAAAAAAAAAAAAAAxAAAAAEAAoAGAAMAAgABAAKAAAAFAAA"
    "AFgAAAADAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGAAAAAAAAAAYAAAAAAAAAAAAAAAAAAAAGAAAAAAA"
    "AAAQAAAAAAAAAAAAAAACAAAAAwAAAAAAAAAAAAAAAAAAAAMAAAAAAAAAAAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAB"
    "AAAAAgAAAAMAAAAAAAAA/////wAAAAAQAAAADAAUAA4AEAAEAAgADAAAABAAAAAUAAAAAAAEADAAAAAAAAAAAAAAAAEAAAAIAAAA"
    "AAAAAMAAAAAAAAAAKAAAAAAAAAAIAAgAAAAEAAgAAAAEAAAAAgAAAEwAAAAEAAAAzP///xAAAAAUAAAAAAAAAhgAAAABAAAAeQAA"
    "AAAAAAAIAAwACAAHAAgAAAAAAAABIAAAABAAFAAEAAAADwAQAAAACAAQAAAAEAAAABQAAAAAAAADGAAAAAEAAAB4AAAAAAAAAAAA"
    "BgAIAAYABgAAAAAAAgDYAAAAQVJST1cx"
)
"""Columns x and y by apache-arrow 21.2, tableToIPC(table, 'file'): the stream within the file has no schema."""
WIDE_OF_POLARS = base64.b64decode(
    "/////3gAAAAEAAAA8v///xQAAAAEAAEAAAAKAAsACAAKAAQA+P///wwAAAAIAAgAAAAEAAEAAAAEAAAA7P///zgAAAAgAAAAGAAAAAEC"
    "AAAQABIABAAQABEACAAAAAwAAAAAAPT///+AAAAAAQAAAAgACQAEAAgAAQAAAHgAAAD/////gAAAAAQAAADs////QAAAAAAAAAAUAAAA"
    "BAADAAwAEwAQABIADAAEAOr///8BAAAAAAAAADwAAAAQAAAAAAAKABQABAAMABAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAA"
    "AAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAP////8AAAAA"
)
"""A column x of the type Int128, by polars 2.1."""
OF_POLARS = base64.b64decode(
    "/////yABAAAEAAAA8v///xQAAAAEAAEAAAAKAAsACAAKAAQALP///wQAAAACAAAATAAAAAQAAADs////OAAAACAAAAAYAAAAAQIA"
    "ABAAEgAEABAAEQAIAAAADAAAAAAA9P///0AAAAABAAAACAAJAAQACAABAAAAeQAAAOb///+YAAAAjAAAAGgAAABgAAAAGAAAAAEY"
    "EgAaAAQAGAAZAAgADAAQABQAAQAAAAQAAAD0////IAAAAAwAAAAIAAwABAAIAAgAAAAwOzA7dTMyOwAAAAAQAAAAX1BMX0NBVEVH"
    "T1JJQ0FMMgAAAAAAAAAA+P///wwAAAAIAAgAAAAEAPb///8gAAAAAAAGAAgABAD8////BAAEAAQAAABraW5kAAAAAAAAAAD/////"
    "qAAAAAQAAADs////QAAAAAAAAAAUAAAABAACAAwAEwAQABIADAAEAPj///8MAAAACAAIAAAABADm////AgAAAAAAAABUAAAAKAAA"
    "ABQAAAAAAA4AGAAEAAwAEAAAABQAAQAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAA"
    "AAABAAAAAgAAAAAAAAAAAAAAAAAAAAEAAABhAAAAAAAAAAAAAAABAAAAYgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAD/////sAAAAAQAAADs////gAAAAAAAAAAUAAAABAADAAwAEwAQABIADAAEAOr///8DAAAAAAAAAFwAAAAQAAAA"
    "AAAKABQABAAMABAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAGAAA"
    "AAAAAAAAAAAAAgAAAAMAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/////AAAAAA=="
)
"""A column of categories and a column of numbers by polars 2.1, write_ipc_stream: the categories are views."""
NAN = pytest.approx(float("nan"), nan_ok=True)


def test_a_file_is_read_by_its_footer() -> None:
    for form in (MediaType.ARROW_FILE, MediaType.ARROW_STREAM):
        assert read(form, OF_JAVASCRIPT)[1] == {"x": [1, 2, 3], "y": [1, 2, 3]}


def test_categories_may_be_views() -> None:
    kinds, columns = read(MediaType.ARROW_STREAM, OF_POLARS)
    assert kinds["kind"] == "categorical"
    assert columns["kind"] == ["a", "b", "a"]


@pytest.mark.parametrize("cut", [1, 7, 20, 100])
def test_a_file_that_breaks_off_is_malformed(cut: int) -> None:
    where, what = refusal(MediaType.ARROW_FILE, OF_JAVASCRIPT[:-cut])
    assert (where, what.startswith("The body is no Arrow")) == ("#", True)


@pytest.mark.parametrize("place", range(10, 200, 20))
def test_a_damaged_footer_is_malformed_or_reads_the_same(place: int) -> None:
    damaged = bytearray(OF_JAVASCRIPT)
    damaged[-place] ^= 0xFF
    with suppress(Invalid):  # and nothing else
        assert set(read(MediaType.ARROW_FILE, bytes(damaged))[1]) <= {"x", "y"}


def test_feather_of_version_1_comes_with_the_remedy() -> None:
    assert "write version 2" in refusal(MediaType.ARROW_FILE, b"FEA1" + bytes(40))[1]


def test_the_index_of_pandas_is_left_out_unless_it_is_named() -> None:
    table = pyarrow.table({"x": [1, 2], "__index_level_0__": [5, 7]})
    for form, body in ((MediaType.PARQUET, as_parquet(table)), (MediaType.ARROW_STREAM, as_stream(table))):
        assert read(form, body)[1] == {"x": [1, 2]}
        assert read(form, body, types={"__index_level_0__": "numeric"})[1]["__index_level_0__"] == [5, 7]
        assert read(form, body, named=["__index_level_0__"])[1]["__index_level_0__"] == [5, 7]


def test_bytes_are_texts_where_they_are_utf8() -> None:
    columns = {
        "binary": pyarrow.array([b"a", None, "é".encode()]),
        "large": pyarrow.array([b"a", None, "é".encode()], pyarrow.large_binary()),
        "view": pyarrow.array([b"a", None, "é".encode()], pyarrow.binary_view()),
        "dictionary": pyarrow.array([b"a", None, "é".encode()]).dictionary_encode(),
    }
    for form, written in ((MediaType.PARQUET, as_parquet), (MediaType.ARROW_STREAM, as_stream)):
        assert read(form, written(pyarrow.table(columns)))[1] == {name: ["a", None, "é"] for name in columns}


def test_views_that_name_long_texts_many_times_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "LARGEST_TEXTS", 1000)
    body = as_stream(pyarrow.table({"x": pyarrow.array(["a" * 100] * 11, pyarrow.string_view())}))
    assert "take 1,100 bytes: write them as a dictionary" in refusal(MediaType.ARROW_STREAM, body)[1]


ZONE = timezone(timedelta(hours=2))
DATES: dict[str, tuple[pyarrow.Array, list[Any]]] = {
    "date32": (pyarrow.array([date(1970, 1, 2), None]), [1, NAN]),
    "date64": (pyarrow.array([date(1970, 1, 2), None], pyarrow.date64()), [1, NAN]),
    "seconds": (pyarrow.array([datetime(1970, 1, 2, 12), None], pyarrow.timestamp("s")), [1.5, NAN]),  # noqa: DTZ001 - without zone
    "nanoseconds": (pyarrow.array([datetime(1969, 12, 31), None], pyarrow.timestamp("ns")), [-1, NAN]),  # noqa: DTZ001 - without zone
    "zone": (
        pyarrow.array([datetime(1970, 1, 2, 2, tzinfo=ZONE), None], pyarrow.timestamp("ms", "Europe/Berlin")),
        [1, NAN],
    ),
    "texts": (pyarrow.array(["1970-01-02", None]), [1, NAN]),
    "views": (pyarrow.array(["1970-01-02T06:00Z", None], pyarrow.string_view()), [1.25, NAN]),
    "dictionary": (pyarrow.array([date(1970, 1, 2), None]).dictionary_encode(), [1, NAN]),
    "category": (pyarrow.array(["31.01.1970", None]).dictionary_encode(), [30, NAN]),
}


@pytest.mark.parametrize(("form", "written"), [(MediaType.PARQUET, as_parquet), (MediaType.ARROW_STREAM, as_stream)])
def test_dates_are_days_since_1970_where_their_type_says_so(form: MediaType, written: Any) -> None:
    table = pyarrow.table({name: array for name, (array, _) in DATES.items()})
    kinds, columns = read(form, written(table), dates=list(DATES))
    assert set(kinds.values()) == {"numeric"}
    assert columns == {name: days for name, (_, days) in DATES.items()}


def test_dates_of_numpy_are_days_too() -> None:
    days = np.array(["1970-01-03", "NaT"], "datetime64[s]")
    assert read(MediaType.NPZ, as_npz({"d": days, "x": np.ones(2)}), dates=["d"])[1]["d"] == [2, NAN]


def test_texts_that_are_no_dates_are_faults() -> None:
    noted = Faults()
    table = pyarrow.table({"d": ["1970-01-02", "soon", "later"], "x": [1, 2, 3]})
    columns = read(MediaType.PARQUET, as_parquet(table), dates=["d"], note=noted.note)[1]
    assert [fault.pointer for fault in noted.all] == ["#/columns/d/1", "#/columns/d/2"]
    assert columns["d"] == [1, NAN, NAN]
    assert refusal(MediaType.PARQUET, as_parquet(pyarrow.table({"d": ["1/2/1970"], "x": [1]})), dates=["d"])


def test_what_is_no_date_cannot_become_one() -> None:
    table = pyarrow.table({"d": [timedelta(1)], "n": [5], "x": [1]})
    for name in ("d", "n"):
        where, what = refusal(MediaType.PARQUET, as_parquet(table.drop_columns("dn".replace(name, ""))), dates=[name])
        assert (where, "which are no dates" in what) == ("query/types", True)


def test_a_file_with_several_batches_and_dictionaries_comes_whole() -> None:
    table = pyarrow.table({"x": range(10), "k": pyarrow.array(list("abababcaba")).dictionary_encode()})
    out = io.BytesIO()
    with ipc.new_file(out, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table, max_chunksize=3)
    assert read(MediaType.ARROW_FILE, out.getvalue())[1] == {"x": [*range(10)], "k": list("abababcaba")}


def test_a_moment_is_the_same_in_every_zone() -> None:
    moment = datetime(2020, 6, 1, 12, tzinfo=UTC)
    zones = {zone: pyarrow.array([moment], pyarrow.timestamp("us", zone)) for zone in ("UTC", "Asia/Tokyo")}
    columns = read(MediaType.PARQUET, as_parquet(pyarrow.table(zones)), dates=list(zones))[1]
    assert columns["UTC"] == columns["Asia/Tokyo"] == [(moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(1)]


def test_whole_numbers_of_128_bits_have_a_remedy() -> None:
    assert "cast(pl.Float64)" in refusal(MediaType.ARROW_STREAM, WIDE_OF_POLARS)[1]


def test_arrow_and_parquet_are_told_apart() -> None:
    table = pyarrow.table({"x": [1], "y": [2]})
    assert "application/vnd.apache.parquet" in refusal(MediaType.ARROW_FILE, as_parquet(table))[1]
    out = io.BytesIO()
    with ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    assert "application/vnd.apache.arrow.file" in refusal(MediaType.PARQUET, out.getvalue())[1]
