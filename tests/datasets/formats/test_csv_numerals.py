"""Numbers as people write them: each is refused with a remedy, and the remedy reads it."""

import re
from urllib.parse import parse_qsl

import httpx
import pytest

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.reading import read, refusal
from tests.support.datasets.uploading import upload


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (("12,34,567", "1,000", "2"), [1234567, 1000, 2]),
        (("1,5e3", "2", "0,25"), [1500, 2, 0.25]),
        (("0,001", "1,5", "2"), [0.001, 1.5, 2]),
        (("12345,678", "1", "2"), [12345.678, 1, 2]),
        (("1_000", "1_000_000", "2"), [1000, 1e6, 2]),
        (("1.234,50", "2", "3.000"), [1234.5, 2, 3000]),
    ],
)
def test_the_remedy_of_a_number_reads_its_column(http: httpx.Client, texts: list[str], numbers: list[float]) -> None:
    body = "x;y\n" + "".join(f"{text};{row}\n" for row, text in enumerate(texts))
    where, what = refusal(MediaType.CSV, body.encode(), delimiter=";")
    remedy = re.search(r"use (\S+) in the query", what)
    assert where == "#/columns/x/0"
    assert remedy, what
    made = upload(http, body, dtype="float64", **dict(parse_qsl(remedy[1]))).json()
    rows = http.get(f"/api/datasets/{made['id']}/rows").json()["items"]
    assert [row["values"]["x"] for row in rows] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "12 USD",
        "EUR 12",
        "US$12",
        "R$ 1.234,50",
        "\u20bd12",
        "12kr",
        "1 234,50 \u20ac",
        "\u22125",
        "(1,234)",
        "12 \u2030",
    ],
)
def test_a_number_with_a_sign_is_no_category(text: str) -> None:
    what = refusal(MediaType.CSV, f"x;y\n{text};1\n{text};2\n".encode(), delimiter=";")[1]
    assert "a number with a sign: write numbers as in 1234.5" in what


def test_a_number_that_begins_with_0_has_no_thousands() -> None:
    what = refusal(MediaType.CSV, b"x;y\n1,234;1\n0,123;2\n", delimiter=";", thousands=",")[1]
    assert "use decimal=, in the query" in what


@pytest.mark.parametrize("text", ["NAN", "-nan", "-NaN"])
def test_nan_is_a_missing_value_in_any_row(text: str) -> None:
    for body in (f"x,y\n{text},1\n2,2\n", f"x,y\n2,1\n{text},2\n"):
        kinds, columns = read(MediaType.CSV, body.encode())
        assert (kinds["x"], sum(value != value for value in columns["x"])) == ("numeric", 1)
