"""CSV in other encodings, below other lines, with other numbers, or packed, is read or named with the remedy."""

import bz2
import io
import lzma
import zipfile
from typing import Any

import httpx
import pytest

from service.datasets.formats.csv import blocks
from service.datasets.formats.media_types import MediaType
from tests.support.datasets.reading import read, refusal
from tests.support.datasets.uploading import upload
from tests.support.datasets.writing import as_npz

TABLE = {"x": [1, 3], "y": [2, 4]}
CSV = {"Content-Type": "text/csv"}
CITIES = "Ort,y\nKöln,1\nBonn,2\n"


def columns(text: str | bytes, **options: Any) -> dict[str, list[Any]]:
    return read(MediaType.CSV, text.encode() if isinstance(text, str) else text, **options)[1]


def refused(text: str | bytes, **options: Any) -> tuple[str, str]:
    return refusal(MediaType.CSV, text.encode() if isinstance(text, str) else text, **options)


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__csv", ".csv").replace("__xml", ".xml"), data)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "utf-16", "utf-32", "UTF8"])
def test_an_encoding_may_be_named(encoding: str) -> None:
    for at_once in (1, 1000):
        assert columns(CITIES.encode(encoding), encoding=encoding, at_once=at_once)["Ort"] == ["Köln", "Bonn"]


def test_the_encoding_may_be_in_the_mark_or_the_content_type(http: httpx.Client) -> None:
    assert columns(CITIES.encode("utf-16"))["Ort"] == ["Köln", "Bonn"]
    made = upload(http, CITIES.encode("cp949", "replace"), 'text/csv; charset="iso-8859-1"').json()
    assert made["rows"] == 2
    made = upload(http, CITIES.encode("latin-1"), "text/csv; charset=utf-8", encoding="latin-1").json()
    assert made["features"][0]["categories"] == ["Bonn", "Köln"]


def test_the_content_type_tells_of_a_header(http: httpx.Client) -> None:
    made = upload(http, "1,2\n3,4\n", "text/csv; header=absent", targets="c1").json()
    assert (made["rows"], made["features"][0]["name"]) == (2, "c0")
    assert upload(http, "x,y\n1,2\n3,4\n", "text/csv; header=present").json()["rows"] == 2
    assert upload(http, "x,y\n1,2\n3,4\n", "text/csv;charset=utf-8;Header=Absent", header="true").json()["rows"] == 2


def test_values_between_tabs_may_hold_any_other_delimiter(http: httpx.Client) -> None:
    text = "x;a,b\ty;c,d\nu;a,b\t1\nv;c,d\t2\n"
    kind = "text/tab-separated-values; charset=utf-8"
    made = upload(http, text, kind, targets="y;c,d").json()
    assert made["features"][0]["name"] == "x;a,b"
    assert upload(http, "x,y\n1,2\n3,4\n", kind, delimiter=",").json()["rows"] == 2


@pytest.mark.parametrize("encoding", ["klingon", "idna", "hex", "unicode_escape", "x\0"])
def test_what_is_no_encoding_is_refused(encoding: str) -> None:
    assert refused(CITIES, encoding=encoding)[0] == "query/encoding"


def test_text_that_is_not_in_its_encoding_is_refused_with_the_remedy() -> None:
    assert "encoding=latin-1" in refused(CITIES.encode("latin-1"))[1]
    assert "encoding=latin-1" in refused("Köln,y\n1,2\n".encode("latin-1"))[1]
    windows = "Käse,Preis,y\nGouda,5 €,1\n".encode("cp1252")
    assert "encoding=cp1252" in refused(windows)[1]
    assert "encoding=cp1252" in refused(windows.replace(b"K\xe4se", b"Kase"))[1]
    assert refused(CITIES.encode("latin-1"), encoding="cp949")[0] == "query/encoding"


def test_lines_above_the_header_are_skipped_and_others_keep_their_numbers() -> None:
    for newline in ("\n", "\r\n", "\r"):
        text = newline.join(['made by "instrument 7', "units, m, s", "x,y", "1,2", "3,4", ""])
        for at_once in (1, 7, 1000):
            assert columns(text, skip=2, at_once=at_once) == TABLE
    assert refused('a "b\n\nx,y\n1,2\n3,z\n', skip=2)[1].startswith("Line 5: column 'y' holds 'z'")


def test_comments_are_no_lines_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    text = "\ufeff# it's 5\" wide\n#\nx,y\n1,2\n# more\n3,4\n" + "# last" * 3
    assert columns(text, comment="#", at_once=7) == TABLE
    assert refused("# a\nx,y\n1,2\n# b\n3,#z\n", comment="#")[1].startswith("Line 5: column 'y' holds '#z'")


def test_lines_above_the_header_are_named_with_the_remedy() -> None:
    text = "# made by instrument 7, run 3\n# units: m\nx,y\n1,2\n3,4\n"
    assert "skip=2, or comment=%23" in refused(text)[1]
    assert columns(text, skip=2) == columns(text, comment="#") == TABLE


def test_excels_line_names_the_delimiter() -> None:
    assert columns("sep=;\r\nx;y\r\n1;2\r\n3;4\r\n") == TABLE
    assert columns('"sep=:"\nx:y\n1:2\n3:4\n') == TABLE
    assert columns("SEP=\t\nx\ty\n1\t2\n3\t4\n") == TABLE


def test_runs_of_blanks_divide_where_nothing_else_does() -> None:
    assert columns(" x   y \n 1 \t 2\n3   4  \n") == TABLE
    assert columns("1  2\n3  4\n", header=False) == {"c0": [1, 3], "c1": [2, 4]}
    assert columns('x "a b"\n1 "c  d"\n', delimiter="whitespace") == {"x": [1], "a b": ["c  d"]}
    assert columns('"x" "y"\n"1" 1 2\n"2" 3 4\n') == TABLE
    assert columns("a b,y\nc d,1\n") == {"a b": ["c d"], "y": [1]}
    assert refused("x  y\n1 2\n3  z\n")[1].startswith("Line 3: column 'y' holds 'z'")


def test_numbers_may_be_written_with_commas_and_thousands() -> None:
    assert columns("x;y\n1,5;2\n-0,25e1;4\n", decimal=",") == {"x": [1.5, -2.5], "y": [2, 4]}
    assert columns("x;y\n1.234,50;2\n;4\n12;1.000.000\n", decimal=",", thousands=".")["y"] == [2, 4, 1e6]
    text = 'x,y\n"1,234.50",1\n987.25,2\n'
    assert columns(text, thousands=",") == {"x": [1234.5, 987.25], "y": [1, 2]}
    where, what = refused('x,y\n"1,234",1\n"1,5",2\n', thousands=",")
    assert (where, what[:34]) == ("#/columns/x/1", "Line 3: column 'x' holds '1,5', a ")
    assert refused(text, thousands="x")[0] == refused(text, thousands=".")[0] == "query/thousands"


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        *(("1,234.50", "thousands=,"), ("-1,234,567", "thousands=,"), ("1,234", "thousands=,"), ("1,5", "decimal=,")),
        *(("1.234,50", "decimal=,&thousands=."), ("1.234.567", "thousands=."), ("1'234.5", "thousands='")),
        *(("$12.50", "sign"), ("12,50 €", "sign"), ("($3)", "sign"), ("-$3", "sign"), ("50%", "sign")),
    ],
)
@pytest.mark.parametrize("before", ["", "987.25;2\n"])
def test_a_number_in_other_writing_is_never_a_category(value: str, remedy: str, before: str) -> None:
    where, what = refused(f"x;y\n{before}{value};1\n", delimiter=";")
    assert where == f"#/columns/x/{len(before) and 1}"
    assert remedy in what
    assert "types=x:categorical" in what
    assert columns(f"x;y\n{value};1\n", delimiter=";", types={"x": "categorical"})["x"] == [value]


@pytest.mark.parametrize(
    "value", ["1.2.3", "192.168.0.1", "555-1234", "a,b", "1/2", "1001-1", "1200/8", "1234-101", "2041-000", "1920/80"]
)
def test_other_texts_of_digits_are_categories(value: str) -> None:
    assert columns(f"x;y\n{value};1\n", delimiter=";")["x"] == [value]


@pytest.mark.parametrize("first", ["2041-300", "1920/1", "2019-12", "12/1920", "2020 5 6"])
def test_what_may_be_a_date_is_one_where_most_of_its_neighbours_are(first: str) -> None:
    codes, dates = ["1001-512", "3840/2", "7-8080", "4711-77"], ["2041-017", "1950/2", "01/1960", "2020-01-02"]
    assert columns("x;y\n" + "".join(f"{each};1\n" for each in (first, *codes)), delimiter=";")["x"][0] == first
    where, what = refused("x;y\n" + "".join(f"{each};1\n" for each in (first, *dates)), delimiter=";")
    assert (where, "types=x:date" in what) == ("#/columns/x/0", True)


@pytest.mark.parametrize(
    ("body", "remedy"),
    [
        (bz2.compress(b"x,y\n1,2\n"), "bzip2: unpack it"),
        (lzma.compress(b"x,y\n1,2\n"), "xz: unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save the sheet as CSV"),
        (zipped(**{"[Content_Types]__xml": b"", "xl/workbook__xml": b""}), "Excel workbook: save the sheet as CSV"),
        (zipped(a__csv=b"x,y\n1,2\n", b__csv=b"x,y\n"), "holds 'a.csv', 'b.csv': send one CSV"),
        (zipped(mimetype=b"", content__xml=b""), "OpenDocument file: save the sheet as CSV"),
        (b"PK\x03\x04 and no more", "no zip that can be read"),
    ],
    ids=["bz2", "xz", "xls", "xlsx", "two", "ods", "broken"],
)
def test_packed_files_and_workbooks_are_named(body: bytes, remedy: str) -> None:
    assert remedy in refused(body)[1]


def test_a_zip_with_one_csv_is_read(http: httpx.Client) -> None:
    body = zipped(
        **{
            "folder/table__csv": b"x,y\n1,2\n3,4\n",
            "__MACOSX/._table__csv": b"\0",
            "notes__md": b"",
            "folder/.DS_Store": b"",
        }
    )
    assert columns(body) == TABLE
    for kind in ("text/csv", "application/zip", "application/octet-stream"):
        assert upload(http, body, kind).json()["rows"] == 2
    assert upload(http, as_npz({"x": [1, 2], "y": [3, 4]}), "application/zip").json()["rows"] == 2


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_told_its_encoding(encoding: str) -> None:
    where, what = refused(CITIES.encode(encoding))
    assert (where, f"encoding={encoding} reads it" in what) == ("query/encoding", True)
    assert columns(CITIES.encode(encoding), encoding=encoding)["Ort"] == ["Köln", "Bonn"]


@pytest.mark.parametrize("rows", ["1\u00a0,1\n2,2\n", "2,1\n1\u00a0,2\n"])
def test_numbers_that_are_not_utf_8_are_told_so(rows: str) -> None:
    what = refused(f"x,y\n{rows}".encode("latin-1"))[1]
    assert "column 'x' is not UTF-8. Name its encoding" in what


def test_blanks_around_a_text_that_is_declared_missing_do_not_count() -> None:
    assert columns("k, y\n ?, 1\n a, 2\n", missing_values=[" ?"])["k"] == [None, "a"]


@pytest.mark.parametrize("mark", [".", "n.a."])
def test_a_mark_that_ends_in_a_point_is_named_without_one(http: httpx.Client, mark: str) -> None:
    body = f"x,y\n1,1\n{mark},2\n3,3\n"
    words = refused(body)[1].split("missing_values=")[1].split(" ")[0].rstrip(".").partition("&")[0]
    answer = http.post(f"/api/datasets?targets=y&missing=drop&missing_values={words}", content=body, headers=CSV)
    assert answer.json()["rows"] == 2


def test_numbers_that_are_0_and_1_may_be_boolean() -> None:
    body = "x,b\n1,1.0\n2,0.0\n3,\n"
    assert columns(body, types={"b": "boolean"})["b"][:2] == [1, 0]
    where, what = refused(f"{body}4,0.5\n", types={"b": "boolean"})
    assert (where, "holds '0.5', which is neither true nor false" in what) == ("#/columns/b/3", True)


def test_a_date_among_numbers_is_no_mark_of_a_missing_value() -> None:
    what = refused("x,y\n1,1\n2020-01-31,2\n")[1]
    assert "holds '2020-01-31', which is no number" in what
    assert "missing" not in what


@pytest.mark.parametrize("end", ["\x1a", "\x1a" * 9, "\0" * 9, "\x1a\r\n"])
def test_marks_of_the_end_of_a_file_are_none_of_the_table(end: str) -> None:
    for text in ("x,y\n1,2\n3,4\n", "x,y\r\n1,2\r\n3,4"):
        for at_once in (1, 1000):
            assert columns(text + end, at_once=at_once) == TABLE


def test_rare_delimiters_are_guessed_and_possible_ones_named() -> None:
    for delimiter in "^~\x01\x1f":
        assert columns("x,y\n1,2\n3,4\n".replace(",", delimiter)) == TABLE
    for delimiter, named in {":": ":", "#": "%23", "&": "%26", "\\": "%5C", "%": "%25"}.items():
        text = "x,y\n1,2\n3,4\n".replace(",", delimiter)
        assert refused(text)[1].endswith(f"use delimiter={named}.")
        assert columns(text, delimiter=delimiter) == TABLE


def test_the_first_of_lines_with_a_mark_names_the_remedy() -> None:
    text = "#made\nx,y\n1,2\n#later\n3,4\n"
    assert refused(text)[1].endswith("comment=%23.")
    assert columns(text, comment="#") == TABLE


def test_a_row_of_units_is_one_fault_with_the_remedy(http: httpx.Client) -> None:
    text = "name,x,y\n-,m/s,kg\na,1,2\nb,3,4\nc,5,6\n"
    refusal = http.post("/api/datasets?targets=y", content=text, headers=CSV).json()
    assert [each["detail"][:30] for each in refusal["errors"]] == ["Line 2 holds 'm/s', 'kg' above"]
    remedy = refusal["detail"].rpartition(" with ")[2].removesuffix(".")
    made = http.post(f"/api/datasets?targets=y&{remedy}", content=text, headers=CSV).json()
    assert made["rows"] == 3
    assert {each["name"]: each["categories"] for each in made["features"]} == {"name": ["a", "b", "c"], "x": None}
    filled = http.post("/api/datasets?targets=y&missing=mean", content=text, headers=CSV).json()
    assert filled["detail"].endswith("take the line out.")  # else its means would be a row
