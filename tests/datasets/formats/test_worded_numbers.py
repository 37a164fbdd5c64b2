"""Numbers as people write them are refused with a remedy, whatever the form, and texts are not."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

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
    assert advice(["5", "6"], types={"x": "categorical"}) == advice(["05", "06"]) == advice([5, 6]) == []
    mixed = http.post("/api/datasets", json={"columns": {"x": [5, "6"], "y": [1, 2]}, "targets": ["y"]})
    assert (mixed.status_code, mixed.json()["errors"][0]["pointer"]) == (422, "#/columns/x/1")
    assert "send 6 without quotes" in mixed.json()["detail"]


def test_a_target_that_is_left_out_is_named(http: httpx.Client) -> None:
    (fault,) = look(http, [1, 2], ignore="y")["faults"]
    assert (fault["pointer"], "`ignore`" in fault["detail"]) == ("query/targets", True)
