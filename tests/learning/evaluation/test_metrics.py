"""Metrics are those of scikit-learn, whether rows are added at once or block by block."""

from typing import Any

import numpy as np
import pytest

from service.learning.evaluation import roc
from service.learning.evaluation.metrics import Classification, Regression
from tests.support.learning.answers import answers
from tests.support.learning.judging import classification, regression

CASES = answers("sklearn_metrics")["cases"]
REGRESSIONS = [pytest.param(case, id=case["name"]) for case in CASES if case["kind"] == "regression"]
BLOCKS = 1, 7, 100
"""Rows that are added at once."""
CLASSIFICATIONS = [pytest.param(case, id=case["name"]) for case in CASES if case["kind"] == "classification"]


def flat(found: Any, at: str = "") -> dict[str, Any]:
    """Every number, or the value in place of a number, by its place."""
    if isinstance(found, dict | list):
        items = found.items() if isinstance(found, dict) else enumerate(found)
        return {place: value for key, item in items for place, value in flat(item, f"{at}/{key}").items()}
    return {at: found}


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    ours, theirs = flat(found), flat(expected)
    unknown = {at for at, value in theirs.items() if value is None}
    return unknown == {at for at, value in ours.items() if value is None} and {
        at: value for at, value in ours.items() if at not in unknown
    } == pytest.approx({at: value for at, value in theirs.items() if at not in unknown}, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", REGRESSIONS)
def test_numbers_are_judged_as_by_scikit_learn(case: dict[str, Any], dtype: str) -> None:
    for block in BLOCKS:
        found = regression(np.array(case["predictions"], dtype), np.array(case["targets"], dtype), block)
        assert same(found, case["answer"]), block


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CLASSIFICATIONS)
def test_classes_are_judged_as_by_scikit_learn(case: dict[str, Any], dtype: str) -> None:
    scores, codes, answer = np.array(case["scores"], dtype), np.array(case["codes"], dtype), case["answer"]
    names = [f"class {code}" for code in range(scores.shape[1])]
    expected = answer | ({"log_loss": case["float32_log_loss"]} if dtype == "float32" else {})
    for block in BLOCKS:
        found = classification(scores, codes, names, block, probabilities=answer["log_loss"] is not None)
        assert [each.pop("class") for each in found["per_class"]] == names
        assert same(found, expected), block


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan, 1e200])
def test_what_is_not_finite_is_not_said(wrong: float) -> None:
    found = regression(np.array([[1.0], [wrong], [2.0]]), np.array([[1.0], [2.0], [3.0]]))
    assert found["mse"] is found["rmse"] is found["r2"] is found["explained_variance"] is None
    assert found["max_error"] == (wrong if wrong == 1e200 else None)


def test_scores_that_are_not_numbers_have_no_loss_and_no_order() -> None:
    scores = np.array([[0.5, 0.5], [np.nan, np.nan], [0.1, 0.9]])
    found = classification(scores, np.array([0.0, 1.0, 1.0]), ["a", "b"])
    assert found["log_loss"] is found["roc_auc"] is None
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_a_class_without_an_alternative_is_always_right() -> None:
    found = classification(np.ones((3, 1)), np.zeros(3), ["only"])
    assert (found["accuracy"], found["log_loss"], found["roc_auc"]) == (1.0, pytest.approx(0.0), None)


def test_the_order_of_too_many_scores_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, codes = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])
    assert classification(scores, codes, [False, True])["roc_auc"] == 1.0
    monkeypatch.setattr(roc, "MOST_SCORE_BYTES", 15)
    found = classification(scores, codes, [False, True])
    assert (found["accuracy"], found["roc_auc"]) == (1.0, None)


def test_a_small_spread_about_a_large_mean_keeps_its_digits() -> None:
    y = 1e9 + np.random.default_rng(0).normal(0, 1e-3, (200_000, 1))
    found = regression(y + 1e-4, y, 1000)
    error = (y + 1e-4) - y
    assert found["r2"] == pytest.approx(1 - np.mean(error**2) / np.var(y - 1e9), rel=1e-9)
    assert found["mse"] == pytest.approx(np.mean(error**2), rel=1e-9)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_a_target_without_variance_is_constant_whatever_its_mean_rounds_to(block: int) -> None:
    predictions, targets = np.linspace(0, 1, 10).reshape(-1, 1), np.full((10, 1), 0.1)
    found = regression(predictions, targets, block)
    assert (found["r2"], found["explained_variance"]) == (0.0, 0.0)
    assert regression(targets, targets, block)["r2"] == 1.0


def test_accumulators_leave_what_they_are_given_as_it_is() -> None:
    predictions, targets = np.array([[1.0], [2.0]]), np.array([[0.0], [4.0]])
    Regression().add(predictions, targets)
    scores, codes = np.array([[0.3, 0.7], [1.0, 0.0]]), np.array([1.0, 0.0])
    Classification(["a", "b"], 2).add(scores, codes)
    assert (predictions.tolist(), targets.tolist()) == ([[1.0], [2.0]], [[0.0], [4.0]])
    assert (scores.tolist(), codes.tolist()) == ([[0.3, 0.7], [1.0, 0.0]], [1.0, 0.0])
