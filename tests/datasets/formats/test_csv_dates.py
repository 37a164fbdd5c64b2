"""Dates in CSV become days where that is wanted, and are never taken for categories."""

from datetime import date
from typing import Any

import httpx
import pytest

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.reading import read, refusal
from tests.support.datasets.uploading import upload
from tests.support.problems import pointers

NAN = pytest.approx(float("nan"), nan_ok=True)


def days(*texts: str) -> list[Any]:
    body = "d;y\n" + "".join(f"{text};{row}\n" for row, text in enumerate(texts))
    return read(MediaType.CSV, body.encode(), dates=["d"], delimiter=";")[1]["d"]


def day(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    "text",
    [
        *("2020-01-31", "2020/1/31", "2020.01.31", "31.1.2020", "31/01/20", "1/31/2020", "1-31-2020", "31-Jan-2020"),
        *(
            "Jan 31 2020",
            "January 31st, 2020",
            "31 january 2020",
            "Fri, 31 Jan 2020",
            "2020-Jan-31",
            "2020-01-31 00:00:00",
        ),
        *("20200131", "Fri Jan 31 00:00:00 2020", "Fri Jan 31 00:00:00 UTC 2020", "Fri, 31 Jan 2020 00:00:00 GMT"),
        *("2020-01-31T01:00:00+01", "1/31/2020, 12:00:00 AM", "Fri Jan 31 01:00:00 +0100 2020"),
        *("2020-01-31T00:00:00Z", "2020-01-31T02:00+02:00", "2020-01-30T22:30:00-0130", "1/31/2020 12:00 AM"),
        *("2020-031", "2020 01 31", "2020-01-31 00:00:00,000", "20200131T000000Z", "20200131T0000"),
        *("2020-01-31T01:00:00+01:00[Europe/Berlin]", "2020-031T00:00"),
        *("2020/01/31 1:00:00 AM GMT+1", "2020-01-30 18:30 UTC-05:30", "1/31/2020 12:00 AM UTC"),
    ],
)
def test_a_date_in_any_writing_is_its_days(text: str) -> None:
    assert days(text, "") == [day(2020, 1, 31), NAN]


def test_times_are_fractions_of_days_and_months_begin_with_their_first() -> None:
    assert days("1970-01-02 06:00", "1970-01-01T12:00:00.000") == [1.25, 0.5]
    assert days("Jan-70", "Feb 1970", "1970-03", "4/1970", "05-1970") == [0, 31, 59, 90, 120]


def test_the_order_of_day_and_month_is_that_of_all_rows(http: httpx.Client) -> None:
    assert days("1/2/2020", "13/2/2020") == [day(2020, 2, 1), day(2020, 2, 13)]
    assert days("1/2/2020", "1/13/2020") == [day(2020, 1, 2), day(2020, 1, 13)]
    assert days("1.2.2020", "1.3.2020") == [day(2020, 2, 1), day(2020, 3, 1)]
    made = upload(http, "d,y\n1/2/2020,1\n2/3/2020,2\n", types="d:date").json()
    assert [(each["code"], each["pointer"]) for each in made["advice"]] == [("months_first", "#/columns/d")]
    assert made["features"][0]["kind"] == "numeric"


@pytest.mark.parametrize("text", ["soon", "2020-13-01", "30 Feb 2020", "12:30", "2020-01-01 25:61"])
def test_what_is_no_date_is_named(text: str) -> None:
    body = f"d,y\n2020-01-01,1\n{text},2\n"
    where, what = refusal(MediaType.CSV, body.encode(), dates=["d"])
    assert where == "#/columns/d/1"
    assert what.startswith(f"Line 3: column 'd' holds '{text}', which is no date.")


@pytest.mark.parametrize(
    "text",
    [
        "Jan 1 2020",
        "01-Jan-2020",
        "Jan-49",
        "March 2020",
        "2020 Dec",
        "Mon, 06 Jan 2020 10:00:00",
        "Sept. 5th, 99",
        "Wed Oct 10 20:19:24 +0000 2018",
        "Wed, 10 Oct 2018 20:19:24 GMT",
        "10/10/2018, 8:19:24 PM",
        "2018/10/10 8:19:24 PM GMT+2",
        "10/2018",
        "2018-031",
        "2018-1",
        "2018 1 31",
        "20180131T101500Z",
    ],
)
def test_dates_with_names_of_months_are_no_categories(text: str) -> None:
    what = refusal(MediaType.CSV, f"day;y\n{text};1\n".encode(), delimiter=";")[1]
    assert "types=day:date" in what
    assert "ignore=day" in what


@pytest.mark.parametrize(
    "texts",
    [
        ["1 May", "2 May"],
        ["12:30"],
        ["1920-11", "1920-21"],
        ["9:05 pm", ""],
        ["2020-01-01 9:05 EST"],
        ["2020-01-01", "b", "c", "d"],
    ],
)
def test_what_does_not_read_as_dates_is_told_another_remedy(texts: list[str]) -> None:
    body = "".join(f"{text};1\n" for text in texts)
    what = refusal(MediaType.CSV, f"day;y\n{body}".encode(), delimiter=";")[1]
    assert "types=day:date" not in what
    assert "types=day:categorical" in what


def test_many_times_of_day_are_best_left_out() -> None:
    body = "".join(f"{row // 60:02}:{row % 60:02};1\n" for row in range(300))
    what = refusal(MediaType.CSV, f"day;y\n{body}".encode(), delimiter=";")[1]
    assert what.endswith(": ignore=day leaves the column out.")


def test_a_mark_among_dates_is_named_with_them() -> None:
    body = b"day;y\n0000-00-00;1\n2020-01-31;2\n2020-02-01;3\n2020-02-02;3\n"
    what = refusal(MediaType.CSV, body, delimiter=";")[1]
    assert "types=day:date&missing_values=0000-00-00 reads dates" in what


@pytest.mark.parametrize("text", ["May", "january", "Mayor 12", "Marching 1999", "Dec. A", "A-Jan-1"])
def test_other_texts_with_names_of_months_are_categories(text: str) -> None:
    assert read(MediaType.CSV, f"day;y\n{text};1\n".encode(), delimiter=";")[1]["day"] == [text]


def test_dates_are_for_columns_that_are_there(http: httpx.Client) -> None:
    assert upload(http, "d,y\n1,2\n", types="z:date").json()["errors"][0]["pointer"] == "query/types"


def test_float32_advises_of_times_that_it_rounds(http: httpx.Client) -> None:
    body = "d,day,y\n2026-01-31 12:34:56,2026-01-31,1\n2026-02-01 06:00:01,2026-02-01,2\n"
    types = ["d:date", "day:date"]
    (advice,) = upload(http, body, types=types).json()["advice"]
    assert (advice["code"], advice["pointer"]) == ("dates_rounded", "#/columns/d")
    assert "dtype=float64" in advice["detail"]
    assert upload(http, body, dtype="float64", types=types).json()["advice"] == []


def test_dates_in_json_are_days_too(http: httpx.Client) -> None:
    columns = {"d": ["1970-01-02", None, "1970-01-03T12:00Z"], "e": ["1/2/1970", "3/2/1970", None], "y": [1, 2, 3]}
    body = {"columns": columns, "targets": ["y"], "types": {"d": "date", "e": "date"}, "missing": "mean"}
    answer = http.post("/api/datasets", json=body).json()
    assert [each["kind"] for each in answer["features"]] == ["numeric", "numeric"]
    assert [each["code"] for each in answer["advice"]] == ["months_first"]
    rows = http.get(f"/api/datasets/{answer['id']}/rows").json()["items"]
    assert [row["values"]["d"] for row in rows] == [1, 1.75, 2.5]
    assert [row["values"]["e"] for row in rows] == [1, 60, 30.5]


def test_values_in_json_that_are_no_dates_are_faults(http: httpx.Client) -> None:
    columns = {"d": ["1970-01-02", "soon", 3], "y": [1, 2, 3]}
    body = {"columns": columns, "targets": ["y"], "types": {"d": "date"}}
    assert pointers(http.post("/api/datasets", json=body)) == ["#/columns/d/1", "#/columns/d/2"]
