"""Columns of CSV have names, also where the header has none for them, the same for two, or one that is a question."""

from typing import Any

import httpx
import pytest

from service.datasets.formats.csv import blocks
from service.datasets.formats.likeness import LISTED, Likeness
from service.datasets.formats.media_types import MediaType
from tests.support.datasets.reading import read, refusal
from tests.support.datasets.uploading import upload
from tests.support.problems import problem


def names(text: str, **options: Any) -> list[str]:
    return list(read(MediaType.CSV, text.encode(), **options)[0])


def advice(answer: httpx.Response) -> dict[str, str]:
    """The sentences of a dataset's advice by their codes."""
    assert answer.status_code == 201, answer.text
    return {each["code"]: each["detail"] for each in answer.json()["advice"]}


def test_a_column_without_a_name_is_called_by_its_place() -> None:
    assert names("x,,y,\n1,2,3,4\n") == ["x", "column_2", "y", "column_4"]
    assert names('" ",y\na,3\n') == ["column_1", "y"]
    assert names("column_2,,y\n1,2,3\n") == ["column_2", "column_2_2", "y"]


def test_a_repeated_name_gets_the_next_free_number() -> None:
    assert names("score,age,score,y\n1,20,3,0\n") == ["score", "age", "score_2", "y"]
    assert names("a,a_2,a,a\n1,2,3,4\n") == ["a", "a_2", "a_3", "a_4"]


def test_names_that_were_made_are_told(http: httpx.Client) -> None:
    made = upload(http, "a,,a,,y\n1,2,3,4,5\n2,3,4,5,7\n")
    told = advice(made)
    assert list(told) == ["unnamed_columns", "repeated_names"]
    assert "column 2 is 'column_2', column 4 is 'column_4'" in told["unnamed_columns"]
    assert "column 3, 'a', is 'a_2'" in told["repeated_names"]
    assert [each["pointer"] for each in made.json()["advice"]] == ["#/columns/column_2", "#/columns/a_2"]
    assert http.get(f"/api/datasets/{made.json()['id']}").json() == made.json()
    assert advice(upload(http, "a,,a,y\n1,2,3,4\n2,3,4,5\n", ignore=["column_2", "a_2"])) == {}
    assert advice(upload(http, "a,b,y\n1,2,3\n")) == {}


@pytest.mark.parametrize(
    "text",
    [
        ",x,y\n0,5,7\n1,6,8\n2,7,9\n",
        ",x,y\n1,5,7\n2,6,8\n",
        '"","x","y"\n"1",5,7\n"2",6,8\n',
        '"x","y"\n"1",5,7\n"2",6,8\n',
        "x,y\n1,5.5,7\n2,6,8\n",
        "x,y\n" + "".join(f"{row},5,{row * row}\n" for row in range(1, 11)),
        "x,y\n" + "".join(f"{row},5,{row - 3}\n" for row in range(1, 11)),
    ],
)
def test_an_unnamed_first_column_that_counts_is_left_out(http: httpx.Client, text: str) -> None:
    made = upload(http, text)
    assert "types=column_1:numeric" in advice(made)["index_left_out"]
    assert [each["name"] for each in made.json()["features"]] == ["x"]
    assert made.json()["ignored"] == ["column_1"]

    kept = upload(http, text, types="column_1:numeric").json()
    assert [each["name"] for each in kept["features"]] == ["column_1", "x"]
    assert kept["ignored"] == []


@pytest.mark.parametrize(
    "first", ["1,5,7\n3,6,8\n", "0.5,5,7\n1.5,6,8\n", "2,5,7\n3,6,8\n", "a,5,7\nb,6,8\n", "1,5,7\n,6,8\n"]
)
def test_an_unnamed_first_column_that_does_not_count_is_kept(first: str) -> None:
    assert names(",x,y\n" + first) == ["column_1", "x", "y"]


def test_a_named_column_that_counts_is_kept() -> None:
    assert names("id,y\n1,2\n2,3\n") == ["id", "y"]
    assert names(",y\n1,2\n2,3\n", named=["column_1"]) == ["column_1", "y"]


def test_names_of_rows_that_have_no_name_in_the_header_are_a_column(http: httpx.Client) -> None:
    made = upload(http, "mpg;y\nMazda;21;6\nDatsun;22.8;4\n")
    assert [each["name"] for each in made.json()["features"]] == ["column_1", "mpg"]
    assert "ignore=column_1" in advice(made)["unnamed_columns"]
    assert names("mpg;y\nMazda;21;6\nDatsun;22.8;4\n", columns=["car", "mpg", "y"]) == ["car", "mpg", "y"]


@pytest.mark.parametrize(
    "rows",
    [
        "1,5,7\n2,6,8\n",
        "1,500.5,7\n2,600.5,8\n",
        "7,1,234.50\n9,2,500.00\n",
        "".join(f"{row},{row},200\n" for row in range(1, 11)),
        "3,5,7.\n4,6,8\n",
        "".join(f"{row},{row * row},{row * 4 + 1}\n" for row in range(1, 12)),
        "".join(f"{row},{row},{row * 7 % 20:02}\n" for row in range(1, 12)),
        "Bonn,5,05\nKoblenz,6,750\n",
        "".join(f"place {row},{row},{row * 4 + 10}\n" for row in range(1, 11)),
        "".join(f"place {row},{row},{row * 4 + 100}\n" for row in range(1, 11)),
    ],
)
def test_numbers_between_commas_may_be_halves_and_no_names_of_rows(rows: str) -> None:
    text = f"x,y\n{rows}"
    assert "name all columns: columns= for each" in refusal(MediaType.CSV, text.encode())[1]
    assert names(text, columns=["row", "x", "y"]) == ["row", "x", "y"]


@pytest.mark.parametrize("text", ["x,y,\n1,2,\n3,4,\n", "x,y,\n1,2\n3,4\n", "x,y\n1,2,\n3,4,\n"])
def test_lines_that_end_in_the_delimiter_have_no_column_there(http: httpx.Client, text: str) -> None:
    assert read(MediaType.CSV, text.encode())[1] == {"x": [1, 3], "y": [2, 4]}
    assert advice(upload(http, text)) == {}


def test_a_value_behind_the_header_is_found_far_into_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    text = "x,y,\n" + "1,2,\n" * 100 + "3,4,five\n"
    where, what = refusal(MediaType.CSV, text.encode(), at_once=7)
    assert where == "#/columns/column_3/100"
    assert what.startswith("Line 102: column 'column_3' holds 'five', ")
    monkeypatch.undo()
    assert names(text) == ["x", "y", "column_3"]


def test_names_may_be_whole_questions() -> None:
    question = "How satisfied are you with the service? " * 12
    assert names(f'"{question}","Sales\r\n(USD)",y\n1,2,3\n') == [question.strip(), "Sales (USD)", "y"]
    assert refusal(MediaType.CSV, f"{'x' * 501},y\n1,2\n".encode())[1].endswith("one columns= for each column.")


def test_given_names_replace_the_header() -> None:
    text = "score,age,score,y\n1,20,3,0\n"
    assert read(MediaType.CSV, text.encode(), columns=["a", "b", "c", "d"])[1] == {
        "a": [1],
        "b": [20],
        "c": [3],
        "d": [0],
    }
    assert names(f"{'x' * 501},y\n1,2\n", columns=["x", "y"]) == ["x", "y"]
    where, what = refusal(MediaType.CSV, text.encode(), columns=["a", "b"])
    assert (where, what) == ("query/columns", "2 names are given, but there are 4 columns.")
    assert "twice" in refusal(MediaType.CSV, text.encode(), columns=["a", "b", "b", "d"])[1]


def test_a_table_of_an_index_alone_has_nothing_to_learn_from(http: httpx.Client) -> None:
    assert problem(upload(http, ",y\n1,2\n2,3\n"), 422)["code"] == "no_features"


def test_names_that_look_alike_are_told(http: httpx.Client) -> None:
    made = upload(http, "caf\u00e9,cafe\u0301,\u200bAge,Age,age,y\n1,2,3,4,5,6\n2,3,4,5,6,8\n")
    told = advice(made)["alike_names"]
    assert told.endswith("'cafe\u0301', in a query cafe%CC%81, 'Age', in a query Age.")


@pytest.mark.parametrize(
    ("target", "remedy"),
    [
        ("caf\u00e9", "in a query it is cafe%CC%81."),
        ("TOTAL_sales", "did you mean 'total sales'?"),
        ("price", "there are 'cafe\u0301', 'total sales', 'y'."),
    ],
)
def test_a_column_that_is_not_there_is_told_from_one_that_is_meant(
    http: httpx.Client, target: str, remedy: str
) -> None:
    refused = upload(http, "cafe\u0301,total sales,y\n1,2,3\n", targets=target)
    assert problem(refused, 422)["detail"].endswith(remedy)


def test_names_without_letters_are_not_taken_for_each_other() -> None:
    assert Likeness(["%", "y"]).no_column("$").endswith("there are '%', 'y'.")
    assert Likeness(["%", "y"]).no_column("\u200b%").endswith("in a query it is %25.")


def test_of_many_columns_some_are_named_and_the_others_counted() -> None:
    assert Likeness([str(number) for number in range(LISTED + 5)]).no_column("x").endswith("'19' and 5 more.")
