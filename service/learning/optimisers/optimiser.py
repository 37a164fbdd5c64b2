"""An optimiser: rules at work on the flat vectors of one training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from service.learning.arrays import Array, Saved, State
from service.learning.optimisers.rule import BLOCK, Apply, Block, Rule, Scope


class RuleState:
    """A rule at work: how often it was applied, its rate, and its state vectors."""

    def __init__(self, rule: Rule, x: Array) -> None:
        self.rule = rule
        self.t = 0
        self.eta = rule.rate or 0.0
        self.state = {name: np.full_like(x, first) for name, first in rule.states().items()}


Calls = list[tuple[Apply, RuleState]]


class Optimiser:
    """A rule at work on a vector of parameters and its gradient; `arrays` lists the stretches that are one array.

    Rules that take any stretch of elements go over the vectors together, block by block: each finds in the cache what
    the one before left there. `gradient_square` and `step_square` are Σ dx² before and after the last step.
    """

    def __init__(self, rule: Rule, x: Array, dx: Array, arrays: Sequence[slice]) -> None:
        self.gradient_square = 0.0
        self.step_square = 0.0
        self._works = [RuleState(each, x) for each in rule.rules]
        groups = list(grouped(self._works))
        self._stages: list[tuple[list[RuleState], Calls]] = []
        for number, works in enumerate(groups):
            parts = stretches(works[0].rule.scope, len(x), arrays)
            scratch = np.empty(max(part.stop - part.start for part in parts), x.dtype)
            calls: Calls = []
            for part in parts:
                if number == 0:
                    calls.append((self._add_gradient_square(dx[part]), works[0]))
                calls.extend((work.rule.bind(block_of(work, x, dx, part, scratch)), work) for work in works)
                if number == len(groups) - 1:
                    calls.append((self._add_step_square(dx[part]), works[0]))
            self._stages.append((works, calls))

    def step(self) -> bool:
        """Turn the gradient into the step to subtract; False where there is none yet."""
        self.gradient_square = self.step_square = 0.0
        for works, calls in self._stages:
            for work in works:
                work.t += 1
            go_on = True
            for apply, work in calls:
                if apply(work.eta, work.t) is False:
                    go_on = False
            if not go_on:
                return False
        return True

    def _add_gradient_square(self, dx: Array) -> Apply:
        def add(eta: float, t: int) -> None:
            self.gradient_square += square(dx)

        return add

    def _add_step_square(self, dx: Array) -> Apply:
        def add(eta: float, t: int) -> None:
            self.step_square += float(dx.dot(dx))

        return add

    @property
    def rate(self) -> float | None:
        """The rate of the next step."""
        return next((work.eta for work in self._works if work.rule.rate is not None), None)

    @rate.setter
    def rate(self, eta: float) -> None:
        for work in self._works:
            work.eta = eta

    def state(self) -> State:
        """Copies of all that the rules remember."""
        arrays = {}
        for index, work in enumerate(self._works):
            arrays[f"{index}.t"] = np.array([work.t])
            arrays[f"{index}.eta"] = np.array([work.eta])
            arrays |= {f"{index}.state.{name}": array.copy() for name, array in work.state.items()}
        return arrays

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        for index, work in enumerate(self._works):
            work.t = int(arrays[f"{index}.t"][0])
            work.eta = float(arrays[f"{index}.eta"][0])
            for name, array in work.state.items():
                np.copyto(array, arrays[f"{index}.state.{name}"])


def grouped(works: Sequence[RuleState]) -> Iterator[list[RuleState]]:
    """Successive rules of one scope that go over the vectors together; one that may pause ends its group."""
    group: list[RuleState] = []
    for work in works:
        if group and (work.rule.scope != group[0].rule.scope or group[-1].rule.pauses):
            yield group
            group = []
        group.append(work)
    yield group


def block_of(work: RuleState, x: Array, dx: Array, part: slice, scratch: Array) -> Block:
    state = {name: array[part] for name, array in work.state.items()}
    return Block(x[part], dx[part], state, scratch[: part.stop - part.start])


def stretches(scope: Scope, size: int, arrays: Sequence[slice]) -> Sequence[slice]:
    """Return the stretches of the vector that rules take one by one."""
    if scope == "array":
        return arrays
    if scope == "vector":
        return [slice(0, size)]
    return [slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK)]


def square(x: Array) -> float:
    """Σ x², in float64 where it overflows the dtype."""
    total = float(x.dot(x))
    return total if math.isfinite(total) else float(np.square(x, dtype=np.float64).sum())
