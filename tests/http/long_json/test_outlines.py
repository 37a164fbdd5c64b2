"""The parts of a long body outside of its lists of values: read with bounds that hold for the body as a whole."""

import codecs
import json
import tracemalloc
from functools import partial
from typing import Any

import pytest

from service.errors import Invalid
from service.http import json_numbers
from service.http.json_bodies import read_json
from service.http.long_json import lists, structure
from service.http.long_json.lists import LongList

MEBIBYTE = 1 << 20
VALUES = b"[" + b"1," * 199 + b"1]"
"""More bytes than are read at once within something long."""


def members(name: bytes, value: bytes, count: int) -> bytes:
    return b"{" + b",".join(b'"%b%d":%b' % (name, index, value) for index in range(count)) + b"}"


def test_all_objects_of_a_body_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    # a quarter of the bound: memory is traced slowly
    monkeypatch.setattr(lists, "_Text", partial(lists._Text, left=lists.OUTLINE // 4))
    part = members(b"k", b"[" + b"[]," * 79 + b"[]]", 240)
    body = members(b"m", part, 2 * MEBIBYTE // len(part))
    tracemalloc.start()
    try:
        with pytest.raises(Invalid, match="takes at most 4,194,304 bytes"):
            read_json(body)
        assert tracemalloc.get_traced_memory()[1] < 32 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_small_objects_around_lists_are_counted_too() -> None:
    body = members(b"m", members(b"k", b'{"a":%b}' % VALUES, 200), 100)
    with pytest.raises(Invalid, match="takes at most 4,194,304 bytes"):
        read_json(body)


def test_long_objects_are_nested_a_few_times_only() -> None:
    depth = lists.MOST_LONG_DEPTH - 2
    for more, refused in ((0, False), (3, True)):
        nested = b'{"a":' * (depth + more) + VALUES + b"}" * (depth + more)
        body = members(b"m", nested, lists.LONG // len(nested) + 1)
        if refused:
            with pytest.raises(Invalid, match="nested more than 20 deep"):
                read_json(body)
        else:
            assert isinstance(read_json(body), dict)


def test_a_list_of_one_piece_needs_no_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    edges = structure._edges

    def count(body: bytes, start: int, stop: int, *rest: Any, **named: Any) -> Any:
        looked_at.append(stop - start)
        return edges(body, start, stop, *rest, **named)

    monkeypatch.setattr(structure, "_edges", count)
    body = members(b"x", VALUES, 1000)
    columns = read_json(body)
    assert all(json_numbers.column(values, "float32", "").size == 200 for values in columns.values())
    assert all(isinstance(values, LongList) for values in columns.values())
    assert sum(looked_at) < 3 * len(body)


def test_a_byte_order_mark_before_a_long_body_is_passed_over() -> None:
    values = list(range(MEBIBYTE))
    body = read_json(codecs.BOM_UTF8 + json.dumps({"x": values}).encode())
    assert isinstance(body["x"], LongList)
    assert json_numbers.column(body["x"], "float64", "").tolist() == values


@pytest.mark.parametrize("start", [b"", b'{"x":'])
@pytest.mark.parametrize("value", [b"1", b"nul", b"\xff\xfe"])
def test_a_long_value_that_is_none_is_refused_unread(start: bytes, value: bytes) -> None:
    end = b"}" if start else b""
    with pytest.raises(Invalid, match=f"no value begins at byte {len(start)}, or too long a one"):
        read_json(start + value * MEBIBYTE + end)


@pytest.mark.parametrize("place", range(5))
def test_white_space_may_be_as_long_as_it_likes(place: int) -> None:
    parts = [b"{", b'"x"', b":", VALUES, b"}"]
    parts.insert(place, b" \n" * lists.LONG)
    assert json_numbers.column(read_json(b"".join(parts))["x"], "float32", "").size == 200


@pytest.mark.parametrize("member", [b'"x" %b', b'"x",%b', b"x:%b", b":%b", b" "])
def test_a_member_has_a_name_and_a_colon(member: bytes) -> None:
    body = b'{"a":%b,%b}' % (b"[%b]" % (b"1," * MEBIBYTE), member.replace(b"%b", VALUES))
    with pytest.raises(Invalid, match="not JSON"):
        read_json(body)
