"""Evaluations: loss, metrics and the worst rows of a network in one pass."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.learning.arrays import Array
from service.learning.evaluation.class_scores import class_scores
from service.learning.evaluation.evaluation import Classes, Numbers, evaluate
from service.learning.evaluation.worst_rows import WorstRow, WorstRows
from service.learning.losses import LOSSES, MSE
from service.learning.network import Network
from service.learning.rows.one_hot import OneHotRows
from service.learning.rows.part import Part
from tests.support.learning.judging import classification, regression
from tests.support.learning.networks import network, problem

COLOURS = Classes(("blue", "green", "red"))
TRUTH = Classes((False, True))


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "block_rows", 7)


def mixed_part(rows: int = 50) -> tuple[Part, Array]:
    """Inputs, and targets of two numbers, a colour and a truth; and the targets as they are stored."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(rows, 2))
    codes = np.column_stack([numbers[:, 0], generator.integers(0, 3, rows), numbers[:, 1], np.arange(rows) % 2])
    return Part(generator.normal(size=(rows, 3)), OneHotRows(codes, [None, 3, None, None], "float64")), codes


def test_each_target_is_judged_by_its_own_outputs() -> None:
    net, (part, codes) = network("Dense(3 => 6)"), mixed_part()
    vector = net.initial(0)
    found = evaluate(net, vector, part, MSE(), [Numbers(), COLOURS, Numbers(), TRUTH], link="sigmoid")
    outputs = net.predict(vector, part.inputs)
    assert found.metrics[0] == pytest.approx(regression(outputs[:, :1], codes[:, :1]))
    assert found.metrics[2] == pytest.approx(regression(outputs[:, 4:5], codes[:, 2:3]))
    colours = classification(class_scores(outputs[:, 1:4], "sigmoid"), codes[:, 1], COLOURS.names)
    assert found.metrics[1] == colours | {"log_loss": pytest.approx(colours["log_loss"])}
    truth = classification(class_scores(outputs[:, 5:], "sigmoid", boolean=True), codes[:, 3], TRUTH.names)
    assert found.metrics[3] == truth | {"log_loss": pytest.approx(truth["log_loss"])}


def test_several_numbers_may_be_judged_together() -> None:
    net, part = network("Dense(3 => 2)"), problem(30)
    found = evaluate(net, net.initial(0), part, MSE(), [Numbers(2)])
    assert found.metrics == [pytest.approx(regression(net.predict(net.initial(0), part.inputs), part.targets[:]))]
    assert found.metrics[0]["mse"] == pytest.approx(found.loss)


@pytest.mark.parametrize("weights", [None, np.arange(1.0, 31.0)], ids=["alike", "weighted"])
def test_a_loss_that_float32_cannot_hold_is_computed_in_float64(weights: Array | None) -> None:
    net, part = network("Dense(3 => 1)", "float32"), replace(problem(30, outputs=1), weights=weights)
    vector = np.array([1e30, 0, 0, 0], "float32")
    outputs = net.predict(vector, part.inputs).astype("float64")
    expected = np.average((outputs - part.targets[:])[:, 0] ** 2, weights=weights)
    assert evaluate(net, vector, part, MSE(), [Numbers()]).loss == pytest.approx(expected, rel=1e-6)


def test_without_a_link_classes_have_no_log_loss_but_an_order() -> None:
    net, (part, _) = network("Dense(3 => 6)"), mixed_part()
    found = evaluate(net, net.initial(0), part, MSE(), [Numbers(), COLOURS, Numbers(), TRUTH])
    assert found.metrics[1]["log_loss"] is found.metrics[3]["log_loss"] is None
    assert 0 < found.metrics[1]["roc_auc"] < 1


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_is_the_one_that_the_network_gives(weighted: bool) -> None:
    net, part = network("Chain(Dense(3 => 4, tanh), Dense(4 => 2))", "float32"), problem(50, dtype="float32")
    part = Part(part.inputs, part.targets, np.linspace(0, 1, 50, dtype=np.float32) if weighted else None)
    vector, loss = net.initial(0), LOSSES["logitcrossentropy"]()
    found = evaluate(net, vector, part, loss, [Numbers(2)])
    assert found.loss == net.loss(vector, part.inputs, part.targets, loss, part.weights)


def test_the_worst_rows_come_with_outputs_and_targets_as_they_are_stored() -> None:
    net = network("Dense(1 => 4)")
    vector = net.flatten([{"weight": [[1.0], [0.0], [0.0], [0.0]], "bias": [0.0, 0.0, 0.0, 0.0]}])
    codes = np.array([[0.0, 1.0], [5.0, 0.0], [2.5, 2.0]])
    part = Part(np.array([[0.0], [3.0], [2.0]]), OneHotRows(codes, [None, 3], "float64"))
    found = evaluate(net, vector, part, MSE(), [Numbers(), COLOURS], link="softmax", worst=2)
    one_third = class_scores(np.zeros((1, 3)), "softmax")[0, 1]
    assert found.worst == [WorstRow(1, [3, 0, 0, 0], [5, 0], 2), WorstRow(0, [0, 0, 0, 0], [0, 1], 1 - one_third)]
    assert evaluate(net, vector, part, MSE(), [Numbers(), COLOURS]).worst == []


def test_a_memory_map_gives_what_the_array_gives(tmp_path: Path) -> None:
    net, part = network("Dense(3 => 2)"), problem(40)
    for name in ("inputs", "targets"):
        np.save(tmp_path / name, getattr(part, name))
    mapped = Part(*(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("inputs", "targets")))
    one, other = (evaluate(net, net.initial(0), each, MSE(), [Numbers(2)], worst=5) for each in (part, mapped))
    assert one == other


def test_outputs_beyond_the_dtype_are_the_worst_and_leave_metrics_unsaid() -> None:
    net, x = network("Dense(1 => 1)", "float32"), np.array([[1.0], [3e38], [2.0]], np.float32)
    vector = np.array([100, 0], np.float32)
    found = evaluate(net, vector, Part(x, x), MSE(), [Numbers()], worst=1)
    assert found.worst == [WorstRow(1, [np.inf], x[1].tolist(), np.inf)]
    assert (found.loss, found.metrics[0]["mse"]) == (np.inf, None)


RESIDUALS = st.lists(st.integers(0, 5).map(float) | st.just(float("nan")), max_size=40)


@given(residuals=RESIDUALS, count=st.integers(0, 8), block=st.integers(1, 9))
def test_the_worst_rows_are_those_of_a_stable_sort(residuals: list[float], count: int, block: int) -> None:
    sizes = np.array(residuals)
    numbers: Array = np.arange(float(len(sizes))).reshape(-1, 1)
    worst = WorstRows(count)
    for start in range(0, len(sizes), block):
        rows = slice(start, start + block)
        worst.add(start, sizes[rows], numbers[rows], -numbers[rows])
    known = [float("inf") if size != size else size for size in residuals]
    expected = sorted(range(len(sizes)), key=lambda row: -known[row])[:count]
    assert worst.result() == [WorstRow(row, [float(row)], [-float(row)], known[row]) for row in expected]
