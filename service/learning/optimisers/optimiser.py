"""An optimiser: rules at work on the flat vectors of one training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from service.learning.arrays import Array, Saved, State
from service.learning.optimisers.rule import BLOCK, Apply, Block, Rule


class RuleState:
    """A rule at work: how often it was applied, its rate, and its state vectors.

    `missed` counts the steps that each array was left out of: there a rule is as often applied as the array moved.
    """

    def __init__(self, rule: Rule, x: Array, arrays: int) -> None:
        self.rule = rule
        self.t = 0
        self.eta = rule.rate or 0.0
        self.state = {name: np.full_like(x, first) for name, first in rule.states().items()}
        self.missed = np.zeros(arrays, np.int64)
        self.counted = 0  # steps of which it is known whether they were missed

    def count(self, left_out: Sequence[int]) -> None:
        """Count the steps since the last count as missed by these arrays."""
        self.missed[left_out] += self.t - self.counted
        self.counted = self.t

    def missed_by(self, array: int) -> int:
        """The steps that a rule is behind in an array; none where all arrays wait for the same step."""
        return 0 if self.rule.pauses else int(self.missed[array])

    def reset(self) -> None:
        """Forget all steps; the rate stays."""
        self.t = self.counted = 0
        self.missed.fill(0)
        for name, first in self.rule.states().items():
            self.state[name].fill(first)


Calls = list[tuple[Apply, RuleState]]
Piece = tuple[slice, tuple[int, ...]]
"""A stretch of the vectors, and the steps that each of some rules has missed there."""
Matrices = Mapping[int, tuple[int, int]]
"""Inputs and outputs of the weights that lie between other weights, by where they begin in the vectors."""


class Optimiser:
    """A rule at work on a vector of parameters and its gradient; `arrays` lists the stretches that are one array.

    Rules that take any stretch of elements go over the vectors together, block by block: each finds in the cache what
    the one before left there. `gradient_square` and `step_square` are Σ dx² before and after the last step. Arrays that
    are left out count in no sum, and neither they nor what the rules remember of them moves.
    """

    def __init__(
        self, rule: Rule, x: Array, dx: Array, arrays: Sequence[slice], matrices: Matrices = MappingProxyType({})
    ) -> None:
        self.gradient_square = 0.0
        self.step_square = 0.0
        self._x, self._dx, self._arrays, self._matrices = x, dx, arrays, matrices
        self._left_out: list[int] = []
        self._works = [RuleState(each, x, len(arrays)) for each in rule.rules]
        self._bind()

    def leave_out(self, starts: frozenset[int]) -> None:
        """Leave out the arrays that begin at these elements from now on, and take all others."""
        for work in self._works:
            work.count(self._left_out)
        self._left_out = [index for index, array in enumerate(self._arrays) if array.start in starts]
        self._bind()

    def _bind(self) -> None:
        groups = list(grouped(self._works))
        self._stages: list[tuple[list[RuleState], Calls]] = []
        for number, works in enumerate(groups):
            ends = number == 0, number == len(groups) - 1
            self._stages.append((works, list(self._calls(works, *ends))))

    def _calls(self, works: list[RuleState], first: bool, last: bool) -> Iterator[tuple[Apply, RuleState]]:
        """Yield the calls of one group of rules: sums of squares before the first group's, and after the last's."""
        x, dx = self._x, self._dx
        stretches = list(self._stretches(works))
        if works[0].rule.scope == "vector" and len(stretches) > 1:
            parts = [part for part, _ in stretches]
            yield from ((self._add_gradient_square(dx[part]), works[0]) for part in parts if first)
            yield from ((bind_gathered(work, x, dx, parts), work) for work in works)
            yield from ((self._add_step_square(dx[part]), works[0]) for part in parts if last)
            return
        scratch = np.empty(max((part.stop - part.start for part, _ in stretches), default=0), x.dtype)
        for part, missed in stretches:
            if first:
                yield self._add_gradient_square(dx[part]), works[0]
            for work, steps in zip(works, missed, strict=True):
                yield behind(work.rule.bind(self._block(work, part, scratch)), steps), work
            if last:
                yield self._add_step_square(dx[part]), works[0]

    def _block(self, work: RuleState, part: slice, scratch: Array) -> Block:
        state = {name: array[part] for name, array in work.state.items()}
        matrix = self._matrices.get(part.start) if work.rule.scope == "array" else None
        return Block(self._x[part], self._dx[part], state, scratch[: part.stop - part.start], matrix)

    def _stretches(self, works: list[RuleState]) -> Iterator[Piece]:
        """Yield the stretches of the vectors that these rules take one by one."""
        scope = works[0].rule.scope
        left_out, runs = set(self._left_out), list[Piece]()
        for index, array in enumerate(self._arrays):
            if index in left_out:
                continue
            missed = tuple(0 if scope == "vector" else work.missed_by(index) for work in works)
            if scope != "array" and runs and runs[-1][1] == missed and runs[-1][0].stop == array.start:
                runs[-1] = slice(runs[-1][0].start, array.stop), missed
            else:
                runs.append((array, missed))
        for run, missed in runs:
            size = BLOCK if scope == "elements" else max(run.stop - run.start, 1)
            for start in range(run.start, run.stop, size):
                yield slice(start, min(start + size, run.stop)), missed

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

    def scale_rate(self, factor: float) -> None:
        """Multiply the rate of every rule."""
        for work in self._works:
            work.eta *= factor

    def reset(self) -> None:
        """Forget all steps; rates, and which arrays are left out, stay."""
        for work in self._works:
            work.reset()
        self._bind()

    def state(self) -> State:
        """Copies of all that the rules remember."""
        arrays = {}
        for index, work in enumerate(self._works):
            work.count(self._left_out)
            arrays[f"{index}.t"] = np.array([work.t])
            arrays[f"{index}.eta"] = np.array([work.eta])
            arrays |= {f"{index}.state.{name}": array.copy() for name, array in work.state.items()}
            if work.missed.any():
                arrays[f"{index}.missed"] = work.missed.copy()
        return arrays

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        for index, work in enumerate(self._works):
            work.t = work.counted = int(arrays[f"{index}.t"][0])
            work.eta = float(arrays[f"{index}.eta"][0])
            work.missed[...] = arrays.get(f"{index}.missed", 0)
            for name, array in work.state.items():
                np.copyto(array, arrays[f"{index}.state.{name}"])
        self._bind()


def grouped(works: Sequence[RuleState]) -> Iterator[list[RuleState]]:
    """Successive rules of one scope that go over the vectors together; one that may pause ends its group."""
    group: list[RuleState] = []
    for work in works:
        if group and (work.rule.scope != group[0].rule.scope or group[-1].rule.pauses):
            yield group
            group = []
        group.append(work)
    yield group


def behind(apply: Apply, steps: int) -> Apply:
    """The same function, shifted by a number of steps."""
    return (lambda eta, t: apply(eta, t - steps)) if steps else apply


def bind_gathered(work: RuleState, x: Array, dx: Array, parts: Sequence[slice]) -> Apply:
    """The rule's function on one vector gathered from stretches that lie apart."""
    chosen = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    state = {name: array[chosen] for name, array in work.state.items()}
    block = Block(x[chosen], dx[chosen], state, np.empty(len(chosen), x.dtype))
    bound = work.rule.bind(block)
    changed = [(dx, block.dx), *((work.state[name], state[name]) for name in state)]

    def apply(eta: float, t: int) -> bool | None:
        np.copyto(block.x, x[chosen])
        for whole, part in changed:
            np.copyto(part, whole[chosen])
        go_on = bound(eta, t)
        for whole, part in changed:
            whole[chosen] = part
        return go_on

    return apply


def square(x: Array) -> float:
    """Σ x², in float64 where it overflows the dtype."""
    total = float(x.dot(x))
    return total if math.isfinite(total) else float(np.square(x, dtype=np.float64).sum())
