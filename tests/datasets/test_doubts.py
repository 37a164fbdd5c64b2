"""Tables that can be read, and hold something else than they seem to, get advice; what it names ends it."""

from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.datasets.uploading import upload


def advice(http: httpx.Client, text: str, query: dict[str, Any]) -> dict[str, str]:
    """The sentences of advice by their codes, the same before the load as after it."""
    looked_at = upload(http, text, **query, validate_only="true").json()
    made = upload(http, text, **query)
    assert made.status_code == 201, made.text
    assert looked_at["advice"] == made.json()["advice"]
    return {each["code"]: each["detail"] for each in made.json()["advice"]}


def rows(row: str, *, count: int = 24, more: str = "") -> str:
    """A table with a column y, whose rows are made of their number."""
    lines = [row.format(n=n, odd=n % 2, third=n % 3, tens=10 * n, code=n * 37 % 1000) for n in range(count)]
    return "\n".join(["y,x,k"[: 2 * row.count(",") + 1], *lines, more])


class Doubt(NamedTuple):
    text: str
    code: str
    told: str
    remedy: dict[str, Any]
    query: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it


def unknown(numbers: str, mark: str, again: str, told: str) -> Doubt:
    """Numbers among which one, written in two ways, stands for a missing value."""
    text = rows(f"{{n}},{numbers}", more=f"1,{mark}\n2,{again}\n")
    return Doubt(text, "perhaps_missing", told, {"missing_values": mark, "missing": "mean"})


IRISES = "0.2,5.1,setosa\n0.2,4.9,setosa\n2.3,6.2,virginica\n0.2,5.0,setosa\n"
BORN = {"types": "x:date"}
DOUBTS = {
    "numbers for names": Doubt(
        IRISES, "header_is_a_row", "'0.2, 5.1, setosa'", {"header": "false", "targets": "c0"}, {"targets": "setosa"}
    ),
    "words for names": Doubt(
        "no,y,yes\nyes,x,no\nno,y,no\n",
        "header_is_a_row",
        "'no, y, yes'",
        {"columns": ["k", "y", "l"]},
    ),
    "codes": Doubt(rows("{n},{code:05}"), "leading_zeros", "such as 00000", {"types": "x:categorical"}),
    "thousands": Doubt(
        rows("{n},{tens}", more="1,1.200\n2,2.150\n3,3.100\n"),
        "perhaps_thousands",
        "such as 1.200",
        {"decimal": ",", "thousands": "."},
    ),
    "thousands between semicolons": Doubt(
        "y;x\n1;1.234\n2;2.345\n3;3.456\n", "perhaps_thousands", "1.234", {"decimal": ",", "thousands": "."}
    ),
    "a missing number": unknown("2{third}", "-999", "-999.0", "is -999 in 2 rows"),
    "one with decimals": unknown("2{third}", "-9999", "-9999.00", "is -9999 in 2 rows"),
    "no answer": unknown("{third}", "99", "99", "is 99 in"),
    "a hole in a grid": unknown("2{third}", "9.96921e+36", "9.96921e+36", "missing_values=9.96921e%2B36"),
    "one with a power": unknown("2{third}", "1e+20", "1.0E20", "missing_values=1e%2B20"),
    "an id": Doubt(
        rows("{n},7{code:03},{odd}").replace("x", "customerID"),
        "column_of_ids",
        "'customerID'",
        {"ignore": "customerID"},
    ),
    "names": Doubt(rows("{n},person {n},{odd}"), "column_of_ids", "'x'", {"ignore": "x"}),
    "a total": Doubt(
        rows("{tens},{n},{third}b", count=4, more="60,6,Total\n"),
        "row_of_totals",
        "Row 4 is 'Total'",
        {"missing_values": "Total", "missing": "drop"},
    ),
    "a mean": Doubt(
        rows("{tens},{n},{third}b", count=4, more="15,1.5,Average:\n"),
        "row_of_totals",
        "'Average:'",
        {"missing_values": "Average:", "missing": "drop"},
    ),
    "two spellings": Doubt(
        rows("{n},male", more="1,Male\n2,Female\n"), "alike_categories", "'Male' and 'male'", {"ignore": "y"}
    ),
    "days of birth": Doubt(rows("{n},1{third}.03.45"), "years_of_two_digits", "of 2045", {}, BORN),
    "unseen characters": Doubt(
        rows("{n},\u200b{third}"), "numbers_in_texts", "a character that nobody sees", {"types": "x:categorical"}
    ),
    "unseen letters": Doubt(rows("{n},a b", more="1,a\u00a0b\u200b\n2,c\n"), "alike_categories", "'a b' and", {}),
    "formulas": Doubt(rows("{n},=A{third}*2"), "numbers_in_texts", "a formula", {"types": "x:categorical"}),
}


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS.keys())
def test_a_table_that_may_mean_something_else_gets_advice(http: httpx.Client, doubt: Doubt) -> None:
    assert doubt.told in advice(http, doubt.text, doubt.query)[doubt.code]


REMEDIES = {name: doubt for name, doubt in DOUBTS.items() if doubt.remedy and doubt.code != "alike_categories"}


@pytest.mark.parametrize("doubt", REMEDIES.values(), ids=REMEDIES.keys())
def test_what_the_advice_names_ends_it(http: httpx.Client, doubt: Doubt) -> None:
    assert doubt.code not in advice(http, doubt.text, {**doubt.query, **doubt.remedy})


@pytest.mark.parametrize(
    "text",
    [
        "0,1,y\n0,1,3\n1,0,4\n1,1,5\n",
        "2019,2020,y\n1.5,2.5,3\n2,3,4\n",
        "400.5,402.1,404.8,y\n0.2,0.3,0.4,1\n0.3,0.4,0.5,0\n",
        "Python,y\nPython,1\nJulia,2\nPython,3\n",
        rows("{n},0{odd}"),
        rows("{n},0.{code:03}"),
        rows("{n},1.{code:03}"),
        "y;x;k\n1;1.234;0.5\n2;2.345;1.5\n3;3.456;2\n",
        rows("{n},{code}", more="1,999\n2,999\n"),
        rows("{n},{odd}", more="1,99\n"),
        rows("{n},{n},{odd}"),
        rows("{n},{n},{third}b", count=4, more="1,1,Total\n"),
        rows("{tens},{n},{third}b", more="2760,276,Total\n1,1,Total\n"),
        rows("{n},a", more="1,A\n2,b\n"),
    ],
    ids=[
        *("counted names", "years", "wavelengths", "an option", "two digits", "parts of 1", "three decimals"),
        *(
            "decimals beside",
            "999 among others",
            "99 once",
            "a number of each row",
            "a shop called Total",
            "many called Total",
            "grades",
        ),
    ],
)
def test_honest_tables_get_none(http: httpx.Client, text: str) -> None:
    assert advice(http, text, {}) == {}


def test_numbers_in_texts_are_no_ids(http: httpx.Client) -> None:
    assert list(advice(http, rows("{n},1{n}-2{n},{odd}"), {})) == ["numbers_in_texts"]


def test_numbers_that_come_again_are_no_ids(http: httpx.Client) -> None:
    people = 140_000
    lines = [f"{person},{person % 7},{year}\n" for year in (0, 1) for person in range(people)]
    assert upload(http, "id,x,y\n" + "".join(lines)).json()["advice"] == []


def test_what_is_left_out_or_told_is_not_in_doubt(http: httpx.Client) -> None:
    text = rows("{n},{code:05},{odd}")
    assert advice(http, text, {"ignore": "x"}) == advice(http, text, {"types": "x:numeric"}) == {}
    assert advice(http, text, {"types": "x:numeric", "columns": ["y", "x", "1"]}) == {}
