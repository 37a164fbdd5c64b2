"""CSV that looks like something else: refused with the remedy or read right, and never for a long time."""

import httpx
import pytest

from tests.support.problems import problem

CSV = {"Content-Type": "text/csv"}
MANY = 100_000


def post(http: httpx.Client, query: str, content: str | bytes) -> httpx.Response:
    return http.post(f"/api/datasets?targets=y&{query}", content=content, headers=CSV)


@pytest.mark.parametrize(
    ("content", "query", "sentence"),
    [
        ("x,y\n1,5,2\n2,5,4\n3,5,6\n", "", "Line 2 has 3 values, but the header names 2 columns"),
        ("x;y\n1,5;2.5\n2,5;3.5\n", "decimal=,", "'2.5', a number with a point"),
        ("x;y\n1.234;1\n5.678;2\n", "decimal=,", "'1.234', a number with a point"),
        ("x;y\n12,34,567;1\n1;2\n", "", "a number with a comma"),
        ("x;y\n1,5e3;1\n1;2\n", "", "a number with a comma"),
        ("t,y\n1/1/2020,1\n", "types=t:date&types=t:categorical", "'t' has two types"),
        ("a&b,y\n1/1/2020,1\n", "", "types=a%26b:date"),
    ],
)
def test_what_would_be_read_wrong_is_refused(http: httpx.Client, content: str, query: str, sentence: str) -> None:
    assert sentence in problem(post(http, query, content), 422)["detail"]


def test_a_row_longer_than_its_model_is_no_row_with_a_name(http: httpx.Client) -> None:
    trained = post(http, "", "x,y\n1,2\n2,4\n3,6\n").json()["id"]
    model = http.post("/api/models", json={"architecture": "Dense(1 => 1)"}).json()["id"]
    http.post("/api/jobs", json={"model": model, "dataset": trained, "epochs": 1}, headers={"Prefer": "wait=30"})
    problem(http.post(f"/api/models/{model}/predictions", content="x\n1,5\n2,5\n", headers=CSV), 422)


@pytest.mark.parametrize(
    "content",
    ['"x","y"\n"1",5,6\n"2",6,7\n', "x,y\nr1,5,6\nr2,6,7\n", "x y\n1 5 6\n2 6 7\n"],
    ids=["in quotes", "texts", "between blanks"],
)
def test_rows_with_names_as_r_writes_them_are_read(http: httpx.Client, content: str) -> None:
    answer = post(http, "ignore=column_1" if "r1" in content else "", content)
    assert [each["name"] for each in answer.json()["features"]] == ["x"]


def test_a_delimiter_that_excel_names_must_be_one(http: httpx.Client) -> None:
    assert post(http, "", b"sep=\xa7\nx,y\n1,2\n").status_code in (201, 422)


@pytest.mark.parametrize(
    "content",
    [
        'x,c,y\n1,"a" ,1\n1,a' + " " * MANY + "b,2\n",
        "a" + " " * MANY + "b,y\n1,2\n",
        'x,y\n"' + " " * MANY + 'x",2\n',
        'height",y\n' + "1,2\n" * MANY,
    ],
    ids=["in a text", "in a name", "before a text", "behind an open quote"],
)
def test_many_blanks_or_lines_are_looked_at_once(http: httpx.Client, content: str) -> None:
    answer = post(http, "types=x:categorical&types=c:categorical" if "c," in content[:6] else "", content)
    assert answer.status_code in (201, 422)
