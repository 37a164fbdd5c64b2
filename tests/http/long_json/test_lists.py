"""Long JSON is read piece by piece, with the result of the whole, and little of it is in memory at a time."""

import asyncio
import json
import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.datasets.formats.json_columns import json_table
from service.errors import DescentError, Invalid
from service.http import json_numbers
from service.http.json_bodies import TooLongForTheLoop, read_json
from service.http.long_json import lists, structure
from service.http.long_json import text as json_text
from service.http.long_json.lists import LongList

MEBIBYTE = 1 << 20
LONG = 8 * MEBIBYTE

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text('a,:"\\[]{}é', max_size=4),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text('a,:"\\[}', max_size=3), inner, max_size=4),
    max_leaves=40,
)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds so small that short bodies are long."""
    for module, name, size in (
        (structure, "BLOCK", 13),
        (lists, "BLOCK", 60),
        (lists, "LONG", 16),
        (lists, "SHORT", 6),
    ):
        monkeypatch.setattr(module, name, size)


def whole(value: Any) -> Any:
    """The value with lists in place of long lists."""
    if isinstance(value, LongList):
        found: list[Any] = []
        for piece in value.pieces():
            assert piece.first == len(found)
            found += map(whole, piece.elements())
        assert len(value) == len(found)
        return found
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value


def read_whole(body: bytes) -> Any:
    return whole(lists.read(body))


TINY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@TINY
@given(value=VALUES, indent=st.sampled_from([None, 1]), ascii=st.booleans())
def test_what_is_read_in_pieces_is_what_was_written(tiny: None, value: Any, indent: int | None, ascii: bool) -> None:
    assert read_whole(json.dumps(value, indent=indent, ensure_ascii=ascii).encode()) == value


@TINY
@given(
    value=VALUES, place=st.integers(0, 500), byte=st.sampled_from([b"", *(bytes([each]) for each in b',:"[]{}\\1 ')])
)
def test_pieces_are_json_where_the_whole_is(tiny: None, value: Any, place: int, byte: bytes) -> None:
    body = json.dumps(value).encode()
    place %= len(body)
    body = body[:place] + byte + body[place + 1 :]
    try:
        expected = json.loads(body)
    except ValueError:
        with pytest.raises(Invalid, match=r"JSON|nested"):
            read_whole(body)
    else:
        assert read_whole(body) == expected


def filled(start: bytes, item: bytes, end: bytes) -> bytes:
    return start + (item + b",") * (LONG // (len(item) + 1) - 1) + item + end


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of each text that was parsed into Python objects."""
    lengths: list[int] = []
    loads = orjson.loads

    def count(text: bytes) -> Any:
        lengths.append(len(text))
        return loads(text)

    monkeypatch.setattr(orjson, "loads", count)
    return lengths


@pytest.mark.parametrize(
    "body",
    [
        filled(b'{"x":[', b"[]", b"]}"),
        filled(b'{"x":[', b"{}", b"]}"),
        filled(b'{"x":[', b'""', b"]}"),
        b'{"x":[' + b"9" * LONG + b"]}",
        b'{"x":["' + b"a" * LONG + b'"]}',
    ],
    ids=["lists", "objects", "texts", "a long number", "a long text"],
)
def test_a_list_of_no_numbers_is_refused_after_its_first_piece(parsed: list[int], body: bytes) -> None:
    with pytest.raises(Invalid):
        json_numbers.column(read_json(body)["x"], "float32", "#/x")
    assert sum(parsed) < 4 * lists.LONG


@pytest.mark.parametrize(
    ("body", "most"),
    [
        (b"[" * LONG, 0),
        (b'{"a":' * (LONG // 6) + b"1" + b"}" * (LONG // 6), 0),
        (b"{" + b",".join([b'"%d":0' % i for i in range(200_000)]) + b"}", lists.MOST_MEMBERS * 8),
        (filled(b"[" * 300, b"1", b"]" * 300), 0),
        (b'{"a":"' + b"a" * LONG + b'"}', 8),
    ],
    ids=["deep", "deep objects", "many members", "long and nested", "a long text"],
)
def test_a_body_is_refused_before_it_is_read(parsed: list[int], body: bytes, most: int) -> None:
    with pytest.raises(Invalid):
        read_whole(body)
    assert sum(parsed) <= most


def taken(body: bytes, width: int) -> int:
    """The bytes at the peak of reading rows, the body itself not counted."""
    tracemalloc.start()
    try:
        rows = json_numbers.matrix(read_json(body)["inputs"], width, "float32", "#/inputs")
        assert rows.shape[1] == width
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_rows_take_their_numbers_and_little_more() -> None:
    body = filled(b'{"inputs":[', b"[1,2,3,4]", b"]}")
    size = taken(body, 4)
    assert size < len(body) // 10 * 16 + 2 * MEBIBYTE


def test_a_row_that_is_long_itself_is_read_in_pieces() -> None:
    row = filled(b"[", b"1.5", b"]")
    width = LONG // 4
    size = taken(b'{"inputs":[%b]}' % row, width)
    assert size < 3 * 4 * width + 4 * MEBIBYTE


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ([*[0.5] * 50_000, "a"], "#/columns/x/50000"),
        ([*[None] * 50_000, *[1] * 50_000, True], "#/columns/x/100000"),
        ([*["a"] * 50_000, 1], "#/columns/x/50000"),
        ([*[1] * 50_000, 1e300], "#/columns/x/50000"),
    ],
)
def test_a_fault_in_a_later_piece_has_its_own_place(values: list[Any], pointer: str) -> None:
    body = read_json(json.dumps({"x": values}).encode())
    with pytest.raises(Invalid) as refused:
        json_table(body, {}, "float32")
    assert refused.value.errors[0].pointer == pointer


def test_columns_read_in_pieces_are_those_read_at_once() -> None:
    columns: dict[str, list[Any]] = {
        "numbers": [index / 3 if index % 7 else None for index in range(40_000)],
        "flags": [index % 3 == 0 if index % 5 else None for index in range(40_000)],
        "texts": [f"t{index % 9}" if index % 4 else None for index in range(40_000)],
    }
    long = read_json(json.dumps(columns).encode())
    assert all(isinstance(values, LongList) for values in long.values())
    for values in (long, columns):
        table = json_table(values, {}, "float64")
        (chunk,) = table.chunks
        assert list(table.kinds.values()) == ["numeric", "boolean", "categorical"]
        expected = [np.nan if value is None else value for value in columns["numbers"]]
        assert np.array_equal(chunk.columns["numbers"], expected, equal_nan=True)  # type: ignore[arg-type]  # numpy reads columns of ours as arrays
        texts: Any = chunk.columns["texts"]
        assert [texts.categories[code] if code >= 0 else None for code in texts.codes] == columns["texts"]


def test_a_long_body_is_not_read_in_the_event_loop() -> None:
    async def read() -> None:
        read_json(filled(b"[", b"1", b"]"))

    with pytest.raises(TooLongForTheLoop):
        asyncio.run(read())


def test_a_recipe_is_counted_before_it_is_read(parsed: list[int]) -> None:
    for body in (b" " * (MEBIBYTE + 1), b"[" + b"0," * 20_000 + b"0]", b'{"a":' * 20_000 + b"1" + b"}" * 20_000):
        with pytest.raises(DescentError, match=r"1,048,576|at most 20,000"):
            json_text.parse_recipe(body)
    assert parsed == []
