"""Faults of a CSV text are reported with line, column and the text there."""

from pathlib import Path
from typing import Any

import pytest

from service.datasets.formats.csv import blocks
from service.datasets.formats.media_types import MediaType
from service.datasets.formats.read import read_table
from service.datasets.table import ReadOptions
from tests.support.datasets.reading import Trickle, read, refusal

SHORT_ROWS = "x,y\n" + "1,2\n" * 100


def refused(text: str | bytes, **options: Any) -> tuple[str, str]:
    return refusal(MediaType.CSV, text.encode() if isinstance(text, str) else text, **options)


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        ("x,y\n1,2\n3,many\n", "y/1", "Line 3: column 'y' holds 'many', which is no number."),
        ("x,y\n1,2\n\n\n3,many\n", "y/1", "Line 5: column 'y' holds 'many', "),
        ("x,y\r\n1,2\r\n3,many\r\n", "y/1", "Line 3: column 'y' holds 'many', "),
        ("x,y\r1,2\r3,many\r", "y/1", "Line 3: column 'y' holds 'many', "),
        ('x,y,z\n1,2,"a\nb"\n3,many,c\n', "y/1", "Line 4: column 'y' holds 'many', "),
        ('x,y,z\n1,2,5" pipe\n3,many,c\n', "y/1", "Line 3: column 'y' holds 'many', "),
        ("\ufeff\nx,y\n1,2\n3,many\n", "y/1", "Line 4: column 'y' holds 'many', "),
        ("x,y\n1,2\n1_000,4\nabc,5\n", "x/1", "Line 3: column 'x' holds '1_000', "),
        ('x,y\n1,2\n"1,000",4\n', "x/1", "Line 3: column 'x' holds '1,000', "),
        ('x,y\n1,2\n"it\'s",4\n', "x/1", "Line 3: column 'x' holds \"it's\", "),
        ("x,y\n1,2\n３,4\n", "x/1", "Line 3: column 'x' holds '３', "),  # a wide 3
        (b"x,y\n1,2\n\xff,4\n", "x/1", "Line 3: column 'x' is not UTF-8"),
        (b"x,y\n1,2\n\x00,4\n", "x/1", "Line 3: column 'x' holds '\\x00', "),
        (b"x,y\n1,ja\n2,\xff\n", "y/1", "Line 3: column 'y' is not UTF-8."),
        ("x,y\n1,true\n2,yes\n", "y/1", "Line 3: column 'y' holds 'yes', which is neither true nor false."),
        ("a/b,y\n1,2\nx,4\n", "a~1b/1", "Line 3: column 'a/b' holds 'x', "),
        (f"x,y\n1,2\n3,{'4' * 60}z\n", "y/1", f"Line 3: column 'y' holds '{'4' * 50}', "),
    ],
)
def test_a_value_that_is_not_like_the_first(text: str | bytes, pointer: str, detail: str) -> None:
    where, what = refused(text)
    assert where == f"#/columns/{pointer}"
    assert what.startswith(detail)


def test_a_value_of_another_kind_comes_with_advice() -> None:
    assert refused("x,y\n1,2\n3,many\n")[1].endswith("If it is to hold texts, set its type: types=y:categorical.")


@pytest.mark.parametrize(
    "value",
    [
        *("2026-01-31", "31.12.2026", "12/31/26", "2026/1/31", "2026-01"),
        *("2026-01-31 12:30", "2026-01-31T12:30:00Z", "2026-01-31T12:30:00.5+01:00"),
    ],
)
def test_dates_and_times_come_with_advice(value: str) -> None:
    where, what = refused(f"x,y\n,1\n{value},2\n")
    assert where == "#/columns/x/1"
    assert what == (
        f"Line 3: column 'x' holds {value!r}, a date or a time: types=x:date reads dates as days since 1970-01-01, "
        "ignore=x leaves the column out; or give numbers, such as the days since some day, or set its type to "
        "categorical."
    )


@pytest.mark.parametrize("texts", ["207a,229b,31c", "N1,N2,N3", "pi,e,rho", "1/2,3/4,5/6"])
def test_a_column_of_numbers_and_then_several_texts_is_rather_one_of_texts(texts: str) -> None:
    first, *others = texts.split(",")
    where, what = refused("x,y\n1,2\n" + "".join(f"{text},3\n" for text in (first, *others)))
    assert where == "#/columns/x/1"
    assert what.startswith(f"Line 3: column 'x' holds {first!r} and 2 more texts: types=x:categorical takes")


def test_a_column_of_numbers_and_then_very_many_texts_is_best_left_out() -> None:
    what = refused("x,y\n1,2\n" + "".join(f"N{row},3\n" for row in range(300)))[1]
    assert what == "Line 3: column 'x' holds 'N0' and 299 more texts: ignore=x leaves the column out."


def test_numbers_as_people_write_them_are_never_several_texts() -> None:
    what = refused('x,y\n1,2\n"1,000",2\n"2,000",3\n"3,000",4\n')[1]
    assert "thousands=," in what


def test_numbers_with_commas_are_not_taken_for_texts() -> None:
    where, what = refused("x;y\n1,5;2\n")
    assert where == "#/columns/x/0"
    assert what.startswith("Line 2: column 'x' holds '1,5', a number with a comma: ")


def test_a_comma_within_numbers_is_no_delimiter_where_another_divides_too() -> None:
    where, what = refused("0,5;2\n1,5;6\n", header=False)
    assert where == "#/columns/c0/0"
    assert what.startswith("Line 1: column 'c0' holds '0,5', a number with a comma: ")


def test_faults_far_into_the_text_name_its_lines_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    where, what = refused(SHORT_ROWS + "\n3,many\n", at_once=7)
    assert where == "#/columns/y/100"
    assert what.startswith("Line 103: column 'y' holds 'many'")
    assert refused(SHORT_ROWS + "1\n", at_once=7)[1].startswith("Line 102 has 1 values, but")


def test_missing_values_can_be_found_in_the_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    body = Trickle((SHORT_ROWS + "\n,4\n").encode(), at_once=7)
    *_, last = read_table(MediaType.CSV, body, ReadOptions(1 << 20), tmp_path).chunks
    assert last.rows < 100
    assert last.where(last.rows - 1) == "Line 103"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("x,y\n1,2\n3,4,5\n", "Line 3 has 3 values, but the header names 2 columns. Put a value that holds ','"),
        ("x,y\n1,2\n\n3\n", "Line 4 has 1 values, but the header names 2 columns. Leave the line out"),
        ("", "The body is empty"),
        ("\n\r\n\n", "The body is empty"),
        ("y\n1\n", "There is one column, 'y': give at least two columns, or the delimiter between them."),
        ("x\x01,y\n1,2\n", "Column 1 is named 'x\\x01'"),
        (f"{'x' * 501},y\n1,2\n", "Column 1 is named"),
        (b"x\xff,y\n1,2\n", "Line 1 is not UTF-8."),
        (f"{'x' * 200_000},y\n1,2\n", "Line 1 is not CSV: field larger than field limit"),
        (",".join(f"c{i}" for i in range(4097)) + "\n", "There are 4,097 columns; at most 4,096 are read."),
        ('x,y\n1,a\n2,"b\n3,c\n', "Line 3 has a quote that is never closed."),
    ],
)
def test_what_is_no_table(text: str | bytes, detail: str) -> None:
    where, what = refused(text)
    assert where == "#"
    assert what.startswith(detail)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('x,y\n1,a\n2,"abc', 3),
        ('x,y\n1,a\n2,"abc\n', 3),
        ('x,y\n1,a\n2,"abc""', 3),
        ('x,y\n1,a\n2,"NA', 3),
        ('x,y\n1,2\n3,"4', 3),
        ('x,y\n1,2\n3,"4\n', 3),
        ('x,y\n1,true\n2,"true', 3),
        ('x,y\n1,2\n3,"4\n5,6\n7,8\n', 3),
        ('x,y\n1,2\n"3,4\n5,6\n', 3),
        ('x,y\r1,a\r2,"b\r3,c', 3),
        ('x,y\r\n1,a\r\n2,"b\r\n3,c', 3),
        ('x,y,z\n1,a,b\n2,"a\nb","c\nd\n', 4),
        (f'x,y\n1,a\n2,"{"b" * 200_000}\n3,c\n', 3),
        ('x,y\n1,a\n2,5" pipe\n3,6" pipe\n4,"b""c"\n5,"e\n', 6),
    ],
    ids=repr,
)
def test_a_quote_that_is_never_closed_is_where_it_begins(text: str, line: int) -> None:
    assert refused(text) == ("#", f"Line {line} has a quote that is never closed.")


def test_a_quote_that_is_never_closed_is_found_in_later_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    assert refused("x,y\n" + "1,a\n" * 100 + '2,"b', at_once=7)[1] == "Line 102 has a quote that is never closed."


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ('x,y\n1,5" pipe\n2,"a\nb"\n', "a\nb"),
        ('x,y\n1,5" pipe\n2,"a\nb"', "a\nb"),
        ('x,y\n1,a\n2,5" pipe', '5" pipe'),
        ('x,y\n1,a\n2,5"', '5"'),
    ],
)
def test_a_quote_within_a_text_need_not_be_closed(text: str, last: str) -> None:
    assert read(MediaType.CSV, text.encode())[1]["y"][-1] == last


def test_a_row_longer_than_a_block_is_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    assert refused(SHORT_ROWS + "1" * 200, at_once=7)[1].startswith("Line 102 is longer than 64 bytes")


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"columns": ["a", "b", "c"]}, "query/columns"),
        ({"columns": ["a"], "header": False}, "query/columns"),
        ({"types": {"z": "numeric"}}, "query/types"),
        ({"delimiter": '"'}, "query/delimiter"),
        ({"delimiter": "\n"}, "query/delimiter"),
        ({"delimiter": "€"}, "query/delimiter"),
    ],
)
def test_options_that_do_not_fit_the_text(options: dict[str, Any], pointer: str) -> None:
    assert refused("x,y\n1,2\n", **options)[0] == pointer


def test_many_different_texts_are_refused_early() -> None:
    text = "id,y\n" + "".join(f"t{i},{i}\n" for i in range(257))
    where, what = refused(text)
    assert where == "#/columns/id"
    assert what.startswith("Column 'id' has more than 256 different texts, too many for categories: leave it out, ")
    assert "ignore=id" in what


def test_different_texts_are_counted_over_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    assert refused("id,y\n" + "".join(f"t{i},{i}\n" for i in range(257)), at_once=7)[0] == "#/columns/id"


@pytest.mark.parametrize("length", [1001, 200_000])
def test_long_texts_are_no_categories(length: int) -> None:
    where, what = refused(f"x,y\n1,short\n2,{'a' * length}\n3,short\n")
    assert where == "#/columns/y"
    assert what.startswith(f"Line 3: column 'y' holds a text of {length:,} characters")


@pytest.mark.parametrize("form", MediaType)
def test_what_breaks_off_the_body_comes_through(form: MediaType, tmp_path: Path) -> None:
    class BreaksOff(Trickle):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            if not piece:
                raise ConnectionResetError
            return piece

    with pytest.raises(ConnectionResetError):
        read_table(form, BreaksOff(b"x,y\n1,2\n", at_once=4), ReadOptions(1 << 20), tmp_path)


def test_a_table_may_be_left_half_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    body = Trickle((SHORT_ROWS + "x,y\n").encode(), at_once=7)
    chunks = read_table(MediaType.CSV, body, ReadOptions(1 << 20), tmp_path).chunks
    assert next(chunks).rows
    chunks.close()
    assert list(chunks) == []


def test_a_text_whose_line_ends_were_lost_is_told_from_one_with_odd_names() -> None:
    assert "--data-binary" in refused("x,y1,23,4")[1]
