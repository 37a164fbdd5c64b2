"""Changes on the way: made again at their places, they give the bytes of the first run."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from service.learning.network import Network
from service.learning.optimisers import Descent
from service.learning.training.changes import Change, Place, StopReason
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import RecipeError
from service.learning.training.training import Training
from tests.support.learning.changing import (
    CASES,
    DROPPING,
    FULL,
    LINEAR,
    RECIPE,
    THREE,
    at_every_block,
    new,
    run,
    told,
)
from tests.support.learning.networks import network, problem, reports


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "block_rows", 3)


def several_changes(training: Training, index: int, made: list[Change], case: str) -> None:
    """Change something at two of three events, sometimes twice at once."""
    generator = np.random.default_rng(index)
    frozen: list[tuple[str, ...]] = [("layers.1",), (), ("layers.0",), ("layers.1", "layers.0")]
    if CASES[case][1].standardise:
        frozen = [("layers.1",), ()]
    if CASES[case][0] == DROPPING:
        frozen = frozen[:3]
    for _ in range(generator.integers(0, 3)):
        if training.place is None:
            return
        rate = generator.choice([0.01, 0.03, 0.1])
        layers = None if CASES[case][0] == LINEAR else frozen[generator.integers(len(frozen))]
        kind = generator.integers(3)
        made.append(training.change(rate=None if kind == 0 else float(rate), frozen=None if kind == 1 else layers))


@pytest.mark.parametrize("case", CASES)
def test_recorded_changes_give_the_same_bytes(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_every_block(monkeypatch)
    made: list[Change] = []
    first = run(new(case), lambda training, index: several_changes(training, index, made, case))
    assert made
    assert first.reports != run(new(case)).reports
    for often in (True, False):
        at_every_block(monkeypatch, often)
        again = run(new(case, made))
        assert again.reports == first.reports
        assert again.outcome == first.outcome
    at_every_block(monkeypatch)
    step = max(1, len(first.states) // 4)
    for count, state in [*first.states[::step], *run(new(case, made)).states[1::step]]:
        training = new(case, made)
        training.restore(state)
        rest = run(training)
        assert rest.reports == first.reports[count:]
        assert rest.outcome == first.outcome


def stop_from(first: int, by: StopReason, made: list[Change]) -> Callable[[Training, int], None]:
    """Stop at the first place from an event on."""

    def stop(training: Training, index: int) -> None:
        if index >= first and training.place is not None:
            change = training.stop(by)
            assert change is not None
            made.append(change)

    return stop


@pytest.mark.parametrize("case", CASES)
def test_a_training_stops_where_it_is_asked_to(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_every_block(monkeypatch)
    count = len(list(new(case).run()))
    for index in range(0, count - 1, max(1, count // 5)):
        made: list[Change] = []
        training, by = new(case), ("stop", "max_seconds")[index % 2]
        first = run(training, stop_from(index, by, made))  # type: ignore[arg-type]  # one of a Literal
        if not made:  # what is left is the measuring of the result
            assert index > count // 2
            continue
        assert len(made) == 1
        assert training.place is None
        assert training.ended_by == made[0].stop == by
        assert isinstance(first.reports[-1], EpochReport)
        assert first.reports[-1].epoch == made[0].place.epoch
        again = run(new(case, made))
        assert (again.reports, again.outcome) == (first.reports, first.outcome)
        restored = new(case, made)
        restored.restore(first.states[-1][1])
        assert run(restored).outcome == first.outcome


def test_a_stop_keeps_the_best_where_the_recipe_does() -> None:
    net = network(THREE)
    recipe = replace(FULL, optimiser=Descent(5.0), keep="best", epochs=50)
    training = Training(Problem(net, problem(14), None, recipe), net.initial(0))
    for event in training.run():
        if event.epoch == 20:
            training.stop()
    assert training.best is not None
    assert training.final_loss() == pytest.approx(training.best[1], rel=1e-12)
    assert not np.array_equal(training.result(), training.parameters)


def test_a_stop_before_report_0_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    at_every_block(monkeypatch)
    for case in ("standardise", "closed form", "adam", "adam, one batch a pass"):
        training = new(case)
        assert training.place is None
        assert training.stop("max_seconds") is None
        first = run(training)
        assert [report.epoch for report in first.reports] == [0]
        assert training.ended_by == "max_seconds"
        again = run(new(case, [Change(Place(0), stop="max_seconds")]))
        assert again.outcome == first.outcome


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("adam", [(0, 0), (0, 3), (0, 6), (0, 7), (0, 10), (0, 13), (1, 0)]),
        ("adam, one batch a pass", [(0, 0), (0, 3), (0, 6), (0, 9), (0, 12), (1, 0)]),
        ("norm", [(0, 0), (0, 7), (1, 0)]),
        ("closed form", [(0, 0), (1, 0)]),
    ],
)
def test_places_are_reports_and_ends_of_blocks(
    case: str, expected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_every_block(monkeypatch)
    assert run(new(case)).places[: len(expected)] == [Place(*each) for each in expected]


def test_there_is_no_place_before_report_0_and_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    at_every_block(monkeypatch)
    training = new("standardise")
    kinds = [(isinstance(event, EpochReport), training.place is None) for event in training.run()]
    assert kinds[0] == (False, True)
    assert all(not nowhere for is_report, nowhere in kinds if is_report)
    assert kinds[-1] == (False, True)
    assert training.place is None
    with pytest.raises(RuntimeError):
        training.change(rate=0.1)


def test_no_place_comes_twice_where_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    at_every_block(monkeypatch)
    for case in CASES:
        places = run(new(case)).places
        assert places == sorted(set(places))


def test_a_new_change_waits_until_the_recorded_ones_are_made() -> None:
    training = new("adam", [Change(Place(3), rate=0.5)])
    places = [training.place for event in training.run() if isinstance(event, EpochReport)]
    assert places == [None, None, None, Place(3), Place(4), Place(5)]


def test_a_frozen_layer_stays_until_it_is_thawed() -> None:
    training, frozen = new("adam, one batch a pass"), []
    for event in training.run():
        if event.epoch == 1:
            training.change(frozen=("layers.1",))
        if event.epoch == 3:
            training.change(frozen=())
        frozen.append(training.parameters[20:44].tobytes())
    assert [a == b for a, b in pairwise(frozen)] == [False, True, True, False, False]


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_thawed_layer_has_its_whole_gradient(batch_size: int | None) -> None:
    """Frozen and thawed at the same place, it moves as if nothing had been."""
    net = network(THREE)
    results = []
    for changes in ([], [("layers.1",), ()]):
        training = Training(Problem(net, problem(14), None, replace(RECIPE, batch_size=batch_size)), net.initial(0))
        for event in training.run():
            if event.epoch == 2:
                for frozen in changes:
                    training.change(frozen=frozen)
        results.append(training.result().tobytes())
    assert results[0] == results[1]


def test_a_change_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    plain = reports(new("adam"))
    training = new("adam")
    seen = []
    for event in training.run():
        for wrong, field in (
            ({"frozen": ("layers.7",)}, "frozen/0"),
            ({"frozen": ("layers.0", "layers.1", "layers.2")}, "frozen"),
            ({"rate": -1.0}, "rate"),
            ({"rate": float("nan")}, "rate"),
            ({"rate": 0.5, "frozen": ("x",)}, "frozen/0"),
        ):
            with pytest.raises(RecipeError) as caught:
                training.change(**wrong)
            assert caught.value.field == field
        seen.append(told(event))
    assert seen == [told(report) for report in plain]


def test_the_one_layer_of_a_quadratic_training_cannot_be_frozen() -> None:
    training = new("closed form")
    for _ in training.run():
        with pytest.raises(RecipeError, match="no parameter to train"):
            training.change(frozen=("layers.0",))


@pytest.mark.parametrize("place", [Place(2, 4), Place(2, 0, 1), Place(9)])
def test_a_recorded_change_of_another_training_is_an_error(place: Place) -> None:
    """No block ends at row 4, nothing was gone back to, and there are 5 epochs."""
    with pytest.raises(ValueError, match="never was at the place"):
        reports(new("adam", [Change(place, rate=0.5)]))


def test_a_state_needs_the_changes_that_it_has_seen() -> None:
    training = new("adam")
    for event in training.run():
        if event.epoch == 1:
            training.change(rate=0.5)
    with pytest.raises(ValueError, match="seen 1 changes"):
        new("adam").restore(training.state())
