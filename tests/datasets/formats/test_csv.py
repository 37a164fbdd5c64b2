"""CSV is read however it is written, in blocks that are cut anywhere."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.datasets.formats.csv import blocks
from service.datasets.formats.media_types import MediaType
from service.errors import Invalid
from tests.support.datasets.reading import read

NAN = pytest.approx(float("nan"), nan_ok=True)


def read_csv(text: str | bytes, **options: Any) -> tuple[dict[str, str], dict[str, list[Any]]]:
    return read(MediaType.CSV, text.encode() if isinstance(text, str) else text, **options)


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3,4\n",
        "x,y\n1,2\n3,4",
        "x,y\r\n1,2\r\n3,4\r\n",
        "x,y\r1,2\r3,4",
        '"x","y"\n"1","2"\n3,"4"\n',
        "x,y\n+1.0,2e0\n3.,.4e1\n",
        "x,y\n 1, 2 \n3,4\n",
        "\n\nx,y\n\n1,2\n\n\n3,4\n\n",
        "\r\n\r\nx,y\r\n\r\n1,2\r\n\r\n3,4",
        "\ufeffx,y\n1,2\n3,4\n",
        "x;y\n1;2\n3;4\n",
        "x\ty\n1\t2\n3\t4\n",
        "x|y\n1|2\n3|4\n",
    ],
)
def test_the_same_table_in_many_writings(text: str) -> None:
    assert read_csv(text)[1] == {"x": [1, 3], "y": [2, 4]}


def test_the_delimiter_may_be_said() -> None:
    assert read_csv("a,b:c\n1,5:2\n", delimiter=":", types={"a,b": "categorical"})[1] == {"a,b": ["1,5"], "c": [2]}
    assert read_csv("a b\n1 2\n", delimiter=" ")[1] == {"a": [1], "b": [2]}


def test_the_delimiter_is_what_divides_all_rows_alike() -> None:
    assert read_csv('when; "what, and why"\n1;"a, b, c"\n2;d\n')[0] == {
        "when": "numeric",
        "what, and why": "categorical",
    }
    assert read_csv("a;b;c\nx,y;1;2\nz;3;4\n")[1] == {"a": ["x,y", "z"], "b": [1, 3], "c": [2, 4]}


def test_blanks_around_a_name_are_no_part_of_it() -> None:
    assert list(read_csv("x, y \n1,2\n")[0]) == ["x", "y"]


def test_a_text_without_a_header_gets_names() -> None:
    assert read_csv("1,a\n2,b\n", header=False)[1] == {"c0": [1, 2], "c1": ["a", "b"]}
    assert read_csv("1,a\n2,b\n", header=False, columns=["n", "t"])[1] == {"n": [1, 2], "t": ["a", "b"]}


def test_quotes_hold_delimiters_quotes_and_ends_of_lines() -> None:
    text = 'name,"a ""b"", c"\r\n"x, y",1\r\n"say ""hi""",2\r\n"two\r\nlines",3\r\n'
    assert read_csv(text)[1] == {"name": ["x, y", 'say "hi"', "two\r\nlines"], 'a "b", c': [1, 2, 3]}


def test_kinds_are_those_of_the_first_values() -> None:
    kinds, columns = read_csv("n,b,t,none,late\n1,TRUE,x,,\n2.5,faLSE,7,NA,\n-1e3,true,true,null,0.5\n")
    assert kinds == {"n": "numeric", "b": "boolean", "t": "categorical", "none": "numeric", "late": "numeric"}
    assert columns["n"] == [1, 2.5, -1000]
    assert columns["b"] == [1, 0, 1]
    assert columns["t"] == ["x", "7", "true"]
    assert columns["late"] == [NAN, NAN, 0.5]


def test_types_that_are_set_count_more_than_guesses() -> None:
    text = "zip,flag,truth,when\n01,1,true,2026-01-31\n2.0,0,false,2026-02-28\n"
    types = {"zip": "categorical", "flag": "boolean", "truth": "categorical", "when": "categorical"}
    kinds, columns = read_csv(text, types=types)
    assert kinds == types
    assert columns["zip"] == ["01", "2.0"]
    assert columns["flag"] == [1, 0]
    assert columns["truth"] == ["true", "false"]
    assert columns["when"] == ["2026-01-31", "2026-02-28"]


def test_truth_may_be_written_with_a_point_where_its_type_is_set() -> None:
    text = "x,flag\n1,1.0\n2,0.0\n3,1\n"
    assert read_csv(text, types={"flag": "boolean"})[1]["flag"] == [1, 0, 1]
    assert read_csv(text)[0]["flag"] == "numeric"


def test_a_semicolon_within_texts_is_no_delimiter_where_another_fits() -> None:
    assert read_csv("1,a;b\n2,c;d\n", header=False)[1] == {"c0": [1, 2], "c1": ["a;b", "c;d"]}


@pytest.mark.parametrize(
    "missing", ["", '""', "NA", '"NA"', "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL"]
)
def test_some_texts_mean_that_a_value_is_missing(missing: str) -> None:
    _, columns = read_csv(f"n,b,t\n1,true,x\n{missing},{missing},{missing}\n")
    assert columns == {"n": [1, NAN], "b": [1, NAN], "t": ["x", None]}


def test_a_column_may_turn_to_fractions_after_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    rows = 1000
    _, columns = read_csv("x,y\n" + "1,2\n" * rows + "1.5,2.5\n", at_once=7)
    assert columns == {"x": [1] * rows + [1.5], "y": [2] * rows + [2.5]}


def test_blank_stretches_longer_than_a_block_hold_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 16)
    assert read_csv("x,y\n" + "\n" * 100 + "1,2\n" + "\n" * 100, at_once=7)[1] == {"x": [1], "y": [2]}
    assert read_csv("x,y\n" + "\n" * 100, at_once=7)[1] == {"x": [], "y": []}


def test_marks_of_inches_are_no_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    text = 'width,what\n1,5" pipe\n' + "2,pipe\n" * 50
    assert read_csv(text, at_once=7)[1] == {"width": [1] + [2] * 50, "what": ['5" pipe'] + ["pipe"] * 50}


TEXTS = st.text(st.sampled_from('ab ,"\n;é'), min_size=1, max_size=6)


@settings(max_examples=100)
@given(
    rows=st.lists(st.tuples(TEXTS, st.integers(-99, 99), TEXTS), min_size=1, max_size=20),
    block=st.integers(64, 200),
    at_once=st.integers(1, 50),
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
)
def test_what_python_writes_is_read_as_it_was(
    rows: list[tuple[str, int, str]], block: int, at_once: int, newline: str, quoting: Any
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=newline, quoting=quoting)
    writer.writerows([("text", "number", "other"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        types = {"text": "categorical", "other": "categorical"}
        _, columns = read_csv(out.getvalue(), types=types, delimiter=",", at_once=at_once)

    def as_read(text: str) -> str | None:
        in_quotes = quoting != csv.QUOTE_MINIMAL or not {*',"\n'}.isdisjoint(text)
        return None if not text.strip(" ") else text if in_quotes else text.strip(" ")

    expected = [(as_read(text), number, as_read(other)) for text, number, other in rows]
    assert [*zip(columns["text"], columns["number"], columns["other"], strict=True)] == expected


SPELLINGS = [
    *("0", "-0", "+1", ".5", "1.", "1e5", "1E-5", " 1", "1\t", "00", "0x10", "99999999999999999999", "1e400", "nan"),
    *("true", "FALSE", "infinity", "2026-01-01", "12:30", "1_0", "--1", "+-1", "1e", "e5", "1,5", "1f", "-", ".", "１"),
]
CELLS = st.sampled_from(SPELLINGS) | st.text(st.characters(codec="utf-8", exclude_characters='"\r\n'), max_size=3)


@settings(max_examples=120)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_any_csv_is_a_table_or_has_a_line_that_is_not(rows: list[tuple[str, str]]) -> None:
    text = "x,y\n" + "".join(f'"{x}","{y}"\n' for x, y in rows)
    try:
        _, columns = read_csv(text, delimiter=",")
    except Invalid as refused:
        places = ("Line 2 holds ", *(f"Line {line}: column " for line in range(2, 7)))  # units may stand above numbers
        assert refused.detail.startswith(places)  # noqa: PT017 - either is right
    else:
        assert [len(column) for column in columns.values()] == [len(rows), len(rows)]


@settings(max_examples=120)
@given(st.binary(max_size=30))
def test_any_bytes_are_a_table_or_refused(body: bytes) -> None:
    try:
        _, columns = read_csv(body)
    except Invalid:
        return
    assert columns
