"""Training: reports, stopping, keeping, divergence."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.losses import LOSSES, MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS, Adam, Descent
from service.learning.rows.part import Part
from service.learning.schedules import Exp
from service.learning.training.events import Diverged, EpochReport, Progress
from service.learning.training.paths import PathName
from service.learning.training.problem import Problem
from service.learning.training.recipe import EarlyStopping, Recipe, RecipeError
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports, trained

LINE = Part(np.arange(6, dtype=np.float32).reshape(-1, 1), 4 * np.arange(6, dtype=np.float32).reshape(-1, 1) + 2)
TUTORIAL = Recipe(loss=MSE(), optimiser=Descent(0.1), epochs=201, path="batches")
SMALL = Recipe(loss=MSE(), optimiser=Descent(0.05), epochs=5, batch_size=4, shuffle=True)
TANH = "Chain(Dense(3 => 5, tanh), Dense(5 => 2))"


def line(epochs: int = 201, **changes: Any) -> Training:
    net = Network(read("Dense(1 => 1)"))
    start = net.flatten([{"weight": [[0.9066542]], "bias": [0]}])
    return Training(Problem(net, LINE, None, replace(TUTORIAL, epochs=epochs, **changes)), start)


def test_the_straight_line_is_learnt_as_the_tutorial_says() -> None:
    training = line()
    all_reports = reports(training)
    losses = [all_reports[epoch].train_loss for epoch in (0, 1, 201)]
    assert losses == pytest.approx([122.64735, 116.38741, 0.003396], rel=5e-4)
    assert training.parameters == pytest.approx([4.01785, 2.00503], rel=1e-5)
    predictions = training._network.predict(training.result(), np.arange(6, 11, dtype=np.float32).reshape(-1, 1))
    assert predictions.ravel() == pytest.approx([26.1121, 30.1300, 34.1479, 38.1657, 42.1836], rel=1e-5)


@pytest.mark.parametrize(
    ("first", "last", "diverges"),
    [(1, 6, True), (0, 6, True), (1, 10, True), (-1, 6, True), (0, 8, True), (0, 5, False), (-1, 5, False)],
)
def test_ranges_that_the_rate_is_too_high_for_diverge(first: int, last: int, diverges: bool) -> None:
    x = np.arange(first, last + 1, dtype=np.float32).reshape(-1, 1)
    net = Network(read("Dense(1 => 1)"))
    training = Training(
        Problem(net, Part(x, 4 * x + 2), None, replace(TUTORIAL, epochs=3000)), np.array([0.9, 0], np.float32)
    )
    if not diverges:
        assert reports(training)[-1].train_loss < 1e-3
        return
    with pytest.raises(Diverged) as caught:
        reports(training)
    assert 0 < caught.value.epoch < 3000
    assert np.isfinite(training.parameters).all()


def test_report_0_is_the_untrained_loss_and_later_ones_follow_each_pass() -> None:
    net, part = network(TANH), problem(8)
    recipe = replace(SMALL, batch_size=None)
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    for event in training.run():
        assert isinstance(event, EpochReport)
        assert event.train_loss == pytest.approx(net.loss(training.parameters, part.inputs, part.targets, MSE()))
        assert event.gradient_norm is not None
    assert training.initial_loss == pytest.approx(net.loss(net.initial(0), part.inputs, part.targets, MSE()))
    assert training.ended_by == "epochs"
    assert training.epochs_done == 5


def test_mini_batches_report_the_mean_loss_of_the_batches_weighted_by_rows() -> None:
    """Two batches of 4 and one of 2, in the order of the file, followed by hand."""
    net, part = network(TANH), problem(10)
    training = Training(Problem(net, part, None, replace(SMALL, epochs=1, shuffle=False)), net.initial(0))
    first, report = reports(training)
    vector, total = net.initial(0), 0.0
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
        batch = Part(part.inputs[rows], part.targets[rows])
        loss = net.loss(vector, batch.inputs, batch.targets, MSE())
        total += loss * len(batch)
        vector = trained_from(net, vector, batch)
    assert first.train_loss == pytest.approx(net.loss(net.initial(0), part.inputs, part.targets, MSE()))
    assert report.train_loss == pytest.approx(total / 10)
    assert np.allclose(training.parameters, vector)


def trained_from(net: Network, vector: Array, batch: Part) -> Array:
    """One step of gradient descent."""
    step = Training(Problem(net, batch, None, replace(SMALL, epochs=1, batch_size=None)), vector)
    reports(step)
    return step.parameters


def test_without_partial_a_short_last_batch_is_left_out() -> None:
    net, part = network(TANH), problem(10)
    whole = Part(part.inputs[:8], part.targets[:8])
    recipe = replace(SMALL, shuffle=False)
    assert np.array_equal(trained(net, part, replace(recipe, partial=False)), trained(net, whole, recipe))
    assert not np.array_equal(trained(net, part, recipe), trained(net, whole, recipe))


def test_batches_larger_than_a_block_train_as_batches_of_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    net, part = network(TANH), problem(30)
    recipe = replace(SMALL, batch_size=13, optimiser=Adam(0.01))
    expected = trained(net, part, recipe)
    monkeypatch.setattr(Network, "block_rows", 5)
    assert np.allclose(trained(net, part, recipe), expected, rtol=1e-10)


def test_mini_batches_report_the_root_mean_square_of_gradients_by_rows() -> None:
    """With a rate of 1 the steps are the gradients; report 0 has that of the first batch."""
    net, part = network(TANH), problem(6)
    recipe = replace(SMALL, epochs=1, shuffle=False, optimiser=Descent(1.0))
    first, report = reports(Training(Problem(net, part, None, recipe), net.initial(0)))
    start = net.initial(0)
    middle = trained(net, Part(part.inputs[:4], part.targets[:4]), replace(recipe, batch_size=None))
    end = trained(net, part, recipe)
    squares = [np.sum((middle - start) ** 2), np.sum((end - middle) ** 2)]
    assert first.gradient_norm == pytest.approx(np.sqrt(squares[0]))
    assert report.gradient_norm == pytest.approx(np.sqrt((4 * squares[0] + 2 * squares[1]) / 6))


def test_weights_that_are_all_zero_are_refused() -> None:
    net, part = network(TANH), problem(6)
    with pytest.raises(RecipeError, match="all 0"):
        Training(Problem(net, Part(part.inputs, part.targets, np.zeros(6)), None, SMALL), net.initial(0))


def test_the_validation_part_gives_the_validation_loss_and_the_best() -> None:
    net, part, held_out = network(TANH), problem(12), problem(7, seed=1)
    training = Training(Problem(net, part, held_out, SMALL), net.initial(0))
    losses = []
    for event in training.run():
        assert isinstance(event, EpochReport)
        expected = net.loss(training.parameters, held_out.inputs, held_out.targets, MSE())
        assert event.validation_loss == pytest.approx(expected)
        losses.append(expected)
    assert training.best is not None
    assert training.best[0] == int(np.argmin(losses))


def test_the_best_parameters_are_kept_where_the_recipe_says_so() -> None:
    """A rate that is too high: the first epochs are the best."""
    net, part = network("Dense(3 => 2)"), problem(12)
    recipe = replace(SMALL, batch_size=None, optimiser=Descent(3.0), epochs=8, keep="best", path="batches")
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    seen = []
    for event in training.run():
        assert isinstance(event, EpochReport)
        seen.append((event.train_loss, training.parameters))
    best_loss, best_vector = min(seen, key=lambda entry: entry[0])
    assert training.best == (0, best_loss)
    assert np.array_equal(training.result(), best_vector)
    assert training.final_loss() == pytest.approx(best_loss)
    assert not np.array_equal(training.parameters, best_vector)


def test_early_stopping_ends_after_patience_and_keeps_the_best() -> None:
    net, part, held_out = network(TANH), problem(12), problem(7, seed=1)
    stopping = EarlyStopping(patience=3, min_change=0.01)
    training = Training(
        Problem(net, part, held_out, replace(SMALL, epochs=500, early_stopping=stopping)), net.initial(0)
    )
    losses = [report.validation_loss or 0.0 for report in reports(training)]
    assert training.ended_by == "early_stopping"
    mark, waited = losses[0], 0
    for loss in losses[1:]:
        mark, waited = (loss, 0) if loss < mark - 0.01 else (mark, waited + 1)
    assert waited == 3
    assert training.best == (int(np.argmin(losses)), min(losses))
    final = net.loss(training.result(), held_out.inputs, held_out.targets, MSE())
    assert final == pytest.approx(min(losses))


def test_early_stopping_can_monitor_the_training_loss() -> None:
    stopping = EarlyStopping(monitor="train_loss", patience=2, min_change=1.0)
    training = line(early_stopping=stopping)
    assert len(reports(training)) < 201
    assert training.ended_by == "early_stopping"


def test_divergence_stops_training_and_leaves_the_last_finite_parameters() -> None:
    net, part = network(TANH, "float32"), problem(10, dtype="float32")
    training = Training(Problem(net, part, None, replace(SMALL, optimiser=Descent(1e38), epochs=50)), net.initial(0))
    with pytest.raises(Diverged) as caught:
        reports(training)
    assert caught.value.epoch >= 1
    assert np.isfinite(training.parameters).all()


@pytest.mark.parametrize("batch_size", [4, None])
def test_an_update_that_would_overflow_is_not_taken(batch_size: int | None) -> None:
    """Loss and gradient are finite; the step is not."""
    net, part = network(TANH, "float32"), problem(10, dtype="float32")
    part = replace(part, targets=100 * part.targets[:])
    recipe = replace(SMALL, optimiser=Descent(3e38), batch_size=batch_size)
    training = Training(Problem(net, part, None, recipe), net.initial(0))
    with pytest.raises(Diverged, match="a parameter is no longer finite") as caught:
        reports(training)
    assert caught.value.epoch == 1
    assert np.array_equal(training.parameters, net.initial(0))


def test_a_start_whose_loss_overflows_diverges_at_once() -> None:
    net, part = network("Dense(3 => 2)", "float32"), problem(10, dtype="float32")
    training = Training(Problem(net, part, None, replace(SMALL, path="batches")), np.full(8, 1e30, np.float32))
    with pytest.raises(Diverged) as caught:
        reports(training)
    assert caught.value.epoch == 0
    assert np.all(training.parameters == np.float32(1e30))


def test_clipping_tames_a_gradient_that_would_diverge() -> None:
    net, part = network(TANH, "float32"), problem(10, dtype="float32")
    rules = (OPTIMISERS["ClipGlobalNorm"](omega=1e-3), Descent(10.0))  # type: ignore[call-arg]  # terms are dataclasses
    recipe = replace(SMALL, optimiser=OPTIMISERS["OptimiserChain"](rules=rules), epochs=50)  # type: ignore[call-arg]  # terms are dataclasses
    assert np.isfinite(trained(net, part, recipe)).all()


@pytest.mark.parametrize(
    ("field", "notation", "changes"),
    [
        ("early_stopping", TANH, {"early_stopping": EarlyStopping()}),
        ("schedule", TANH, {"schedule": Exp(0.1, 0.5), "optimiser": OPTIMISERS["AdaDelta"]()}),
        ("standardise", "Chain(tanh, Dense(3 => 2))", {"standardise": True}),
        ("standardise", "Dense(3 => 2; bias=false)", {"standardise": True}),
        ("batch_size", "Chain(Dense(3 => 2), BatchNorm(2))", {"batch_size": 3}),
        ("batch_size", "Chain(Dense(3 => 2), BatchNorm(2))", {"batch_size": 1}),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_with_its_field(
    field: str, notation: str, changes: dict[str, Any]
) -> None:
    net = network(notation)
    with pytest.raises(RecipeError) as caught:
        Training(Problem(net, problem(10), None, replace(SMALL, **changes)), net.initial(0))
    assert caught.value.field == field


def test_weights_do_not_go_with_a_loss_of_all_rows_at_once() -> None:
    net, part = network(TANH), problem(10)
    weighted = Part(part.inputs, part.targets, np.ones(10))
    with pytest.raises(RecipeError) as caught:
        Training(Problem(net, weighted, None, replace(SMALL, loss=LOSSES["dice_coeff_loss"]())), net.initial(0))
    assert caught.value.field == "sample_weights"


def test_something_is_said_inside_a_long_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", -1.0)
    net = network(TANH)
    events = list(Training(Problem(net, problem(12), problem(5), replace(SMALL, epochs=2)), net.initial(0)).run())
    said = [event for event in events if isinstance(event, Progress)]
    assert {(event.epoch, round(event.fraction, 2)) for event in said} >= {(0, 0.33), (0, 0.67), (1, 0.33), (1, 0.67)}
    assert all(0 <= event.fraction < 1 for event in said)


@pytest.mark.parametrize("path", ["batches", "quadratic"])
def test_a_result_without_a_validation_part_is_judged_by_its_final_loss(path: PathName) -> None:
    training = line(20, path=path, optimiser=Descent(0.05))
    first = reports(training)[0].train_loss
    assert training.judged_part == "train"
    assert judged(training.judge_result()) == judged(training.judge(training.result())) == training.final_loss()
    assert judged(training.judge_start()) == pytest.approx(first, rel=1e-6)


def test_parameters_are_judged_on_the_validation_part_where_there_is_one() -> None:
    net = Network(read("Dense(1 => 1)"))
    start = net.flatten([{"weight": [[1]], "bias": [0]}])
    far = Part(np.array([[10.0]], np.float32), np.array([[0.0]], np.float32))
    training = Training(Problem(net, LINE, far, replace(TUTORIAL, epochs=3, optimiser=Descent(0.05))), start)
    last = reports(training)[-1].validation_loss
    assert training.judged_part == "validation"
    assert judged(training.judge_start()) == 100
    assert judged(training.judge_result()) == pytest.approx(last, rel=1e-6)


@pytest.mark.parametrize("fresh", [True, False])
def test_the_start_of_a_standardised_training_is_judged_as_it_is_read(fresh: bool) -> None:
    net = Network(read("Dense(1 => 1)"))
    recipe = replace(TUTORIAL, epochs=1, standardise=True, optimiser=Descent(0.05))
    far = Part(np.arange(1000, 1006, dtype=np.float32).reshape(-1, 1), LINE.targets)
    training = Training(Problem(net, far, None, recipe), net.initial(0), fresh=fresh)
    first = reports(training)[0].train_loss
    assert judged(training.judge_start()) == pytest.approx(first, rel=1e-4)


def judged(losses: Generator[Progress, None, float]) -> float:
    """The loss that is returned behind all progress."""
    while True:
        try:
            next(losses)
        except StopIteration as end:
            return float(end.value)
