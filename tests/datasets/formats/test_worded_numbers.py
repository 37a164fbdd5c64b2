"""Numbers as people write them are refused with a remedy, whatever the form, and texts are not."""

from collections.abc import Sequence
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import ipc, parquet

from service.datasets.formats.numbers_in_texts import BOUND, NUMBER, Found, form_of, found_among
from service.datasets.formats.worded_numbers import is_plain, worded

MEASURED = ("5 kg", "5kg", "7.5 KB", "1.5M", "300K", "90 min", "1h30m", "5 ft 11 in", "20 °C", "18.9 km/kg", "3 days")
TEXTS = ("2B", "1990s", "1st", "1A", "3D", "5 stars", "18-25", "<5", "A4", "12 Main St", "v2", "4x4", "kg", "M", "")


def test_units_are_told_from_texts() -> None:
    assert [text for text in MEASURED if worded(text) is None] == []
    assert [text for text in TEXTS if worded(text) is not None] == []
    assert all("comment" in (worded(text) or "") for text in ("2 # first", "2.5 // x", "3 -- y"))


def test_plain_numbers_are_told_from_codes() -> None:
    assert all(map(is_plain, ("5", "-1.5", "2e3", " 7 ")))
    assert not any(map(is_plain, ("05", "1,5", "5 kg", "x", "", "1_000")))


def look(http: httpx.Client, values: Sequence[Any], **query: Any) -> dict[str, Any]:
    lines = "".join(f"{value},{row}\n" for row, value in enumerate(values))
    options = {"validate_only": "true", "targets": "y", **query}
    answer = http.post("/api/datasets", params=options, content=f"x,y\n{lines}", headers={"content-type": "text/csv"})
    looked: dict[str, Any] = answer.raise_for_status().json()
    return looked


@pytest.mark.parametrize("values", [["5 kg", "6"], ["5", "6 kg"], ["1.5M", "2M"], ["1 # a", "2"], ["a", "b # c"]])
def test_such_a_column_is_refused_with_a_remedy_that_works(http: httpx.Client, values: list[str]) -> None:
    (fault,) = look(http, values, comment="#")["faults"]
    assert "types=x:categorical" in fault["detail"]
    assert look(http, values, comment="#", types="x:categorical")["faults"] == []


def test_numbers_with_units_among_texts_are_texts(http: httpx.Client) -> None:
    for values in (["3M", "Apple", "Ford"], ["12oz", "large", "small"]):
        looked = look(http, values)
        assert (looked["faults"], looked["features"][0]["categories"]) == ([], values)
    columns = {"x": ["3M", "Apple", "Ford"], "y": [1, 2, 3]}
    made = http.post("/api/datasets?validate_only=true", json={"columns": columns, "targets": ["y"]}).json()
    assert made["faults"] == []
    assert look(http, ["5 kg", "6 kg", "7 kg", "heavy"])["faults"]


@pytest.mark.parametrize("values", [["2020Q1", "2020-Q2"], ["Q1 2020", "Q2 2020"], ["2020-W05", "2020-W06-1"]])
def test_quarters_and_weeks_are_read_as_dates(http: httpx.Client, values: list[str]) -> None:
    (fault,) = look(http, values)["faults"]
    assert "types=x:date" in fault["detail"]
    looked = look(http, values, types="x:date")
    assert looked["faults"] == []
    assert {row["x"] for row in looked["first"]} <= {18262, 18353, 18288, 18295}


def test_a_mark_of_missing_values_may_be_written_as_another_number(http: httpx.Client) -> None:
    looked = look(http, ["-999", "-999.0", "2"], missing_values="-999", missing="mean")
    assert [row["x"] for row in looked["first"]] == [None, None, 2]


def test_an_index_that_pandas_wrote_is_left_out(http: httpx.Client) -> None:
    def features(text: str, **query: Any) -> list[str]:
        options = {"validate_only": "true", "targets": "y", **query}
        answer = http.post("/api/datasets", params=options, content=text, headers={"content-type": "text/csv"}).json()
        return [each["name"] for each in answer["features"]]

    text = "Unnamed: 0,x,y\n0,5,1\n1,5,2\n2,6,3\n"
    assert features(text) == ["x"]
    assert features(text, types="Unnamed: 0:numeric") == ["Unnamed: 0", "x"]
    assert features("Unnamed: 0,x,y\n4,5,1\n1,5,2\n") == ["Unnamed: 0", "x"]
    assert features("Unnamed: 0.1,Unnamed: 0,x,y\n0,0,5,1\n1,1,5,2\n") == ["x"]


def test_numbers_in_texts_of_json_get_advice_and_among_numbers_the_remedy(http: httpx.Client) -> None:
    def advice(x: list[Any], **more: Any) -> list[str]:
        body = {"columns": {"x": x, "y": [1, 2]}, "targets": ["y"], **more}
        answer = http.post("/api/datasets", json=body)
        assert answer.status_code == 201, answer.text
        return [each["code"] for each in answer.json()["advice"]]

    assert advice(["5", "6"]) == ["numbers_in_texts"]
    assert advice(["5", "6"], types={"x": "numeric"}) == []
    assert advice(["true", "0"], types={"x": "boolean"}) == []
    assert advice(["5", "6"], types={"x": "categorical"}) == advice(["05", "06"]) == advice([5, 6]) == []
    mixed = http.post("/api/datasets", json={"columns": {"x": [5, "6"], "y": [1, 2]}, "targets": ["y"]})
    assert (mixed.status_code, mixed.json()["errors"][0]["pointer"]) == (422, "#/columns/x/1")
    assert "send 6 without quotes" in mixed.json()["detail"]


def test_a_target_that_is_left_out_is_named(http: httpx.Client) -> None:
    (fault,) = look(http, [1, 2], ignore="y")["faults"]
    assert (fault["pointer"], "`ignore`" in fault["detail"]) == ("query/targets", True)


NUMBERS_IN_TEXTS = """
    5'11"|6'2"  5′11″|6′0″  27"|32"  5'|6'  ~5|~7  ≈5|≈7  ca. 5|ca. 7  about 5|about 7  5±1|7±2  5+|7+  <5|>100
    ≥5|≤7  <$5|>$7  more than 5|less than 7  5 or more|4 or less  65 and over|under 5  0x1F|0x20  0b101|0b11
    FY2020|FY2021  FY 2019/20|FY 2020/21  FY20|FY21  2020E|2021E  1990s|2000s  H1 2020|H2 2020  2020M01|2020M02
    Week 12|Week 13  10-20|20-30  10–20|20–30  10 to 20|20 to 30  $10-$20|$20-$30  10-20 kg|20-30 kg
    10K-20K|20K-30K  [10, 20)|[20, 30)  (-inf, 2.0]|(2.0, inf)  1/2|3/4  3 1/2|4 3/4  ½|¾  4/5|3/5
    4 out of 5|3 out of 5  16:9|4:3  120/80|130/85  II|I  1.5 e3|2 e3  1.5 x 10^3|2 x 10^3  1.5×10³|2×10³
    1.5D+03|2.5D+03  12*|13*  12[1]|13  12.5 p|13.1  '123|'124  ="1"|="2"  two|four  1st|2nd  １２|１３  ١٢|١٣
    PT1H|PT2H  1 days 02:03:04|2 days 03:04:05  48°51'24"N|49°00'00"N  48.85N|49.1S  1920x1080|800x600
    [1, 2]|[3, 4]  5-|6-  5 CR|6 DR  5 stars|4 stars  1,234|2,345  1'234|2'345
    3. März 2020|4. März 2020  2020年1月31日|2020年2月1日  12K|n.a.|13K  low|1|2|3|high|mid|4|5
    2020-01-01|unknown|2020-01-02
"""
CATEGORIES = """
    north|south  A4|A5  12 Main St|13 Main St  Group 1|Group 2  R2D2|C3PO  M|L|XL  Q1|Q2  id_5|id_6  05|06
    1Fam|2Fam  A+|B  7-Eleven|Aldi|Lidl  E11.9|N18.3  12345-6789|01310-100  1-0|2-1|3-0  75001 Paris|69001 Lyon
    3.10.1|3.11.4  192.168.10.100|192.168.10.101  PHP 7|PHP 8  2020-ABC|2021-DEF  A1|M|III  B-12|AB-1234
"""


def sets_of(table: str) -> list[list[str]]:
    return [each.split("|") for each in table.replace("\n", "  ").split("  ") if each]


def test_categories_that_are_rather_numbers_are_told_from_others() -> None:
    assert [texts for texts in sets_of(NUMBERS_IN_TEXTS) if found_among(texts) is None] == []
    assert [texts for texts in sets_of(CATEGORIES) if found_among(texts) is not None] == []
    for hostile in ("1 ", "1,", "1;", "1 x ", "[1 1 ", "5-", "one ", "1/", "+ ", "A$", "1:"):  # each is read in one way
        assert found_among([hostile * 20 + "_"]) is None
        assert form_of(hostile * 1000) is None


def sent(http: httpx.Client, form: str, x: Sequence[Any], **query: Any) -> httpx.Response:
    table, body = pyarrow.table({"x": pyarrow.array(x), "y": list(range(len(x)))}), pyarrow.BufferOutputStream()
    if form == "parquet":
        parquet.write_table(table, body)
    else:
        with ipc.new_stream(body, table.schema) as writer:
            writer.write_table(table)
    kind = {"parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.stream"}[form]
    options = {"targets": "y", **query}
    return http.post("/api/datasets", params=options, content=bytes(body.getvalue()), headers={"content-type": kind})


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_numbers_in_texts_of_files_are_read_where_their_type_is_numeric(http: httpx.Client, form: str) -> None:
    *_, advice = sent(http, form, ["5", " 7.5e1 ", None, "6"], missing="mean").json()["advice"]
    assert (advice["code"], "types=x:numeric" in advice["detail"]) == ("numbers_in_texts", True)
    assert sent(http, form, ["5", "7"], types="x:categorical").json()["advice"] == []
    read = sent(http, form, ["5", " 7.5e1 ", None, "NA"], missing="mean", types="x:numeric").json()
    assert read["features"][0]["kind"] == "numeric"
    rows = http.get(f"/api/datasets/{read['id']}/rows").json()["items"]
    assert [each["values"]["x"] for each in rows] == [5, 75, 40, 40]
    assert sent(http, form, ["true", "FALSE"], types="x:boolean").json()["features"][0]["kind"] == "boolean"
    wrong = sent(http, form, ["5", "<7", "low"], types="x:numeric").json()["errors"]
    assert [each["pointer"] for each in wrong] == ["#/columns/x/1", "#/columns/x/2"]
    assert "a bound: write the number alone" in wrong[0]["detail"]


def test_too_many_texts_that_are_numbers_get_their_remedy(http: httpx.Client) -> None:
    detail = sent(http, "parquet", [str(each) for each in range(300)]).json()["detail"]
    assert "types=x:numeric" in detail
    detail = sent(http, "parquet", [f"{each}-{each + 5}" for each in range(300)]).json()["detail"]
    assert "a range: write its middle" in detail


def test_the_remedy_of_texts_among_numbers_works(http: httpx.Client) -> None:
    marks = [chr(ord("a") + each) for each in range(7)]
    for texts in (marks[:2], marks):
        found = found_among([*map(str, range(20)), *texts])
        assert (found and found.others) == texts
    assert "missing_values=a&missing_values=b" in Found(NUMBER, "1", marks[:2]).remedy("x")
    assert "missing_values= names each other text, such as 'a'" in Found(NUMBER, "1", marks).remedy("x")
    mixed = found_among(["5", "6", "<7"])
    assert (mixed and mixed.form, mixed and mixed.example) == (BOUND, "<7")
    assert "types=" not in (found_among(["unknown", "12:30", "13:45"]) or Found(NUMBER, "")).remedy("x")


def test_exponents_of_fortran_are_numbers_in_texts() -> None:
    found = found_among(["1.5d3", "2.0d05", "1.0D+05"])
    assert found
    assert "scientific notation" in found.form.what


def test_two_bounds_are_classes_of_a_target(http: httpx.Client) -> None:
    body = {"columns": {"x": [1, 2], "y": ["<=50K", ">50K"]}, "targets": ["y"]}
    assert http.post("/api/datasets", json=body).json()["advice"] == []


@pytest.mark.parametrize("text", ["<html><table>", '{"x": 1, "y": 2}\n{"x": 2, "y": 3}\n', '[{"x": 1}]'])
def test_other_forms_of_text_are_named(http: httpx.Client, text: str) -> None:
    answer = http.post("/api/datasets?targets=y", content=text, headers={"content-type": "text/csv"})
    assert (answer.status_code, "This is no CSV, but " in answer.json()["detail"]) == (422, True)
