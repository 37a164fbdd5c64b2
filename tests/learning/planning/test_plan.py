"""Plans: the path, the bounds of rates, and the advice."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.learning.layers import Chain, Dense
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS
from service.learning.planning.advice import Advice, advice, help_for_diverged
from service.learning.planning.plan import Plan, plan
from service.learning.planning.stability import Rate
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part
from service.learning.schedules import Constant, Exp
from service.learning.training.batches.path import BatchPath
from service.learning.training.events import Diverged
from service.learning.training.paths import begin_path
from service.learning.training.prices import prices
from service.learning.training.problem import Problem
from service.learning.training.quadratic.path import QuadraticPath
from service.learning.training.recipe import EarlyStopping, Recipe, RecipeError
from service.learning.training.scaling import measure, scaling_of
from tests.support.learning.linear_problems import LinearProblem, exact_loss, linear_problem
from tests.support.learning.quadratic_training import MAKE, MSE, chain, part_of, recipe

LINE = Network(Dense(1, 1))
PROBLEM = linear_problem(rows=300, columns=4, outputs=2, offset=1.0)
PART = part_of(PROBLEM)
GRAM = Gram.of(PROBLEM.inputs, PROBLEM.targets)
NETWORK = Network(Dense(4, 2), "float64")


def line(first: int, last: int) -> Part:
    x = np.arange(first, last + 1, dtype=np.float32)[:, None]
    return Part(x, 4 * x + 2, gram=Gram.of(x, 4 * x + 2))


def advised(found: tuple[Advice, ...]) -> list[str]:
    return [each.code for each in found]


@pytest.mark.parametrize(
    ("first", "last", "stable"),
    [(0, 5, True), (-1, 5, True), (1, 6, False), (0, 6, False), (1, 10, False), (-1, 6, False), (0, 8, False)],
)
def test_the_tutorial_is_advised_against_exactly_where_it_diverges(first: int, last: int, stable: bool) -> None:
    part, tutorial = line(first, last), recipe(MAKE["Descent"](eta=0.1), 20_000)
    known = plan(LINE, len(part), 0, tutorial, gram=part.gram)
    assert known.path == "quadratic"
    assert known.optimum_loss == pytest.approx(0, abs=1e-20)
    assert known.largest_stable_rate is not None
    assert known.largest_stable_rate.exact
    said = advice(known, tutorial, network=LINE, gram=part.gram)
    assert advised(said) == ([] if stable else ["unstable_rate"])
    path = begin_path(Problem(LINE, part, None, tutorial), np.array([0.9066542, 0], np.float32))
    if stable:
        assert [event for event in path.run(20_000) if not isinstance(event, float)][-1].train_loss < 1e-8
    else:
        assert f"{known.largest_stable_rate.value:.6g}" in said[0].detail
        with pytest.raises(Diverged):
            list(path.run(20_000))


def test_the_tutorial_has_its_largest_stable_rate() -> None:
    known = plan(LINE, 6, 0, recipe(), gram=line(0, 5).gram)
    assert known.largest_stable_rate is not None
    assert known.largest_stable_rate.value == pytest.approx(0.101305, abs=5e-7)
    assert known.parameter_count == 2


@pytest.mark.parametrize("rule", [MAKE["Descent"](), MAKE["Momentum"](), MAKE["Nesterov"]()], ids=str)
@pytest.mark.parametrize("agg", ["mean", "sum"])
@pytest.mark.parametrize("standardise", [False, True])
def test_an_estimate_from_rows_agrees_with_the_exact_bounds(standardise: bool, agg: Any, rule: Any) -> None:
    asked = recipe(rule, loss=MSE(agg=agg), standardise=standardise)
    exact = plan(NETWORK, 300, 0, asked, gram=GRAM)
    estimate = plan(NETWORK, 300, 0, asked, parameters=NETWORK.initial(0), train=lambda: PART)
    assert exact.largest_stable_rate is not None
    assert estimate.largest_stable_rate is not None
    assert (exact.largest_stable_rate.exact, estimate.largest_stable_rate.exact) == (True, False)
    assert estimate.largest_stable_rate.value == pytest.approx(exact.largest_stable_rate.value, rel=2e-3)


def test_the_estimate_of_a_deep_network_tells_stable_rates_from_others() -> None:
    network = Network(read("Chain(Dense(4 => 16, tanh), Dense(16 => 2))"), "float64")
    start = network.initial(0)
    known = plan(network, 300, 0, recipe(), parameters=start, train=lambda: PART, gram=GRAM)
    assert (known.path, known.optimum_loss) == ("batches", None)
    assert known.largest_stable_rate is not None
    bound = known.largest_stable_rate.value
    first = [loss_after(network, start, bound * factor, 3) for factor in (0.5, 20.0)]
    assert first[0] < loss_after(network, start, bound, 0) < first[1]


def loss_after(network: Network, start: Any, rate: float, epochs: int) -> float:
    path = BatchPath(Problem(network, PART, None, recipe(MAKE["Descent"](eta=rate))), start)
    return [event for event in path.run(epochs) if not isinstance(event, float)][-1].train_loss


def test_nothing_is_read_where_no_estimate_can_be_made() -> None:
    def refuse() -> Part:
        raise AssertionError("rows were asked for")

    start = NETWORK.initial(0)
    assert plan(NETWORK, 300, 0, recipe(MAKE["Adam"]()), parameters=start, train=refuse).best_rate is None
    assert plan(NETWORK, 300, 0, recipe(), gram=GRAM, parameters=start, train=refuse).best_rate is not None
    dropping = Network(read("Chain(Dense(4 => 8), Dropout(0.5), Dense(8 => 2))"), "float64")
    known = plan(dropping, 300, 0, recipe(), parameters=dropping.initial(0), train=lambda: PART)
    assert known.largest_stable_rate is None


def test_no_estimate_is_made_of_what_is_not_finite() -> None:
    start = np.full(NETWORK.vector_length, 1e200)
    assert plan(NETWORK, 300, 0, recipe(), parameters=start, train=lambda: PART).largest_stable_rate is None


def test_the_optimum_loss_is_that_of_least_squares() -> None:
    known = plan(NETWORK, 300, 0, recipe(MAKE["Adam"]()), gram=GRAM)
    x = np.hstack([PROBLEM.inputs, np.ones((300, 1))])
    theta = np.linalg.lstsq(x, PROBLEM.targets)[0].T
    best = np.concatenate([theta[:, :4].ravel(), theta[:, 4]])
    assert known.optimum_loss == pytest.approx(exact_loss(PROBLEM, best, bias=True), rel=1e-9)


@pytest.mark.parametrize("agg", ["mean", "sum"])
def test_mini_batches_have_estimated_bounds_of_the_same_curvature(agg: Any) -> None:
    whole = plan(NETWORK, 300, 0, recipe(loss=MSE()), gram=GRAM)
    batches = plan(NETWORK, 300, 0, recipe(loss=MSE(agg=agg), batch_size=30), gram=GRAM)
    assert (whole.path, batches.path) == ("quadratic", "batches")
    assert whole.largest_stable_rate is not None
    rows = 30 * 2 if agg == "sum" else 1
    assert batches.largest_stable_rate is not None
    assert batches.largest_stable_rate.value == pytest.approx(whole.largest_stable_rate.value / rows)
    assert not batches.largest_stable_rate.exact
    sampled = plan(
        NETWORK, 300, 0, recipe(loss=MSE(agg=agg), batch_size=30), parameters=NETWORK.initial(0), train=lambda: PART
    )
    assert sampled.largest_stable_rate is not None
    assert sampled.largest_stable_rate.value == pytest.approx(batches.largest_stable_rate.value, rel=2e-3)
    assert batches.optimum_loss is not None


OBSTACLES: dict[str, tuple[Network, dict[str, Any], bool]] = {
    "more than one Dense": (Network(Chain((Dense(4, 2), Dense(2, 2)))), {}, False),
    "relu, not identity": (Network(read("Dense(4 => 2, relu)")), {}, False),
    "mae, not mse": (Network(Dense(4, 2)), {"loss": LOSSES["mae"]()}, False),
    "30 rows, not all 300": (Network(Dense(4, 2)), {"batch_size": 30}, False),
    "the rows have weights": (Network(Dense(4, 2)), {}, True),
    "3002 inputs and outputs": (Network(Dense(3000, 2)), {}, False),
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_a_path_that_cannot_be_taken_says_which_condition_fails(reason: str) -> None:
    network, fields, weighted = OBSTACLES[reason]
    with pytest.raises(RecipeError, match=reason) as error:
        plan(network, 300, 0, recipe(path="quadratic", **fields), weighted=weighted)
    assert error.value.field == "path"
    assert plan(network, 300, 0, recipe(**fields), weighted=weighted).path == "batches"


@pytest.mark.parametrize("forced", ["quadratic", "batches"])
def test_a_path_that_is_asked_for_is_taken(forced: Any) -> None:
    asked = recipe(path=forced)
    path = begin_path(Problem(NETWORK, PART, None, asked), NETWORK.initial(0))
    assert plan(NETWORK, 300, 0, asked).path == forced
    assert isinstance(path, QuadraticPath) is (forced == "quadratic")


def test_the_path_of_fewer_operations_is_taken() -> None:
    def chosen(rows: int, columns: int, epochs: int) -> Plan:
        return plan(Network(Dense(columns, 1)), rows, 0, recipe(epochs=epochs))

    assert chosen(1_000_000, 32, 200).path == "quadratic"
    assert chosen(1_000_000, 32, 1).path == "batches"
    assert chosen(10, 2000, 200).path == "batches"
    for rows, columns, epochs in [(1_000_000, 32, 200), (1_000_000, 32, 1), (10, 2000, 200)]:
        forced = [
            plan(Network(Dense(columns, 1)), rows, 0, recipe(epochs=epochs, path=path)).operations
            for path in ("quadratic", "batches")
        ]
        assert chosen(rows, columns, epochs).operations == min(forced)


def test_known_sums_make_a_plan_cheaper() -> None:
    passing = plan(NETWORK, 10**6, 10**5, recipe(path="quadratic"))
    knowing = plan(NETWORK, 10**6, 10**5, recipe(path="quadratic"), gram=GRAM, validation_gram=GRAM)
    assert knowing.operations < passing.operations / 10
    assert knowing.seconds < passing.seconds


def test_frozen_layers_make_a_plan_cheaper_and_more_so_at_the_front() -> None:
    network = Network(read("Chain(Dense(100 => 100, tanh), Dense(100 => 100, tanh), Dense(100 => 1))"))

    def operations(*frozen: str) -> int:
        return plan(network, 1000, 100, recipe(path="batches", frozen=frozen)).operations

    front, middle, nothing = operations("layers.0"), operations("layers.1"), operations()
    assert front < middle < nothing
    assert operations("layers.0", "layers.1") < front


@pytest.mark.parametrize("problem", [PROBLEM, linear_problem(offset=1e6, collinear=1e-6)], ids=["plain", "hard"])
def test_sums_give_the_scaling_that_a_pass_measures(problem: LinearProblem) -> None:
    inputs = np.hstack([problem.inputs, np.full((len(problem.inputs), 1), 2.0)])
    events, measured = measure(inputs), None
    while measured is None:
        try:
            next(events)
        except StopIteration as end:
            measured = end.value
    scaling = scaling_of(Gram.of(inputs, problem.targets))
    np.testing.assert_allclose(scaling.mean, measured.mean, rtol=1e-13)
    np.testing.assert_allclose(scaling.deviation, measured.deviation, rtol=1e-7)


def with_bound(value: float, *, exact: bool = True) -> Plan:
    return Plan(2, "batches", 1, 1.0, Rate(value, exact), Rate(value / 2, exact))


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        (MAKE["Descent"](eta=0.3), "#/optimiser/eta"),
        (chain(MAKE["Descent"](eta=0.3)), "#/optimiser/rules/0/eta"),
        (chain(MAKE["ClipNorm"](), MAKE["Descent"](eta=0.3)), "#/optimiser/rules/1/eta"),
    ],
    ids=str,
)
def test_advice_points_at_the_rate(rule: Any, pointer: str) -> None:
    (said,) = advice(with_bound(0.2), recipe(rule))
    assert said == Advice("unstable_rate", said.detail, pointer)
    assert "0.3" in said.detail
    assert "0.2" in said.detail
    assert "about" not in said.detail
    assert "about 0.2" in advice(with_bound(0.2, exact=False), recipe(rule))[0].detail


def test_a_rate_at_the_bound_is_not_beyond_it() -> None:
    assert advice(with_bound(0.2), recipe(MAKE["Descent"](eta=0.2))) == ()
    assert advised(advice(with_bound(0.2), recipe(MAKE["Descent"](eta=0.2001)))) == ["unstable_rate"]


def test_the_highest_rate_of_a_schedule_counts() -> None:
    rule = MAKE["Descent"](eta=100.0)
    assert advice(with_bound(0.2), recipe(rule, schedule=Constant(value=0.1))) == ()
    (said,) = advice(with_bound(0.2), recipe(rule, epochs=10**7, schedule=Exp(start=0.3, decay=0.9)))
    assert (said.code, said.pointer) == ("unstable_rate", "#/schedule")


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_inputs_of_very_different_sizes_should_be_standardised(factor: float) -> None:
    gram = Gram.of(PROBLEM.inputs * [1, 1, 1, factor], PROBLEM.targets)
    said = advice(with_bound(1), recipe(), network=NETWORK, gram=gram)
    assert [(each.code, each.pointer) for each in said] == [("badly_scaled", "#/standardise")]
    assert advice(with_bound(1), recipe(standardise=True), network=NETWORK, gram=gram) == ()
    assert advice(with_bound(1), recipe(), network=NETWORK, gram=GRAM) == ()


def test_early_stopping_should_see_rows_that_it_does_not_learn_from() -> None:
    asked = recipe(early_stopping=EarlyStopping(monitor="train_loss"))
    assert advised(advice(with_bound(1), asked)) == ["no_validation_part"]
    assert advice(with_bound(1), asked, validation_rows=10) == ()


def test_the_remedy_names_the_largest_stable_rate_where_it_is_known() -> None:
    said = help_for_diverged(recipe(MAKE["Descent"](eta=0.5)), LINE, 3, 0.101305, 0.0984)
    assert "0.101305" in said
    assert "0.5 is beyond" in said
    assert "below 0.5" in help_for_diverged(recipe(MAKE["Adam"](eta=0.5)), LINE, 3, None, None)
    without_rate = replace(recipe(), optimiser=OPTIMISERS["AdaDelta"]())
    assert help_for_diverged(without_rate, LINE, 3, None, None).startswith("Smaller parameters")


def test_a_recipe_that_contradicts_itself_has_no_plan() -> None:
    asked: Recipe = recipe(early_stopping=EarlyStopping())
    with pytest.raises(RecipeError) as error:
        plan(NETWORK, 300, 0, asked, gram=GRAM)
    assert error.value.field == "early_stopping"


def test_small_batches_take_longer_than_large_ones_for_the_same_rows() -> None:
    made = Network(read("Chain(Dense(4 => 8, tanh), Dense(8 => 1))"))
    seconds = [plan(made, 1000, 0, recipe(batch_size=size, epochs=100)).seconds for size in (1, 100)]
    assert seconds[0] > 10 * seconds[1]


def test_prices_are_measured_once() -> None:
    assert prices() is prices()
    assert all(price > 0 for price in prices())
