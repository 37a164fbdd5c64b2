"""Rows as CSV, Arrow and npy, and answers in the form that is asked for."""

import csv
import io
from typing import Any

import httpx
import numpy as np
import pyarrow
import pytest

from service.client import Client
from service.http.json_numbers import Array
from service.http.media_types import ARROW, CSV, JSON, NPY, TSV
from service.jobs.schemas import Job
from tests.support.predictions.columns import COLUMNS, EXPANDED, LAYER, ROW, train
from tests.support.problems import pointers, problem

NUMBERS = [{"weight": [[1.0, 10.0], [2.0, -1.0]], "bias": [0.5, 0.0]}]
INPUTS = np.array([[1.0, 2.0], [-3.0, 0.25]])
OUTPUTS = [[21.5, 0.0], [0.0, -6.25]]


@pytest.fixture(scope="module")
def job(client: Client) -> Job:
    """The job of a version that knows its columns."""
    return train(client)


@pytest.fixture(scope="module")
def plain(client: Client) -> str:
    """A model of numbers that was never trained."""
    return client.create_model("Dense(2 => 2)", parameters=NUMBERS).id


def post(client: Client, model: str, content: bytes | str, kind: str, accept: str = "") -> httpx.Response:
    headers = {"Content-Type": kind, **({"Accept": accept} if accept else {})}
    return client.http.post(f"/api/models/{model}/predictions", content=content, headers=headers)


def outputs(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["outputs"]


def npy(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def arrow(columns: dict[str, Any]) -> bytes:
    table, sink = pyarrow.table(columns), pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def table(answer: httpx.Response) -> dict[str, list[Any]]:
    """The columns of an answer in Arrow."""
    assert answer.headers["content-type"] == ARROW
    read: dict[str, list[Any]] = pyarrow.ipc.open_stream(answer.content).read_all().to_pydict()
    return read


EXPECTED = np.array([EXPANDED, [9, 0, 0, 0, 1]]) @ np.array(LAYER["weight"]).T + np.array(LAYER["bias"])


@pytest.mark.parametrize(
    "text",
    [
        "length,wild,place\n5,true,b\n9,false,c\n",
        "place;length;wild\nb;5.0;1\nc;9;0\n",
        "species,wild,place,length\nsetosa,TRUE,b,5\nsetosa,FALSE,c,9\n",
        '\ufeff"place","wild","length"\r\n"b",true,5e0\r\n"c",false,9\r\n',
        '"length","wild","place"\n"1",5,true,"b"\n"2",9,false,"c"\n',
    ],
)
def test_csv_goes_by_the_names_of_its_header(client: Client, job: Job, text: str) -> None:
    np.testing.assert_allclose(outputs(post(client, job.model, text, CSV)), EXPECTED, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "pointer", "told"),
    [
        ("length,wild,place\n5,true,b\n5,true,z\n", "#/columns/place/1", "Line 3"),
        ("length,wild,place\n5,true,b\n,true,a\n", "#/columns/length/1", "Line 3"),
        ("length,wild,place\n5,true,b\nx,true,a\n", "#/columns/length/1", "Line 3"),
        ("length,wild,place\n1e39,true,b\n", "#/columns/length/0", "too large"),
        ("length,wild\n5,true\n", "#", "'place' is missing"),
        ("length,wild,plce\n5,true,b\n", "#", "did you mean 'place'?"),
        ("Length,wild,place\n5,true,b\n", "#", "did you mean 'length'?"),
        ("5,true,b\n9,false,c\n", "#", "There is no column '5'"),
        ("length,wild,place\n", "#", "no rows"),
        ("", "#", ""),
    ],
)
def test_csv_that_does_not_fit_is_refused_with_its_line(
    client: Client, job: Job, text: str, pointer: str, told: str
) -> None:
    answer = post(client, job.model, text, CSV)
    assert pointers(answer) == [pointer]
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    "text", ["1,2\n-3,0.25\n", "a,b\n1,2\n-3,0.25\n", "1\t2\n-3\t.25", "b;a\r\n1;2\r\n-3;25e-2\r\n"]
)
def test_without_a_signature_csv_goes_by_the_order_of_its_columns(client: Client, plain: str, text: str) -> None:
    assert outputs(post(client, plain, text, CSV)) == OUTPUTS
    assert pointers(post(client, plain, "1,2,3\n", CSV)) == ["#"]


def test_values_between_tabs_are_read_as_a_dataset_reads_them(client: Client, plain: str, job: Job) -> None:
    tabs = f"{TSV}; charset=utf-16"
    text = "wild\tplace\tlength\n true\tb\t5\nfalse\tc\t9\n"
    np.testing.assert_allclose(outputs(post(client, job.model, text.encode("utf-16"), tabs)), EXPECTED, rtol=1e-6)
    assert outputs(post(client, plain, "1\t2\n-3\t.25\n", TSV)) == OUTPUTS
    commas = post(client, plain, "a,b\n1,2\n", TSV)
    assert "column 'a,b' holds '1,2'" in commas.json()["detail"]


def test_one_column_is_enough(client: Client) -> None:
    model = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[2.0]], "bias": [1.0]}])
    assert (
        outputs(post(client, model.id, "6\n7\n", CSV))
        == outputs(post(client, model.id, "x\n6\n7\n", CSV))
        == [[13], [15]]
    )


def test_a_column_of_csv_has_the_kind_that_it_was_trained_with(client: Client) -> None:
    columns = {"day": ["2026-01-01", "2026-01-02", "2026-01-01"], "y": [1, 2, 1]}
    layer = {"weight": [[1.0, 2.0]], "bias": [0.0]}
    dataset = {"types": {"day": "categorical"}}
    job = train(client, columns, ("y",), layer, dataset, loss="mse")
    answer = post(client, job.model, "day\n2026-01-02\n2026-01-01\n", CSV)
    np.testing.assert_allclose(outputs(answer), [[2], [1]], rtol=1e-6)


def test_a_column_of_arrow_has_the_kind_that_it_was_trained_with(client: Client) -> None:
    columns = {"grade": [0.1, 0.2, 0.1], "y": [1, 2, 1]}
    layer = {"weight": [[1.0, 2.0]], "bias": [0.0]}
    job = train(client, columns, ("y",), layer, {"types": {"grade": "categorical"}}, loss="mse")
    answer = post(client, job.model, arrow({"grade": pyarrow.array([0.2, 0.1], pyarrow.float32())}), ARROW)
    np.testing.assert_allclose(outputs(answer), [[2], [1]], rtol=1e-6)


def test_arrow_goes_by_names_or_by_order(client: Client, job: Job, plain: str) -> None:
    columns = {"place": ["b", "c"], "wild": [True, False], "length": pyarrow.array([5, 9], pyarrow.int16())}
    np.testing.assert_allclose(outputs(post(client, job.model, arrow(columns), ARROW)), EXPECTED, rtol=1e-6)
    coded = {**columns, "place": pyarrow.array(["b", "c"]).dictionary_encode()}
    np.testing.assert_allclose(outputs(post(client, job.model, arrow(coded), ARROW)), EXPECTED, rtol=1e-6)
    for dtype in (pyarrow.float32(), pyarrow.float64()):
        numbers = {name: pyarrow.array(INPUTS[:, i], dtype) for i, name in enumerate("ab")}
        assert outputs(post(client, plain, arrow(numbers), ARROW)) == OUTPUTS


@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_rows_of_numbers(client: Client, plain: str, dtype: str, order: Any) -> None:
    body = npy(np.asarray(INPUTS, dtype, order=order))
    assert outputs(post(client, plain, body, NPY)) == OUTPUTS


def test_whole_numbers_are_numbers_too(client: Client, plain: str) -> None:
    for kind in ("i1", "<i8", "<u2"):
        assert outputs(post(client, plain, npy(np.array([[1, 2]], kind)), NPY)) == [[21.5, 0]]
    assert outputs(post(client, plain, arrow({"a": [1], "b": [2]}), ARROW)) == [[21.5, 0]]


UNFIT = {
    "three columns": (npy(np.zeros((2, 3))), NPY, "#"),
    "one dimension": (npy(np.zeros(2)), NPY, "#"),
    "no rows": (npy(np.zeros((0, 2))), NPY, "#"),
    "booleans": (npy(np.array([[True, False]])), NPY, "#"),
    "texts": (npy(np.array([["a", "b"]])), NPY, "#"),
    "NaN": (npy(np.array([[1, np.nan]])), NPY, "#/0/1"),
    "too large for float32": (npy(np.array([[1, 2], [1e39, 2]])), NPY, "#/1/0"),
    "npy cut off": (npy(INPUTS)[:-1], NPY, "#"),
    "npy goes on": (npy(INPUTS) + b"!", NPY, "#"),
    "npy header cut off": (npy(INPUTS)[:40], NPY, "#"),
    "no npy": (b"", NPY, "#"),
    "objects": (b"\x93NUMPY\x01\x00\x10\x00{'descr': '|O'}\n", NPY, "#"),
    "a column lacks": (arrow({"a": [1.0]}), ARROW, "#"),
    "a value lacks": (arrow({"a": [1.0, None], "b": [1.0, 2.0]}), ARROW, "#/columns/a/1"),
    "text among numbers": (arrow({"a": ["x"], "b": [1.0]}), ARROW, "#/columns/a/0"),
    "Arrow without rows": (arrow({"a": [], "b": []}), ARROW, "#"),
    "Arrow cut off": (arrow({"a": [1.0], "b": [2.0]})[:50], ARROW, "#"),
    "no Arrow": (b"no arrow", ARROW, "#"),
}


@pytest.mark.parametrize(("body", "kind", "pointer"), UNFIT.values(), ids=UNFIT)
def test_bytes_that_do_not_fit_are_refused(client: Client, plain: str, body: bytes, kind: str, pointer: str) -> None:
    assert pointers(post(client, plain, body, kind)) == [pointer]


def test_outputs_that_overflow_are_refused_in_every_form(client: Client) -> None:
    model = client.create_model("Dense(2 => 1)", parameters=[{"weight": [[3e38, 0]], "bias": [0]}]).id
    rows = np.array([[1.0, 0], [2, 0]], "f4")
    assert pointers(post(client, model, npy(rows), NPY)) == ["#/1"]
    assert pointers(post(client, model, arrow({"a": rows[:, 0], "b": rows[:, 1]}), ARROW)) == ["#/1"]
    assert pointers(post(client, model, "1,0\n2,0\n", CSV)) == ["#/1"]


def test_an_answer_has_the_form_that_is_asked_for(client: Client, plain: str) -> None:
    body = npy(INPUTS.astype("f4"))
    array = post(client, plain, body, NPY, NPY)
    assert array.headers["content-type"] == NPY
    np.testing.assert_array_equal(np.load(io.BytesIO(array.content)), np.array(OUTPUTS, "f4"), strict=True)
    assert table(post(client, plain, body, NPY, ARROW)) == {"output_0": [21.5, 0], "output_1": [0, -6.25]}
    text = post(client, plain, body, NPY, CSV)
    assert text.headers["content-type"].partition(";")[0] == CSV
    assert list(csv.reader(io.StringIO(text.text))) == [["output_0", "output_1"], ["21.5", "0"], ["0", "-6.25"]]
    for answer in (array, text):
        assert (answer.headers["descent-model"], answer.headers["descent-version"]) == (plain, "0")


def test_a_table_has_labels_outputs_and_probabilities_by_column(client: Client, job: Job) -> None:
    body = f'{{"rows": [{{"length": {ROW["length"]}, "wild": true, "place": "b"}}]}}'
    told = post(client, job.model, body, JSON).json()
    columns = table(post(client, job.model, body, JSON, ARROW))
    assert list(columns) == [
        "species",
        "species_output_setosa",
        "species_output_virginica",
        "species_probability_setosa",
        "species_probability_virginica",
    ]
    assert columns["species"] == told["labels"]
    values = [value for (value,) in list(columns.values())[1:]]
    np.testing.assert_allclose(values, [*told["outputs"][0], *told["probabilities"][0]], rtol=1e-6)


def test_the_columns_of_numeric_and_boolean_targets_carry_their_names(client: Client) -> None:
    columns = {"x": [0.0, 1, 2, 3], "y": [0.0, 1, 2, 3], "on": [False, True, True, False]}
    layer = {"weight": [[2.0], [1.0]], "bias": [0.0, -2.0]}
    job = train(client, columns, ("y", "on"), layer, loss="mse")
    assert table(post(client, job.model, "x\n3\n1\n", CSV, ARROW)) == {
        "y": [6, 2],
        "on": [True, False],
        "on_output_true": [1, -1],
    }


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", JSON),
        ("text/*", CSV),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("application/json;q=0.5, text/csv", CSV),
        ("text/csv;q=0, */*", JSON),
        ("application/json;q=0, application/*;q=0.1", ARROW),
        ("APPLICATION/X-NPY", NPY),
    ],
)
def test_accept_weighs_the_forms(client: Client, plain: str, accept: str, kind: str) -> None:
    answer = post(client, plain, '{"inputs": [[1, 2]]}', JSON, accept)
    assert answer.headers["content-type"].partition(";")[0] == kind


def test_forms_that_are_not_there_are_406_and_415(client: Client, plain: str) -> None:
    problem(post(client, plain, '{"inputs": [[1, 2]]}', JSON, "image/png"), 406)
    problem(post(client, plain, '{"inputs": [[1, 2]]}', JSON, "application/json;q=0"), 406)
    problem(post(client, plain, "{}", "text/plain"), 415)
    problem(client.http.post(f"/api/models/{plain}/predictions", content="{}"), 415)


def test_a_part_of_a_dataset_is_answered_in_every_form(client: Client, job: Job) -> None:
    body = f'{{"dataset": "{job.dataset}", "part": "train"}}'
    told = post(client, job.model, body, JSON).json()
    assert len(told["labels"]) == len(COLUMNS["species"])
    assert table(post(client, job.model, body, JSON, ARROW))["species"] == told["labels"]
    array = np.load(io.BytesIO(post(client, job.model, body, JSON, NPY).content))
    np.testing.assert_allclose(array, told["outputs"], rtol=1e-6)


def test_batches_are_rows_one_after_the_other(client: Client, plain: str) -> None:
    batches = [{"a": [1.0], "b": [2.0]}, {"a": [], "b": []}, {"a": [-3.0], "b": [0.25]}]
    schema = pyarrow.schema([("a", pyarrow.float32()), ("b", pyarrow.float32())])
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(pyarrow.record_batch(batch, schema=schema))
    assert outputs(post(client, plain, bytes(sink.getvalue()), ARROW)) == OUTPUTS


def test_a_small_body_does_not_unpack_to_any_size(client: Client, plain: str) -> None:
    zeros = np.zeros(20_000_000, np.int8)
    table, sink = pyarrow.table({"a": zeros, "b": zeros}), pyarrow.BufferOutputStream()
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=4_000_000)
    body = bytes(sink.getvalue())
    assert len(body) < 1 << 16
    problem(post(client, plain, body, ARROW), 413)
