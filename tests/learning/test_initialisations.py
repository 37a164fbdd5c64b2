"""First weights have the distributions of their formulas."""

import math
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.initialisations import INITS
from service.learning.terms import TermError

SHAPE = (300, 200)  # outputs × inputs


def draw(name: str, shape: tuple[int, int] = SHAPE, **fields: Any) -> Array:
    return INITS[name](**fields).draw(np.random.default_rng(0), shape)


@pytest.mark.parametrize(
    ("name", "fields", "limit"),
    [
        ("glorot_uniform", {}, math.sqrt(6 / 500)),
        ("glorot_uniform", {"gain": 2}, 2 * math.sqrt(6 / 500)),
        ("kaiming_uniform", {}, math.sqrt(2) * math.sqrt(3 / 200)),
        ("kaiming_uniform", {"gain": 1}, math.sqrt(3 / 200)),
    ],
)
def test_uniform_ones_fill_their_range(name: str, fields: dict[str, Any], limit: float) -> None:
    weights = draw(name, **fields)
    assert np.abs(weights).max() == pytest.approx(limit, rel=1e-3)
    assert weights.std() == pytest.approx(limit / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    ("name", "fields", "deviation"),
    [
        ("glorot_normal", {}, math.sqrt(2 / 500)),
        ("kaiming_normal", {}, math.sqrt(2 / 200)),
        ("kaiming_normal", {"gain": 3}, 3 / math.sqrt(200)),
        ("lecun_normal", {}, 1 / math.sqrt(200)),
        ("truncated_normal", {"lo": -100, "hi": 100}, 1),
        ("randn32", {}, 1),
    ],
)
def test_normal_ones_have_their_deviation(name: str, fields: dict[str, Any], deviation: float) -> None:
    weights = draw(name, **fields)
    assert weights.std() == pytest.approx(deviation, rel=0.01)
    assert weights.mean() == pytest.approx(0, abs=0.02 * deviation)


def test_a_truncated_normal_stays_within_its_limits() -> None:
    weights = draw("truncated_normal", mean=1, std=2, lo=-0.5, hi=1.5)
    assert weights.min() >= -0.5
    assert weights.max() <= 1.5
    assert draw("truncated_normal").std() == pytest.approx(0.8796, rel=0.01)  # of N(0, 1) within ±2


def test_a_truncated_normal_that_would_be_empty_is_refused() -> None:
    with pytest.raises(TermError, match="hi"):
        INITS["truncated_normal"](lo=2, hi=-2)  # type: ignore[call-arg]  # terms are dataclasses
    with pytest.raises(TermError, match="hi"):
        INITS["truncated_normal"](lo=8, hi=9)  # type: ignore[call-arg]  # terms are dataclasses


@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (30, 30)])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(shape: tuple[int, int]) -> None:
    weights = draw("orthogonal", shape, gain=2) / 2
    product = weights.T @ weights if shape[0] >= shape[1] else weights @ weights.T
    assert np.allclose(product, np.eye(min(shape)), atol=1e-12)


def test_sparse_weights_have_their_share_of_zeros_for_each_input() -> None:
    weights = draw("sparse_init", (10, 50), sparsity=0.25)
    assert np.all(np.count_nonzero(weights == 0, axis=0) == 3)
    assert len({tuple(column) for column in (weights == 0).T.tolist()}) > 10
    assert draw("sparse_init", sparsity=0, std=0.5).std() == pytest.approx(0.5, rel=0.01)


def test_identity_weights_pass_the_inputs_on_and_may_be_shifted() -> None:
    assert draw("identity_init", (2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert draw("identity_init", (3, 3), gain=2, shift=1).tolist() == [[0, 0, 2], [2, 0, 0], [0, 2, 0]]


def test_constant_and_plain_ones() -> None:
    assert np.all(draw("zeros32") == 0)
    assert np.all(draw("ones32") == 1)
    uniform = draw("rand32")
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, rel=0.01)
