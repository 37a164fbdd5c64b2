"""Inference with networks that know their data: a tensor a column goes in, labels and probabilities come out."""

import json
from typing import Any

import numpy as np
import pytest

from service.errors import Invalid
from service.http.json_numbers import Array
from service.inference import metadata
from service.inference.operations import InferenceCall, infer
from service.learning import notation
from service.learning.network import Network
from service.models.signature.signature import Feature, Signature, Target
from service.models.trained_network import TrainedNetwork

LENGTH = Feature("length", "numeric", min=0, max=9)
WILD = Feature("wild", "boolean")
SITE = Feature("site", "categorical", ("forest", "meadow", "shore"))
SPECIES = Target("species", "categorical", ("setosa", "virginica"))
TALL = Target("tall", "boolean", ("false", "true"))
HEIGHT = Target("height", "numeric")
COLUMNS = Signature((LENGTH, WILD, SITE), (SPECIES,), "softmax")

WEIGHT = np.array([[1, 10, 100, 200, 300], [0, 0, 0, 0, 0.5]], np.float32)
"""Outputs × inputs: length, wild, and the three sites one-hot."""


def trained(signature: Signature | None, weight: Any = WEIGHT, dtype: str = "float32") -> TrainedNetwork:
    outputs, inputs = np.shape(weight)
    network = Network(notation.read(f"Dense({inputs} => {outputs})"), dtype)
    layers = [{"weight": np.asarray(weight).tolist(), "bias": [0] * outputs}]
    return TrainedNetwork("mdl", 0, None, False, network, network.flatten(layers), signature)


def ask(network: TrainedNetwork, inputs: list[dict[str, Any]], **more: Any) -> dict[str, dict[str, Any]]:
    """The tensors of an answer by name, their data in their declared shape."""
    body = json.dumps({"inputs": inputs, **more}).encode()
    answer = json.loads(infer(InferenceCall("m", body, None, ""), network, 0).body)
    for output in answer["outputs"]:
        output["data"] = np.array(output["data"]).reshape(output["shape"]).tolist()
    return {output["name"]: output for output in answer["outputs"]}


def tensor(name: str, datatype: str, data: list[Any], shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data), 1] if shape is None else shape, "data": data}


ROWS = [
    tensor("site", "BYTES", ["meadow", "forest"]),
    tensor("length", "FP32", [2, 3]),
    tensor("wild", "BOOL", [True, False], [2]),
]
"""Tensors in another order than the network's; one without the second dimension, which is 1 anyway."""
OUTPUTS = [[212.0, 0.0], [103.0, 0.0]]


def names(tensors: list[metadata.Description]) -> list[tuple[str, str, int]]:
    return [(each.name, each.datatype, each.width) for each in tensors]


def test_categories_make_a_model_ask_for_a_tensor_a_column() -> None:
    assert names(metadata.inputs_of(trained(COLUMNS))) == [
        ("length", "FP32", 1),
        ("wild", "BOOL", 1),
        ("site", "BYTES", 1),
    ]
    assert names(metadata.inputs_of(trained(None))) == [("inputs", "FP32", 5)]
    numbers = Signature((LENGTH, WILD), (HEIGHT,))
    assert names(metadata.inputs_of(trained(numbers, [[1, 2]], "float64"))) == [("inputs", "FP64", 2)]


def test_a_model_of_class_targets_gives_labels_and_probabilities() -> None:
    raw, labels, probabilities = ("outputs", "FP32", 2), ("labels", "BYTES", 1), ("probabilities", "FP32", 2)
    assert names(metadata.outputs_of(trained(COLUMNS))) == [raw, labels, probabilities]
    unlinked = Signature(COLUMNS.features, (SPECIES,), None)
    assert names(metadata.outputs_of(trained(unlinked))) == [raw, labels]
    several = Signature(COLUMNS.features, (HEIGHT, TALL), "sigmoid")
    assert names(metadata.outputs_of(trained(several))) == [
        raw,
        ("labels.tall", "BYTES", 1),
        ("probabilities.tall", "FP32", 2),
    ]


def test_columns_go_in_by_name_and_one_hot_rows_go_in_too() -> None:
    answered = ask(trained(COLUMNS), ROWS)
    assert answered["outputs"]["data"] == OUTPUTS
    one_hot = [2, 1, 0, 1, 0, 3, 0, 1, 0, 0]
    assert ask(trained(COLUMNS), [tensor("inputs", "FP32", one_hot, [2, 5])]) == answered


def test_columns_of_numbers_go_in_by_name_where_their_names_are_known() -> None:
    numbers = trained(Signature((LENGTH, WILD), (HEIGHT,)), [[1, 10]])
    columns = [tensor("length", "INT8", [2, 3]), tensor("wild", "UINT8", [1, 0])]
    assert ask(numbers, columns)["outputs"]["data"] == [[12.0], [3.0]]
    rows = tensor("inputs", "FP64", [2, 1, 3, 0], [2, 2])
    assert ask(numbers, [rows])["outputs"]["data"] == [[12.0], [3.0]]


@pytest.mark.parametrize("name", ["inputs", "outputs"])
def test_a_column_may_be_called_as_the_protocol_calls_tensors(name: str) -> None:
    site = Feature(name, "categorical", SITE.categories)
    network = trained(Signature((site,), (HEIGHT,)), [[1, 2, 3]])
    assert ask(network, [tensor(name, "BYTES", ["shore", "forest"])])["outputs"]["data"] == [[3.0], [1.0]]
    length = Feature(name, "numeric")
    network = trained(Signature((length,), (HEIGHT,)), [[2]])
    assert ask(network, [tensor(name, "FP32", [3])])["outputs"]["data"] == [[6.0]]


def softmax(scores: Any) -> Array:
    powers = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def test_labels_and_probabilities_are_those_of_the_link() -> None:
    network = trained(COLUMNS, WEIGHT / 100)
    answered = ask(network, [tensor("inputs", "FP32", [0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [2, 5])])
    assert (answered["labels"]["datatype"], answered["labels"]["data"]) == ("BYTES", [["setosa"], ["setosa"]])
    expected = softmax(np.array([[3, 0.005], [0, 0]]))
    np.testing.assert_allclose(answered["probabilities"]["data"], expected, rtol=1e-6)


def test_boolean_targets_have_two_probabilities_and_labels_in_words() -> None:
    network = trained(Signature((LENGTH,), (TALL,), "sigmoid"), [[1]])
    answered = ask(network, [tensor("length", "FP32", [-2, 2])])
    assert answered["labels"]["data"] == [["false"], ["true"]]
    odds = 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(answered["probabilities"]["data"], [[odds, 1 - odds], [1 - odds, odds]], rtol=1e-6)


def test_several_targets_are_told_apart_by_their_names() -> None:
    network = trained(Signature((LENGTH,), (HEIGHT, SPECIES, TALL), None), [[1], [2], [3], [4]])
    answered = ask(network, [tensor("length", "FP32", [1])])
    assert set(answered) == {"outputs", "labels.species", "labels.tall"}
    assert answered["labels.species"]["data"] == [["virginica"]]
    assert answered["labels.tall"]["data"] == [["true"]]


def test_only_what_is_wanted_comes_back_in_the_order_in_which_it_is_wanted() -> None:
    answered = ask(trained(COLUMNS), ROWS, outputs=[{"name": "labels"}, {"name": "outputs"}])
    assert list(answered) == ["labels", "outputs"]


def test_the_highest_classes_are_named_where_a_column_is_a_class() -> None:
    wanted = [
        {"name": "outputs", "parameters": {"classification": 1}},
        {"name": "probabilities", "parameters": {"classification": 2}},
    ]
    answered = ask(trained(COLUMNS), ROWS, outputs=wanted)
    assert answered["outputs"]["data"] == [["212.0:0:setosa"], ["103.0:0:setosa"]]
    one_hot = tensor("inputs", "FP32", [0.25, 0, 0, 0, 0], [1, 5])
    answered = ask(trained(Signature(COLUMNS.features, (SPECIES,), "identity")), [one_hot], outputs=wanted)
    assert answered["probabilities"]["data"] == [["0.25:0:setosa", "0.0:1:virginica"]]
    one_hot["data"][0] = 0.1
    assert ask(trained(None), [one_hot], outputs=wanted[:1])["outputs"]["data"] == [["0.1:0"]]
    several = trained(Signature((LENGTH,), (HEIGHT, TALL), None), [[1], [4]])
    answered = ask(several, [tensor("length", "FP32", [1])], outputs=wanted[:1])
    assert answered["outputs"]["data"] == [["4.0:1"]]


def test_labels_come_as_bytes_too() -> None:
    network = trained(Signature((LENGTH,), (Target("ß", "categorical", ("ä", "")),), None), [[1], [0]])
    body = json.dumps(
        {
            "inputs": [tensor("length", "FP32", [1, -1])],
            "outputs": [{"name": "labels", "parameters": {"binary_data": True}}],
        }
    ).encode()
    answer = infer(InferenceCall("m", body, None, ""), network, 0)
    assert answer.body[answer.json_length :] == b"\x02\0\0\0" + "ä".encode() + b"\0\0\0\0"


WRONG: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "category": ([tensor("site", "BYTES", ["meadow", "sea"]), *ROWS[1:]], "#/inputs/0", "Row 1.*'sea'"),
    "unknown": ([*ROWS, tensor("depth", "FP32", [1, 2])], "#/inputs/3", "'depth'"),
    "missing": (ROWS[:2], "#/inputs", "'wild' is missing"),
    "text": ([ROWS[0], tensor("length", "BYTES", ["1", "2"]), ROWS[2]], "#/inputs/1", "number"),
    "truth": ([*ROWS[:2], tensor("wild", "FP32", [0, 0.5])], "#/inputs/2", "Row 1.*'wild'"),
    "rows": ([ROWS[0], tensor("length", "FP32", [1]), ROWS[2]], "#/inputs/1/shape", r"\[2, 1\] or \[2\]"),
    "width": ([tensor("site", "BYTES", ["meadow"] * 2, [1, 2]), *ROWS[1:]], "#/inputs/0/shape", r"\[-1, 1\]"),
    "scalar": ([tensor("length", "FP32", [1], []), ROWS[0], ROWS[2]], "#/inputs/0/shape", r"\[-1, 1\]"),
    "labels": ([tensor("inputs", "BYTES", ["meadow"])], "#/inputs/0", "'inputs'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_columns_that_do_not_fit_are_refused(name: str) -> None:
    inputs, pointer, sentence = WRONG[name]
    with pytest.raises(Invalid, match=sentence) as refused:
        ask(trained(COLUMNS), inputs)
    assert refused.value.errors[0].pointer == pointer


def test_a_missing_number_is_refused_unless_training_had_filled_it() -> None:
    def with_nan(length: Feature) -> float:
        network = trained(Signature((length,), (HEIGHT,)), [[1]])
        data = np.array([np.nan], "<f4").tobytes()
        shown = {"name": "length", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": len(data)}}
        head = json.dumps({"inputs": [shown]}).encode()
        answer = infer(InferenceCall("m", head + data, str(len(head)), ""), network, 0)
        return float(json.loads(answer.body)["outputs"][0]["data"][0])

    assert with_nan(Feature("length", "numeric", fill=7)) == 7
    with pytest.raises(Invalid, match="missing"):
        with_nan(Feature("length", "numeric"))


def test_texts_have_no_highest() -> None:
    wanted = [{"name": "labels", "parameters": {"classification": 1}}]
    with pytest.raises(Invalid, match="no order"):
        ask(trained(COLUMNS), ROWS, outputs=wanted)
