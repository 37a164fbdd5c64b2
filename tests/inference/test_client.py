"""The Open Inference Protocol as a stock client speaks it: every call of tritonclient's that concerns a model."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import tritonclient.http as triton  # type: ignore[import-untyped]  # Triton's has no types
from tritonclient.utils import InferenceServerException  # type: ignore[import-untyped]  # Triton's has no types

from service.client import Client
from service.http.json_numbers import Array

WEIGHT = [[1.0, 10.0], [0.5, -1.0], [0.0, 0.25]]
BIAS = [0.0, 1.0, -2.0]
ROWS = np.array([[1, 2], [3, 4], [-5, 0.5]], np.float32)


def expected(rows: Array, scale: float = 1) -> Array:
    outputs: Array = rows.astype(np.float64) @ (scale * np.array(WEIGHT)).T + BIAS
    return outputs


@pytest.fixture(scope="module")
def model(client: Client) -> Iterator[str]:
    """A model of float32 with two versions: in version 1 the weights are twice those of version 0."""
    client.create_model("Dense(2 => 3)", name="inferred", parameters=[{"weight": WEIGHT, "bias": BIAS}])
    twice = {"layers": [{"weight": (2 * np.array(WEIGHT)).tolist(), "bias": BIAS}]}
    assert client.http.put("/api/models/inferred/parameters", json=twice).status_code == 201
    yield "inferred"
    assert client.http.delete("/api/models/inferred").status_code == 204


@pytest.fixture(scope="module")
def stock(client: Client) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(urlsplit(str(client.http.base_url)).netloc, concurrency=4) as stock:
        yield stock


def tensor(rows: Array, datatype: str = "FP32", name: str = "inputs", binary: bool = True) -> triton.InferInput:
    made = triton.InferInput(name, list(rows.shape), datatype)
    made.set_data_from_numpy(rows, binary_data=binary)
    return made


def test_server_and_model_are_live_and_ready(stock: triton.InferenceServerClient, model: str) -> None:
    assert stock.is_server_live()
    assert stock.is_server_ready()
    assert stock.is_model_ready(model)
    assert stock.is_model_ready(model, "1")
    assert not stock.is_model_ready(model, "2")
    assert not stock.is_model_ready("nobody")


def test_the_server_describes_itself(stock: triton.InferenceServerClient) -> None:
    described = stock.get_server_metadata(headers={"X-Trace": "1"}, query_params={"verbose": 1})
    assert described["name"] == "descent"
    assert "binary_tensor_data" in described["extensions"]


def test_a_model_describes_the_tensors_that_it_takes_and_gives(stock: triton.InferenceServerClient, model: str) -> None:
    described = stock.get_model_metadata(model)
    assert described == {
        "name": "inferred",
        "versions": ["0", "1"],
        "platform": "descent_dense",
        "inputs": [{"name": "inputs", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "outputs", "datatype": "FP32", "shape": [-1, 3]}],
    }
    assert stock.get_model_metadata(model, "0") == described
    configured = stock.get_model_config(model, "1")
    assert (configured["name"], configured["max_batch_size"]) == ("inferred", 0)
    assert configured["input"] == [{"name": "inputs", "data_type": "TYPE_FP32", "dims": [-1, 2]}]
    assert configured["output"] == [{"name": "outputs", "data_type": "TYPE_FP32", "dims": [-1, 3]}]


def test_what_was_described_can_be_sent(stock: triton.InferenceServerClient, client: Client) -> None:
    for dtype in ("float32", "float64"):
        made = client.create_model("Dense(4 => 1)", seed=1, dtype=dtype)
        (described,) = stock.get_model_metadata(made.id)["inputs"]
        rows = np.ones([3 if size == -1 else size for size in described["shape"]], dtype)
        answer = stock.infer(made.id, [tensor(rows, described["datatype"], described["name"])])
        np.testing.assert_allclose(
            answer.as_numpy("outputs"), client.predict(made.id, rows.tolist()).outputs, rtol=1e-6
        )


def test_models_are_listed_loaded_and_unloaded(stock: triton.InferenceServerClient, model: str) -> None:
    listed = [entry for entry in stock.get_model_repository_index() if entry["name"] == model]
    assert listed == [{"name": model, "version": version, "state": "READY", "reason": ""} for version in ("0", "1")]
    stock.load_model(model)
    stock.unload_model(model)
    stock.unload_model(model, unload_dependents=True)
    assert stock.is_model_ready(model)
    np.testing.assert_allclose(stock.infer(model, [tensor(ROWS)]).as_numpy("outputs"), expected(ROWS, 2))
    for call in (stock.load_model, stock.unload_model):
        with pytest.raises(InferenceServerException, match="no model 'nobody'"):
            call("nobody")
    with pytest.raises(InferenceServerException, match="configuration"):
        stock.load_model(model, config="{}")


@pytest.mark.parametrize("binary_in", [True, False], ids=["binary in", "JSON in"])
@pytest.mark.parametrize("binary_out", [True, False, None], ids=["binary out", "JSON out", "all out"])
@pytest.mark.parametrize("request_coding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_coding", [None, "gzip", "deflate"])
def test_tensors_go_in_and_out_in_every_combination(
    stock: triton.InferenceServerClient,
    model: str,
    binary_in: bool,
    binary_out: bool | None,
    request_coding: str | None,
    response_coding: str | None,
) -> None:
    rows = np.tile(ROWS, (200, 1))
    answer = stock.infer(
        model,
        [tensor(rows, binary=binary_in)],
        outputs=None if binary_out is None else [triton.InferRequestedOutput("outputs", binary_data=binary_out)],
        request_compression_algorithm=request_coding,
        response_compression_algorithm=response_coding,
        request_id="r-1",
    )
    described = answer.get_response()
    assert (described["id"], described["model_name"], described["model_version"]) == ("r-1", model, "1")
    assert answer.get_output("outputs")["datatype"] == "FP32"
    assert ("parameters" in answer.get_output("outputs")) == (binary_out is not False)
    outputs = answer.as_numpy("outputs")
    assert (outputs.dtype, outputs.shape) == (np.float32, (600, 3))
    np.testing.assert_allclose(outputs, expected(rows, 2), rtol=1e-6)


@pytest.mark.parametrize("version", ["0", "1"])
def test_a_version_can_be_asked(stock: triton.InferenceServerClient, model: str, version: str) -> None:
    answer = stock.infer(model, [tensor(ROWS)], model_version=version)
    assert answer.get_response()["model_version"] == version
    np.testing.assert_allclose(answer.as_numpy("outputs"), expected(ROWS, 1 + int(version)))


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [
        ("FP64", np.float64),
        ("FP32", np.float32),
        ("FP16", np.float16),
        ("INT8", np.int8),
        ("INT16", np.int16),
        ("INT32", np.int32),
        ("INT64", np.int64),
        ("UINT8", np.uint8),
        ("UINT16", np.uint16),
        ("UINT32", np.uint32),
        ("UINT64", np.uint64),
        ("BOOL", bool),
    ],
)
@pytest.mark.parametrize("binary", [True, False])
def test_numbers_of_every_datatype_are_taken(
    stock: triton.InferenceServerClient, model: str, datatype: str, dtype: Any, binary: bool
) -> None:
    rows = np.array([[1, 0], [0, 1], [1, 1]], dtype)
    answer = stock.infer(model, [tensor(rows, datatype, binary=binary)])
    np.testing.assert_allclose(answer.as_numpy("outputs"), expected(rows, 2))


def test_upper_halves_of_float32_are_taken_as_bytes(stock: triton.InferenceServerClient, model: str) -> None:
    import ml_dtypes

    rows = np.array([[1.5, -0.25]], ml_dtypes.bfloat16)
    answer = stock.infer(model, [tensor(rows, "BF16")])
    np.testing.assert_allclose(answer.as_numpy("outputs"), expected(np.array([[1.5, -0.25]]), 2))


def test_requests_may_overlap(stock: triton.InferenceServerClient, model: str) -> None:
    pending = [stock.async_infer(model, [tensor(ROWS + n)], request_id=str(n)) for n in range(8)]
    for n, request in enumerate(pending):
        answer = request.get_result()
        assert answer.get_response()["id"] == str(n)
        np.testing.assert_allclose(answer.as_numpy("outputs"), expected(ROWS + n, 2), rtol=1e-6)


def test_what_a_client_adds_on_its_own_account_is_ignored(stock: triton.InferenceServerClient, model: str) -> None:
    answer = stock.infer(
        model,
        [tensor(ROWS)],
        sequence_id=7,
        sequence_start=True,
        priority=1,
        timeout=1000,
        parameters={"mine": "x", "other": 2},
        headers={"X-Trace": "1"},
        query_params={"tenant": "a", "tags": ["x", "y"]},
    )
    assert "id" not in answer.get_response()
    np.testing.assert_allclose(answer.as_numpy("outputs"), expected(ROWS, 2))


@pytest.mark.parametrize("binary", [True, False])
def test_the_highest_outputs_of_each_row_come_as_texts(
    stock: triton.InferenceServerClient, model: str, binary: bool
) -> None:
    wanted = triton.InferRequestedOutput("outputs", binary_data=binary, class_count=2)
    answer = stock.infer(model, [tensor(ROWS[:1])], model_version="0", outputs=[wanted])
    assert answer.get_output("outputs")["datatype"] == "BYTES"
    texts = answer.as_numpy("outputs").astype(str)
    assert texts.tolist() == [["21.0:0", "-0.5:1"]]
    many = triton.InferRequestedOutput("outputs", binary_data=binary, class_count=100)
    assert stock.infer(model, [tensor(ROWS)], outputs=[many]).as_numpy("outputs").shape == (3, 3)


def test_statistics_count_rows_requests_and_refusals(stock: triton.InferenceServerClient, client: Client) -> None:
    made = client.create_model("Dense(2 => 3)", name="counted")
    (idle,) = stock.get_inference_statistics("counted")["model_stats"]
    assert (idle["version"], idle["inference_count"], idle["inference_stats"]["success"]["ns"]) == ("0", 0, 0)

    for rows in (ROWS, ROWS, ROWS[:1]):
        stock.infer("counted", [tensor(rows)])
    with pytest.raises(InferenceServerException):
        stock.infer(made.id, [tensor(ROWS, name="other")])

    (counted,) = stock.get_inference_statistics("counted", "0")["model_stats"]
    assert (counted["inference_count"], counted["execution_count"]) == (7, 3)
    assert counted["last_inference"] > 1_700_000_000_000
    steps = counted["inference_stats"]
    assert (steps["success"]["count"], steps["fail"]["count"]) == (3, 1)
    assert all(steps[name]["ns"] > 0 for name in steps)
    parts = sum(steps[name]["ns"] for name in ("queue", "compute_input", "compute_infer", "compute_output"))
    assert parts == steps["success"]["ns"]
    assert {batch["batch_size"]: batch["compute_infer"]["count"] for batch in counted["batch_stats"]} == {3: 2, 1: 1}

    everything = stock.get_inference_statistics()["model_stats"]
    assert [entry for entry in everything if entry["name"] == "counted"] == [counted]
    assert client.http.delete("/api/models/counted").status_code == 204
    assert all(entry["name"] != "counted" for entry in stock.get_inference_statistics()["model_stats"])


NOT_FINITE = np.array([[0, 1], [np.nan, np.inf]], np.float32)
LARGE = np.array([[0, 1e300]])
STEEP = np.array([[0, 1], [3e38, 3e38]], np.float32)

Call = Callable[[triton.InferenceServerClient, str], Any]
REFUSED: dict[str, tuple[Call, str, str]] = {
    "unknown model": (lambda stock, _: stock.infer("nobody", [tensor(ROWS)]), "404", "no model 'nobody'"),
    "unknown version": (lambda stock, model: stock.infer(model, [tensor(ROWS)], "9"), "404", "no version 9"),
    "no version": (lambda stock, model: stock.infer(model, [tensor(ROWS)], "one"), "400", "digits"),
    "metadata of nothing": (lambda stock, _: stock.get_model_metadata("nobody"), "404", "no model 'nobody'"),
    "metadata of no version": (lambda stock, model: stock.get_model_metadata(model, "9"), "404", "no version 9"),
    "no path": (lambda stock, _: stock.get_model_config("no/body"), "404", "nothing at"),
    "shape": (lambda stock, model: stock.infer(model, [tensor(ROWS[:, :1])]), "400", r"\[3, 1\].*\[-1, 2\]"),
    "input": (lambda stock, model: stock.infer(model, [tensor(ROWS, name="x")]), "400", "one tensor"),
    "output": (
        lambda stock, model: stock.infer(model, [tensor(ROWS)], outputs=[triton.InferRequestedOutput("scores")]),
        "400",
        "no output 'scores': there are outputs",
    ),
    "NaN": (lambda stock, model: stock.infer(model, [tensor(NOT_FINITE)]), "400", r"\[1, 0\] is not finite"),
    "NaN in JSON": (lambda stock, model: stock.infer(model, [tensor(NOT_FINITE, binary=False)]), "400", "not a finite"),
    "too large": (lambda stock, model: stock.infer(model, [tensor(LARGE, "FP64")]), "400", "too large for float32"),
    "overflow": (lambda stock, model: stock.infer(model, [tensor(STEEP)]), "400", "output of row 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_reach_the_client_as_sentences(stock: triton.InferenceServerClient, model: str, name: str) -> None:
    call, status, sentence = REFUSED[name]
    with pytest.raises(InferenceServerException, match=sentence) as raised:
        call(stock, model)
    assert raised.value.status() == status


def test_a_model_trained_on_categories_takes_its_columns_and_gives_labels(
    stock: triton.InferenceServerClient, client: Client
) -> None:
    columns: dict[str, Any] = {"site": ["sea", "hill", "sea", "hill"] * 5, "warm": [True, False] * 10}
    columns["kind"] = ["fish", "goat"] * 10
    dataset = client.create_dataset(columns, ["kind"])
    made = client.create_model("Dense(3 => 2)", seed=1)
    client.train(made.id, dataset.id, wait=30, loss="logitcrossentropy", optimiser={"rule": "Descent", "eta": 1})

    described = stock.get_model_metadata(made.id)
    assert [(each["name"], each["datatype"]) for each in described["inputs"]] == [("site", "BYTES"), ("warm", "BOOL")]
    assert [each["name"] for each in described["outputs"]] == ["outputs", "labels", "probabilities"]
    given = {"site": np.array([["hill"], ["sea"]], object), "warm": np.array([[False], [True]])}
    for binary in (True, False):
        tensors = [tensor(given[each["name"]], each["datatype"], each["name"], binary) for each in described["inputs"]]
        answer = stock.infer(made.id, tensors)
        assert answer.as_numpy("labels").tolist() == [[b"goat"], [b"fish"]]
        assert (answer.as_numpy("probabilities").max(axis=1) > 0.9).all()
        highest = triton.InferRequestedOutput("probabilities", class_count=1)
        (text,) = stock.infer(made.id, tensors, outputs=[highest]).as_numpy("probabilities")[0]
        assert text.decode().endswith(":1:goat")
    assert stock.get_model_metadata(made.id, "0")["inputs"][0]["name"] == "inputs"
