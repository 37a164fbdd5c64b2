"""Bodies packed by gzip are unpacked as they are read, whatever their content."""

import gzip
import io

import pyarrow
import pytest
from pyarrow import parquet

from service.datasets.formats.media_types import MediaType
from service.errors import TooLarge
from tests.support.datasets.reading import read, refusal

FIRST, SECOND = b"x,y\n1,2\n", b"3,4\n"
TABLE = {"x": [1, 3], "y": [2, 4]}


@pytest.mark.parametrize("at_once", [1, 2, 1000])
@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(FIRST + SECOND),
        gzip.compress(FIRST) + gzip.compress(SECOND),
        gzip.compress(FIRST) + gzip.compress(b"") + gzip.compress(SECOND) + bytes(100),
    ],
    ids=["one member", "two members", "members and zeros"],
)
def test_gzip_is_known_by_its_first_bytes(body: bytes, at_once: int) -> None:
    assert read(MediaType.CSV, body, at_once)[1] == TABLE


def test_other_forms_are_unpacked_too() -> None:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(TABLE), out)
    assert read(MediaType.PARQUET, gzip.compress(out.getvalue()))[1] == TABLE


@pytest.mark.parametrize("kept", [2, 5, 12, -1, -9])
def test_gzip_that_breaks_off_is_refused(kept: int) -> None:
    body = gzip.compress(FIRST + SECOND)[:kept]
    assert refusal(MediaType.CSV, body) == ("#", "The gzip of the body breaks off before its end.")


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b, but no gzip", gzip.compress(FIRST) + b"x,y\n", gzip.compress(FIRST)[:-8] + b"checksum"],
    ids=["no gzip", "more behind it", "wrong checksum"],
)
def test_what_only_begins_like_gzip_is_refused(body: bytes) -> None:
    where, what = refusal(MediaType.CSV, body)
    assert where == "#"
    assert what.startswith("The body is not gzip as it should be: ")


def test_the_limit_is_on_what_is_unpacked() -> None:
    body = gzip.compress(b"x,y\n" + b"1,2\n" * 1_000_000)
    assert len(body) < 20_000
    with pytest.raises(TooLarge, match="larger than 1,000,000 bytes"):
        read(MediaType.CSV, body, limit=1_000_000)
    assert len(read(MediaType.CSV, body, limit=4_000_004)[1]["x"]) == 1_000_000
