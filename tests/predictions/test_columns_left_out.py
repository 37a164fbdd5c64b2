"""Files and rows as training had them: columns that it left out are skipped, and the query tells how to read others."""

import io
from datetime import date
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import parquet

from service.client import Client
from service.http.media_types import ARROW, CSV
from tests.support.problems import pointers, problem

PARQUET = "application/vnd.apache.parquet"
FILE = "application/vnd.apache.arrow.file"
TABLE = ",id,x,w,part,y\n0,A 1,1,1,train,2\n1,17,2,1,train,4\n2,B,3,2,test,6\n3,9,4,2,train,8\n"
QUERY = "targets=y&split_column=part&ignore=id"


@pytest.fixture(scope="module")
def model(client: Client) -> str:
    dataset = client.http.post(f"/api/datasets?{QUERY}", content=TABLE, headers={"Content-Type": CSV}).json()
    made = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[2]], "bias": [1]}]).id
    job = client.train(
        made, dataset["id"], wait=30, epochs=1, sample_weights="w", optimiser={"rule": "Descent", "eta": 1e-9}
    )
    assert job.version == 1
    return made


def post(client: Client, model: str, content: bytes | str, kind: str = CSV, query: str = "") -> httpx.Response:
    path = f"/api/models/{model}/predictions{query}"
    return client.http.post(path, content=content, headers={"Content-Type": kind, "Accept": "application/json"})


def outputs(answer: httpx.Response) -> list[float]:
    assert answer.status_code == 200, answer.text
    return [round(row[0], 4) for row in answer.json()["outputs"]]


def packed(columns: dict[str, Any], kind: str) -> bytes:
    table, file = pyarrow.table(columns), io.BytesIO()
    if kind == PARQUET:
        parquet.write_table(table, file)
        return file.getvalue()
    with (pyarrow.ipc.new_stream if kind == ARROW else pyarrow.ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def test_a_model_shows_what_its_training_left_out(client: Client, model: str) -> None:
    signature = client.http.get(f"/api/models/{model}").json()["signature"]
    assert signature["weights"] == "w"
    assert signature["left_out"] == ["id", "column_1", "part"]


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        "id,x\nNA,1\n2020-01-01,2\nx,3\n,4\n",
        ",id,x\n901,7,1\n17,7,2\n3,7,3\n3,7,4\n",
        'id x\n"r 1" a 1\nr2 b 2\nr3 c 3\nr4 d 4\n',
        "y,x,part,w\n?,1,nothing,many\nhigh,2,,\n,3,,-1\n12,4,,\n",
    ],
    ids=[
        "the training file",
        "an ignored column",
        "an index that does not count",
        "names of rows",
        "targets and weights",
    ],
)
def test_columns_of_csv_that_training_left_out_are_not_read(client: Client, model: str, text: str) -> None:
    assert outputs(post(client, model, text)) == [3, 5, 7, 9]


def test_csv_without_a_header_has_its_columns_named(client: Client, model: str) -> None:
    assert outputs(post(client, model, "1,7\n2,8\n", query="?header=false&columns=x&columns=id")) == [3, 5]
    assert outputs(post(client, model, "1,7\n2,8\n", f"{CSV}; header=absent", "?columns=x&columns=id")) == [3, 5]
    answer = post(client, model, "1,7\n2,8\n", query="?header=false")
    assert pointers(answer) == ["query/columns"]
    assert "give columns= for each" in problem(answer, 422)["detail"]


@pytest.mark.parametrize("kind", [PARQUET, ARROW, FILE])
@pytest.mark.parametrize("numbers", ["float32", "int64"])
def test_so_are_those_of_arrow_and_parquet(client: Client, model: str, kind: str, numbers: str) -> None:
    columns = {
        " ": [0, 1],
        "id": [["a"], ["b"]],
        "y": ["low", None],
        "__index_level_0__": ["r", "s"],
        "x": pyarrow.array([1, 2], numbers),
    }
    assert outputs(post(client, model, packed(columns, kind), kind)) == [3, 5]


@pytest.mark.parametrize("head", [b"", b"\xff\xff\xff\xff"])
def test_a_file_of_arrow_is_read_by_its_footer(client: Client, model: str, head: bytes) -> None:
    file = bytearray(packed({"x": [1.0, 2.0]}, FILE))
    file[8 : 8 + len(head) * 2] = head * 2  # other tools write no schema there, or none that is a stream's
    assert outputs(post(client, model, bytes(file), FILE)) == [3, 5]


@pytest.mark.parametrize("kind", [PARQUET, ARROW])
def test_dates_of_arrow_and_parquet_become_days_where_that_is_wanted(client: Client, model: str, kind: str) -> None:
    body = packed({"x": [date(1970, 1, 2), date(1970, 1, 3)]}, kind)
    assert "types=x:date" in problem(post(client, model, body, kind), 422)["detail"]
    assert outputs(post(client, model, body, kind, "?types=x:date")) == [3, 5]


def test_missing_values_of_parquet_are_missing(client: Client, model: str) -> None:
    refused = problem(post(client, model, packed({"x": [1.0, None]}, PARQUET), PARQUET), 422)
    assert refused["code"] == "missing_value"


@pytest.mark.parametrize("kind", [PARQUET, FILE])
def test_what_is_no_such_file_is_refused(client: Client, model: str, kind: str) -> None:
    assert pointers(post(client, model, b"x\n1\n", kind)) == ["#"]


def test_rows_by_name_may_have_them_too(client: Client, model: str) -> None:
    rows = [{"x": 1, "id": "A 1", "w": None, "part": "test", "y": [1]}, {"x": 2, "column_1": 4}]
    answer = client.http.post(f"/api/models/{model}/predictions", json={"rows": rows})
    assert outputs(answer) == [3, 5]
    frame = {"dataframe_split": {"columns": ["id", "x", "y"], "data": [["A", 1, None], ["B", 2, "high"]]}}
    found = client.http.post(f"/api/models/{model}/invocations", json=frame).json()["predictions"]
    assert [round(each, 4) for each in found] == [3, 5]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("x,when,n.o\n1,2020-01-01,A\n2,2020-01-02,1\n", CSV),
        (packed({"when": [["a"], ["b"]], "n.o": [1, 2], "x": [1.0, 2.0]}, PARQUET), PARQUET),
        ('{"rows": [{"x": 1, "when": 1}, {"x": 2, "n.o": "c"}]}', "application/json"),
    ],
)
def test_the_query_names_more_columns_to_skip(client: Client, model: str, body: bytes | str, kind: str) -> None:
    refused = problem(post(client, model, body, kind), 422)
    assert refused["code"] == "unknown_column"
    assert "no column 'when'" in refused["detail"]
    assert "?ignore=when leaves it out" in refused["detail"]
    assert outputs(post(client, model, body, kind, "?ignore=when&ignore=n.o&ignore=other")) == [3, 5]


def test_an_input_cannot_be_left_out(client: Client, model: str) -> None:
    assert pointers(post(client, model, "x\n1\n", query="?ignore=x")) == ["query/ignore"]


def test_columns_of_a_model_that_knows_none_can_be_left_out(client: Client) -> None:
    made = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[2]], "bias": [1]}]).id
    assert outputs(post(client, made, "id,a\nk,1\nl,2\n", query="?ignore=id")) == [3, 5]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("x|id\n1|3\n2|4\n", "?delimiter=|"),
        ("x;id\n1,0;3\n2,0;4\n", "?decimal=,"),
        ("made by hand\nx\n1\n2\n", "?skip=1"),
        ("# made by hand\nx\n1\n2\n", "?comment=%23"),
        ("1,a\n2,b\n", "?header=false&columns=x&columns=id"),
        ("x\n1970-01-02\n1970-01-03\n", "?types=x:date"),
    ],
)
def test_csv_is_read_as_the_query_says(client: Client, model: str, text: str, query: str) -> None:
    assert outputs(post(client, model, text, query=query)) == [3, 5]


def test_a_declared_text_is_missing(client: Client, model: str) -> None:
    refused = problem(post(client, model, "x\n1\n-999\n", query="?missing_values=-999"), 422)
    assert refused["code"] == "missing_value"


@pytest.mark.parametrize(
    ("text", "says", "never"),
    [
        ("x\n1\n1970-01-02\n", "types=x:date", "categorical"),
        ("x\n1\nhigh\n", "missing_values=high", "types="),
        ("x\n1\n", None, None),
    ],
)
def test_messages_advise_what_helps_here(
    client: Client, model: str, text: str, says: str | None, never: str | None
) -> None:
    answer = post(client, model, text)
    if says is None or never is None:
        assert answer.status_code == 200
        return
    detail = problem(answer, 422)["detail"]
    assert says in detail
    assert never not in detail


@pytest.mark.parametrize(
    ("body", "kind", "query", "pointer"),
    [
        ('{"inputs": [[1]]}', "application/json", "?delimiter=|", "query/delimiter"),
        (packed({"x": [1.0]}, PARQUET), PARQUET, "?skip=1", "query/skip"),
        ("x\n1\n", CSV, "?skip=-1", "query/skip"),
        ("x\n1\n", CSV, "?targets=y", "query/targets"),
        ("x\n1\n", CSV, "?delimiter=a&delimiter=b", "query/delimiter"),
        ("x\n1\n", CSV, "?version=one", "query/version"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    client: Client, model: str, body: bytes | str, kind: str, query: str, pointer: str
) -> None:
    assert pointers(post(client, model, body, kind, query)) == [pointer]


def test_nan_in_rows_is_a_missing_value(client: Client) -> None:
    columns: dict[str, Any] = {"x": [1.0, None, 3.0], "k": ["a", "a", None], "y": [1.0, 2.0, 3.0]}
    dataset = client.create_dataset(columns, ["y"], missing="mean").id
    made = client.create_model("Dense(2 => 1)").id
    client.train(made, dataset, wait=30, epochs=1)
    bodies = (
        '{"rows": [{"x": NaN, "k": NaN}]}',
        '{"rows": [{"x": null, "k": null}]}',
    )
    found = [
        client.http.post(f"/api/models/{made}/predictions", content=body, headers={"Content-Type": "application/json"})
        for body in bodies
    ]
    assert outputs(found[0]) == outputs(found[1])
    for body in (
        '{"dataframe_split": {"columns": ["x", "k"], "data": [[NaN, NaN]]}}',
        '{"dataframe_records": [{"x": NaN, "k": null}]}',
        '{"instances": [[NaN, "a"]]}',
        '{"inputs": {"x": [NaN], "k": [NaN]}}',
    ):
        answer = client.http.post(
            f"/api/models/{made}/invocations", content=body, headers={"Content-Type": "application/json"}
        )
        assert [round(each, 4) for each in answer.json()["predictions"]] == outputs(found[0]), body


def test_numbers_by_their_order_are_never_missing(client: Client, model: str) -> None:
    body, kind = '{"inputs": [[NaN]]}', {"Content-Type": "application/json"}
    answer = client.http.post(f"/api/models/{model}/predictions", content=body, headers=kind)
    assert pointers(answer) == ["#/inputs/0/0"]
