"""Metrics from sums over rows."""

import numpy as np
import pytest

from service.learning.evaluation.evaluation import Numbers, evaluate
from service.learning.evaluation.of_sums import evaluated_by_sums
from service.learning.losses import MSE, Agg
from service.learning.network import Network
from service.learning.notation import read
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part
from service.learning.rows.reference import Centring, spread_sample


@pytest.mark.parametrize("notation", ["Dense(4 => 2)", "Dense(4 => 2, bias=false)"])
@pytest.mark.parametrize("agg", ["mean", "sum"])
@pytest.mark.parametrize("apart", [1.0, 1e-5])
def test_sums_tell_the_metrics_of_the_rows(notation: str, agg: Agg, apart: float) -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(3, 1, (400, 4))
    inputs[:, 3] = inputs[:, 2] + apart * inputs[:, 3]
    targets = inputs @ random.normal(0, 1, (4, 2)) + random.normal(7, 1, (400, 2))
    network = Network(read(notation), "float64")
    vector, loss = network.initial(1), MSE(agg=agg)
    expected = evaluate(network, vector, Part(inputs, targets), loss, [Numbers(2)])
    found = evaluated_by_sums(network, vector, Gram.of(inputs, targets), loss)
    assert found.loss == pytest.approx(expected.loss, rel=1e-10)
    (metrics,), (own,) = expected.metrics, found.metrics
    assert (own.pop("mae"), own.pop("max_error")) == (None, None)
    assert own == pytest.approx({name: metrics[name] for name in own}, rel=1e-8)


def test_targets_that_are_constant_in_these_rows_explain_nothing() -> None:
    random = np.random.default_rng(0)
    inputs, targets = random.normal(3, 1, (4000, 3)), np.full((4000, 1), 0.1)
    targets[:7] = 1.1
    network, held = Network(read("Dense(3 => 1)"), "float64"), slice(2000, None)
    vector = network.initial(1)
    gram = Gram.about(Centring.of(*spread_sample(inputs, targets)), inputs[held], targets[held])
    (metrics,) = evaluated_by_sums(network, vector, gram, MSE()).metrics
    (expected,) = evaluate(network, vector, Part(inputs[held], targets[held]), MSE(), [Numbers(1)]).metrics
    assert (metrics["r2"], metrics["explained_variance"]) == (0, 0)
    assert (expected["r2"], expected["explained_variance"]) == (0, 0)
