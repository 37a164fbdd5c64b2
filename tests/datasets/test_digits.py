"""Numbers that float32 cannot tell apart: told at the upload, and described as they were sent."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.client import Client

ROWS = 200
TIMES = [1_700_000_000 + row for row in range(ROWS)]


def uploaded(http: httpx.Client, numbers: list[Any], **options: Any) -> Any:
    columns = {"x": numbers, "y": [row / 2 for row in range(len(numbers))]}
    answer = http.post("/api/datasets", json={"columns": columns, "targets": ["y"], **options})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (TIMES, "Of 200 different numbers of 'x' float32 tells 3 apart: 1700000001 becomes 1700000000"),
        ([*range(100), *TIMES], "1700000001 becomes 1700000000"),
        ([123_456_789 + 9 * row for row in range(ROWS)], "too few digits for the numbers of 'x': 123456789"),
        ([1e6 + row / ROWS for row in range(ROWS)], "it rounds them by up to 0.03"),
        ([-5e5 + 0.001 * row for row in range(ROWS)], "of 'x' float32 tells"),
        ([2_459_945.25 + row / 24 for row in range(ROWS)], "float32 tells"),
    ],
)
def test_numbers_that_float32_cannot_hold_get_advice(http: httpx.Client, numbers: list[Any], words: str) -> None:
    (advice,) = uploaded(http, numbers)["advice"]
    assert (advice["code"], advice["pointer"]) == ("digits_lost", "#/columns/x")
    assert words in advice["detail"]
    assert uploaded(http, numbers, dtype="float64")["advice"] == []
    start = numbers[-1]
    helps = "subtract a start" in advice["detail"]
    assert helps == (uploaded(http, [each - start for each in numbers])["advice"] == [])


@pytest.mark.parametrize(
    "numbers",
    [
        [row / 10 for row in range(ROWS)],
        [20.1 + 1e-3 * row for row in range(ROWS)],
        [0.1] * ROWS,
        [16_777_216 + 2 * row for row in range(ROWS)],
        [123_456_789 + 1_000_003 * row for row in range(ROWS)],
        [6.02e23 * (1 + row) for row in range(ROWS)],
        [1e6 * row + 0.1 for row in range(ROWS)],
        [row % 2 == 0 for row in range(ROWS)],
    ],
)
def test_numbers_that_float32_holds_well_enough_get_none(http: httpx.Client, numbers: list[Any]) -> None:
    assert uploaded(http, numbers)["advice"] == []


def test_statistics_are_those_of_the_numbers_as_they_were_sent(http: httpx.Client) -> None:
    dataset = uploaded(http, TIMES)["id"]
    columns = {each["name"]: each for each in http.get(f"/api/datasets/{dataset}/statistics").json()["columns"]}
    seen = columns["x"]["parts"]["train"]
    assert (seen["mean"], seen["min"], seen["max"]) == (np.mean(TIMES), TIMES[0], TIMES[-1])
    assert seen["std"] == pytest.approx(np.std(TIMES, ddof=1))


def test_rows_before_and_after_such_numbers_are_the_same(client: Client) -> None:
    long = [0.1 * row for row in range(150_000)]
    late = [*([1] * 149_997), 1_700_000_001, 1_700_000_002, 1_700_000_001]
    dataset = client.create_dataset({"x": long, "late": late, "y": long}, ["y"]).id
    assert client.http.get(f"/api/datasets/{dataset}").json()["advice"][0]["pointer"] == "#/columns/late"
    rows = client.http.get(f"/api/datasets/{dataset}/rows?limit=3").json()["items"]
    assert [row["values"]["x"] for row in rows] == long[:3]
    seen = client.http.get(f"/api/datasets/{dataset}/statistics").json()["columns"]
    assert seen[1]["parts"]["train"]["max"] == 1_700_000_002


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("number", [9_007_199_254_740_993, 1_234_567_890_123_456_789, -12_345_678_901_234_567])
def test_whole_numbers_beyond_float64_get_advice(http: httpx.Client, number: int, dtype: str) -> None:
    (advice,) = uploaded(http, [number + row for row in range(20)], dtype=dtype)["advice"]
    assert advice["code"] == "digits_lost"
    assert "ignore=x" in advice["detail"]
    assert uploaded(http, [1.5e18, 2e17, 3.0], dtype="float64")["advice"] == []
