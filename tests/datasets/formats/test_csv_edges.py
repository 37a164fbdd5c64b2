"""CSV at its edges: ends of lines of several kinds, quoted blanks, first names like other forms, remedies that work."""

import pytest

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.reading import read, refusal


@pytest.mark.parametrize(
    "text",
    ["x,y\r1,2\n3,4\n", "x,y\n1,2\r3,4\r", "x,y\r\n1,2\n3,4\r", "\rx,y\r\n1,2\r\r\n3,4\n", "x,y\r1,2\r\n3,4"],
)
def test_no_row_is_lost_where_lines_end_in_several_ways(text: str) -> None:
    assert read(MediaType.CSV, text.encode())[1] == {"x": [1, 3], "y": [2, 4]}


def test_lines_are_counted_whatever_they_end_in() -> None:
    for text in ("x,y\r1,2\n3,four\n", "x,y\n1,2\r3,four\r", "x,y\r\n1,2\n3,four"):
        assert refusal(MediaType.CSV, text.encode())[1].startswith("Line 3: column 'y' holds 'four'")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('k,y\n"  ",1\na,2\n', [None, "a"]),
        ('k,y\n"\t",1\na,2\n', [None, "a"]),
        ('k;y\n"   ";1\na;2\n', [None, "a"]),
        ('k\ty\n"  "\t1\na\t2\n', [None, "a"]),
        ('y,k\n1,"  "\n2,a', [None, "a"]),
        ('k,y\n" a ",1\na,2\n', [" a ", "a"]),
        ('k,y\n"a,"" "",b",1\na,2\n', ['a," ",b', "a"]),
    ],
)
def test_blanks_in_quotes_are_a_missing_value(text: str, values: list[str | None]) -> None:
    assert read(MediaType.CSV, text.encode())[1]["k"] == values


@pytest.mark.parametrize("name", ["PAR1", "PAR1 ", "BZhang", "%PDFs", "ARROW1", "7z", "sep"])
def test_a_first_name_may_begin_as_other_forms_do(name: str) -> None:
    for delimiter in ",\t;":
        text = f"{name}{delimiter}y\n1{delimiter}2\n"
        assert read(MediaType.CSV, text.encode())[1] == {name.strip(): [1], "y": [2]}


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PAR1\x15\x04", "Parquet"),
        (b"ARROW1\0\0\xff\xff", "an Arrow file"),
        (b"BZh91AY&SY", "packed by bzip2"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"SQLite format 3\0", "a database of SQLite"),
        (b"RDX3\nX\n", "a file of R"),
        (b"@RELATION iris\n", "ARFF"),
        (b"PK\x05\x06", "a zip archive that holds nothing"),
    ],
)
def test_other_forms_are_named(start: bytes, what: str) -> None:
    assert refusal(MediaType.CSV, start + bytes(20))[1].startswith(f"This is no CSV, but {what}: ")


def test_a_first_line_with_a_byte_of_0_is_no_text() -> None:
    assert "first line holds a byte that is 0" in refusal(MediaType.CSV, b"table.csv" + bytes(20))[1]
    assert read(MediaType.CSV, b"run\x007\nx,y\n1,2\n", skip=1)[1] == {"x": [1], "y": [2]}


def test_arff_is_read_below_its_header() -> None:
    body = b"@relation r\n@attribute x numeric\n@attribute y numeric\n@data\n1,2\n3,4\n"
    assert "skip=" in refusal(MediaType.CSV, body)[1]
    for skip, comment in ((4, None), (0, "@")):
        _, values = read(MediaType.CSV, body, skip=skip, comment=comment, header=False, columns=["x", "y"])
        assert values == {"x": [1, 3], "y": [2, 4]}


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1 1:0.5 3:2\n-1 2:1.5\n1 1:3\n", "write a column for each index"),
        ("id   name      y\n1    New York  2\n2    Rome      3\n", "write delimiters between them"),
        ("id name   y\n01JohnDoe02\n02Jane   03\n", "write delimiters between them"),
    ],
    ids=["svmlight", "runs of blanks", "fixed places"],
)
def test_forms_without_delimiters_have_a_remedy(text: str, remedy: str) -> None:
    assert remedy in refusal(MediaType.CSV, text.encode())[1]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \n"])
def test_many_empty_lines_above_a_table_take_no_time(blank: bytes) -> None:
    assert read(MediaType.CSV, blank * 100_000 + b"x,y\n1,2\n")[1] == {"x": [1], "y": [2]}


def test_a_row_that_is_too_long_names_its_delimiter_in_words() -> None:
    remedy = "Put a value that holds {0} in double quotes, or take {0} off the end of the line."
    assert refusal(MediaType.CSV, b"x\ty\n1\t2\n3\t4\t5\n")[1].endswith(remedy.format("a tab"))
    assert refusal(MediaType.CSV, b"x,y\n1,2\n3,4,\n")[1].endswith(remedy.format("','"))
    by_blanks = refusal(MediaType.CSV, b"x  y\n1 2\n3 4 5\n", delimiter="whitespace")[1]
    assert by_blanks.endswith(remedy.format("a blank"))
    halves = refusal(MediaType.CSV, b"x,y\n1,5,2,5\n3,5,4,5\n")[1]
    assert halves.endswith("Otherwise put a value that holds ',' in double quotes.")


def test_skipping_lines_is_advised_only_above_the_header() -> None:
    assert refusal(MediaType.CSV, b"x,y,z\n1,2\n3,4,5\n6,7,8\n")[1].endswith("below the table.")
    title = b"A table of things\nx,y,z\n1,2,3\n3,4,5\n"
    assert "skip=1" in refusal(MediaType.CSV, title)[1]
    assert read(MediaType.CSV, title, skip=1)[1] == {"x": [1, 3], "y": [2, 4], "z": [3, 5]}


def test_rows_shorter_than_the_header_are_no_reason_to_skip_it() -> None:
    said = refusal(MediaType.CSV, b"x,y,z\n1,2,3\n3,4\n5,6\n7,8\n9,10\n")[1]
    assert "skip" not in said
    assert "Line 3" in said


@pytest.mark.parametrize("text", [" 1   2   3\n 4   5   6\n", "1 2  3\n4 5 6\n", "1  2  3\n4  5  6\n"])
def test_runs_of_blanks_are_not_read_as_single_ones(text: str) -> None:
    where, what = refusal(MediaType.CSV, text.encode(), delimiter=" ", header=False)
    assert (where, "delimiter=whitespace" in what) == ("query/delimiter", True)
    columns = read(MediaType.CSV, text.encode(), delimiter="whitespace", header=False)[1]
    assert columns == {"c0": [1, 4], "c1": [2, 5], "c2": [3, 6]}


def test_single_blanks_divide_where_they_are_named() -> None:
    columns = read(MediaType.CSV, b"a b c\n1 2 3\n4  6\n", delimiter=" ")[1]
    assert (columns["a"], columns["c"]) == ([1, 4], [3, 6])
