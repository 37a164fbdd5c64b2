"""Links, which make probabilities and labels of raw outputs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.learning.evaluation.class_scores import class_scores, labels
from service.learning.losses import Link

OUTPUTS = np.array([[1.0, 2.0, 0.0], [-3.0, 0.5, 0.5]])


def test_softmax_makes_the_outputs_of_a_row_sum_to_one() -> None:
    expected = [[math.exp(x) / sum(map(math.exp, row)) for x in row] for row in OUTPUTS.tolist()]
    assert np.allclose(class_scores(OUTPUTS, "softmax"), expected, rtol=1e-15)


def test_sigmoid_takes_each_output_alone() -> None:
    expected = [[1 / (1 + math.exp(-x)) for x in row] for row in OUTPUTS.tolist()]
    assert np.allclose(class_scores(OUTPUTS, "sigmoid"), expected, rtol=1e-15)


@pytest.mark.parametrize("link", ["identity", None])
def test_identity_and_no_link_leave_outputs_as_they_are(link: Link | None) -> None:
    assert np.array_equal(class_scores(OUTPUTS, link), OUTPUTS)


def test_the_output_of_a_boolean_speaks_for_true_and_the_rest_for_false() -> None:
    outputs = np.array([[-1.0], [0.0], [2.0]])
    scores = class_scores(outputs, "sigmoid", boolean=True)
    assert np.allclose(scores[:, 1], [1 / (1 + math.exp(-x)) for x in (-1, 0, 2)])
    assert np.array_equal(scores[:, 0], 1 - scores[:, 1])
    assert labels(scores).tolist() == [0, 0, 1]
    assert class_scores(outputs, None, boolean=True).tolist() == [[2, -1], [1, 0], [-1, 2]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_large_outputs_give_certainty_without_a_warning(link: Link, dtype: str) -> None:
    outputs = np.array([[1e30, -1e30], [-1e5, 1e5]], dtype)
    scores = class_scores(outputs, link)
    assert scores.dtype == dtype
    assert scores.tolist() == [[1, 0], [0, 1]]


def test_the_label_is_the_first_class_of_the_highest_score() -> None:
    assert labels(OUTPUTS).tolist() == [1, 1]
    assert labels(np.array([[0.0, -1.0, -2.0]])).tolist() == [0]


@given(st.floats(-1e30, 1e30) | st.integers(-20, 20).map(lambda steps: 0.5 + steps * 2.0**-25))
def test_a_boolean_is_true_where_p_is_above_one_half(p: float) -> None:
    for dtype in ("float32", "float64"):
        outputs = np.array([[p]], dtype)
        assert labels(class_scores(outputs, "identity", boolean=True))[0] == (outputs[0, 0] > 0.5)
