from collections.abc import Callable
from math import cos, pi

import numpy as np
import pytest

from service.learning.optimisers import Descent, Optimiser
from service.learning.schedules import (
    SCHEDULES,
    Constant,
    CosAnneal,
    Exp,
    Inv,
    Loop,
    Plateau,
    Poly,
    Schedule,
    Sequence,
    Sin,
    SinDecay2,
    SinExp,
    Step,
    Triangle,
    TriangleDecay2,
    TriangleExp,
    WarmUp,
)
from service.learning.terms import TermError
from service.learning.training.rates import Rates

# Worked by hand from the formulas of ParameterSchedulers.jl, for t = 1, 2, ...
BY_HAND: list[tuple[Schedule, list[float]]] = [
    (Constant(0.3), [0.3, 0.3]),
    (Step(0.8, 0.5, 2), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1]),
    (Step(0.8, 0.5, (1, 3, 2)), [0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.1]),
    (Step(0.8, 0.5, (2, 2)), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]),
    (Exp(1.0, 0.5), [1, 0.5, 0.25, 0.125]),
    (Poly(1.0, 2.0, 4), [1, 0.5625, 0.25, 0.0625, 0, 0]),
    (Inv(1.0, 1.0, 2.0), [1, 1 / 4, 1 / 9, 1 / 16]),
    (Triangle(0.1, 0.5, 4), [0.1, 0.3, 0.5, 0.3, 0.1, 0.3, 0.5]),
    (Triangle(0.5, 0.1, 4), [0.1, 0.3, 0.5, 0.3, 0.1]),
    (TriangleDecay2(0.0, 1.0, 4), [0, 0.5, 1, 0.5, 0, 0.25, 0.5, 0.25, 0]),
    (TriangleExp(0.0, 1.0, 4, 0.5), [0, 0.25, 0.25, 0.0625, 0]),
    (Sin(1.0, 3.0, 2), [1, 3, 1, 3]),
    (SinDecay2(1.0, 3.0, 2), [1, 3, 1, 2, 1, 1.5]),
    (SinExp(1.0, 3.0, 2, 0.5), [1, 2, 1, 1.25]),
    (CosAnneal(0.0, 1.0, 2), [1, 0.5, 1, 0.5]),
    (CosAnneal(0.0, 1.0, 2, restart=False), [1, 0.5, 0, 0.5, 1]),
    (Sequence((Constant(1.0), Exp(0.5, 0.1)), (2, 1)), [1, 1, 0.5, 0.05, 0.005]),
    (Loop(Exp(1.0, 0.5), 3), [1, 0.5, 0.25, 1, 0.5, 0.25, 1]),
    (WarmUp(4, Exp(0.8, 0.5)), [0, 0.2, 0.4, 0.6, 0.8, 0.4, 0.2]),
    (WarmUp(2, Constant(0.8), start=0.4), [0.4, 0.6, 0.8]),
]


@pytest.mark.parametrize(("schedule", "rates"), BY_HAND, ids=lambda value: str(value)[:60])
def test_rates_are_those_of_the_formula(schedule: Schedule, rates: list[float]) -> None:
    assert [schedule.rate(t) for t in range(1, len(rates) + 1)] == pytest.approx(rates, abs=1e-12)


def test_every_schedule_is_registered_and_has_a_formula() -> None:
    assert {type(schedule) for schedule, _ in BY_HAND} | {Plateau} == set(SCHEDULES.values())
    for name, schedule in SCHEDULES.items():
        assert schedule.name == name
        assert schedule.formula()


def test_a_late_cosine_is_as_exact_as_an_early_one() -> None:
    assert CosAnneal(0.0, 1.0, 1000).rate(9_999_001 + 250) == pytest.approx((1 + cos(pi / 4)) / 2, rel=1e-12)


def rates_of(schedule: Schedule) -> Rates:
    x = np.zeros(1)
    return Rates(schedule, Optimiser(Descent(), x, x.copy(), [slice(0, 1)]))


def rate_of(rates: Rates, t: int) -> float | None:
    rates.follow(t)
    return rates.optimiser.rate


def test_a_plateau_lowers_the_rate_after_losses_that_no_longer_improve() -> None:
    rate = rates_of(Plateau(0.8, decay=0.5, patience=2, min_change=0.1, least=0.3))
    seen = []
    for loss in [5.0, 4.0, 3.95, 3.91, 3.0, 3.0, 2.95, 3.0, 3.0]:
        rate.observe(loss)
        seen.append(rate_of(rate, 1))
    assert seen == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.3, 0.3, 0.3]


def test_a_plateau_without_end_lowers_the_rate_again_and_again() -> None:
    rate = rates_of(Plateau(1.0, decay=0.5, patience=2))
    seen = []
    for _ in range(7):
        rate.observe(1.0)
        seen.append(rate_of(rate, 1))
    assert seen == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_a_restored_plateau_goes_on_as_if_never_stopped() -> None:
    losses = [3.0, 2.9999999, 2.0, 2.0, 2.0, 2.0, 1.9, 1.9, 1.9, 1.9]
    plateau = Plateau(1.0, decay=0.3, patience=3)
    whole = rates_of(plateau)
    for stop in range(len(losses)):
        whole, cut = rates_of(plateau), rates_of(plateau)
        for loss in losses[:stop]:
            cut.observe(loss)
        resumed = rates_of(plateau)
        resumed.restore({name: np.frombuffer(a.tobytes(), a.dtype) for name, a in cut.state().items()})
        for loss in losses:
            whole.observe(loss)
        for loss in losses[stop:]:
            resumed.observe(loss)
        assert rate_of(resumed, 1) == rate_of(whole, 1) == pytest.approx(0.09)
        np.testing.assert_equal(resumed.state(), whole.state())


def test_other_schedules_do_not_care_for_losses() -> None:
    rate = rates_of(Exp(1.0, 0.5))
    rate.observe(1.0)
    rate.observe(9.0)
    assert rate_of(rate, 3) == 0.25


IMPOSSIBLE: dict[str, tuple[Callable[[], Schedule], str]] = {
    "a rate of zero": (lambda: Step(0.0, 0.5, 10), "start"),
    "no steps": (lambda: Step(0.1, 0.5, ()), "step_sizes"),
    "a step of zero": (lambda: Step(0.1, 0.5, 0), "step_sizes"),
    "growth without end": (lambda: Exp(0.1, 1.5), "decay"),
    "unknown unit": (lambda: Step(0.1, 0.5, 1, per="batch"), "per"),  # type: ignore[arg-type]  # that is the question
    "a step too many": (lambda: Sequence((Constant(0.1),), (1, 2)), "step_sizes"),
    "mixed units": (lambda: Loop(Constant(0.1), 2, per="step"), "cycle"),
    "plateau inside": (lambda: WarmUp(2, Plateau(0.1)), "then"),
    "plateau per step": (lambda: Plateau(0.1, per="step"), "per"),  # type: ignore[arg-type]  # that is the question
    "plateau without drop": (lambda: Plateau(0.1, decay=1.0), "decay"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_impossible_fields_are_refused_by_name(case: str) -> None:
    make, field = IMPOSSIBLE[case]
    with pytest.raises(TermError) as refused:
        make()
    assert refused.value.field == field
