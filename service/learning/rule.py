"""What an optimiser rule is, and rules at work on the flat vectors of one training."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from service.learning.arrays import Array, Saved, State
from service.learning.vocabulary import Registry, Term

Apply = Callable[[float, int], bool | None]
BLOCK = 1 << 14  # elements: a block of every vector that a rule works on fits a processor's second cache


class Block(NamedTuple):
    """A stretch of the flat vectors: parameters x, gradients dx, the rule's states by name, and room to work."""

    x: Array
    dx: Array
    state: dict[str, Array]
    scratch: Array


class Rule(Term):
    """A recipe for steps.

    `bind` gives the function (eta, t) that turns the block's dx into the step to subtract; t counts from 1. It returns
    False where there is nothing to subtract yet. `scope` says what must be seen at once: any stretch of elements, one
    array (a weight or a bias), or the whole vector.
    """

    __slots__ = ()
    scope: ClassVar[Literal["elements", "array", "vector"]] = "elements"

    def states(self) -> dict[str, float]:
        """The vectors that the rule remembers, by name, each with the number it begins with."""
        return {}

    def bind(self, block: Block) -> Apply:
        raise NotImplementedError

    @property
    def rules(self) -> "tuple[Rule, ...]":
        """The rules that are applied one after the other: this one, or those of a chain."""
        return (self,)

    @property
    def rate(self) -> float | None:
        """The learning rate eta, which may be changed on the way; None for a rule without one."""
        return getattr(self, "eta", None)


OPTIMISERS: Registry[Rule] = Registry("descent.optimisers", "service.learning.optimisers")


class Optimiser:
    """A rule at work on a vector of parameters and its gradient; `arrays` says which stretches are one array."""

    def __init__(self, rule: Rule, x: Array, dx: Array, arrays: Sequence[slice]) -> None:
        self._runs = [Run(each, x, dx, arrays) for each in rule.rules]

    def step(self) -> bool:
        """Turn the gradient into the step to subtract; False where there is none yet."""
        for run in self._runs:  # noqa: SIM110 - all() of a generator takes as long as a small network's step
            if not run.apply():
                return False
        return True

    @property
    def rate(self) -> float | None:
        """The rate of the next step."""
        return next((run.eta for run in self._runs if run.rule.rate is not None), None)

    @rate.setter
    def rate(self, eta: float) -> None:
        for run in self._runs:
            run.eta = eta

    def state(self) -> State:
        """Copies of all that the rules remember."""
        arrays = {}
        for index, run in enumerate(self._runs):
            arrays[f"{index}.t"] = np.array([run.t])
            arrays[f"{index}.eta"] = np.array([run.eta])
            arrays |= {f"{index}.state.{name}": array.copy() for name, array in run.state.items()}
        return arrays

    def restore(self, arrays: Saved) -> None:
        """Take over what `state` gave."""
        for index, run in enumerate(self._runs):
            run.t = int(arrays[f"{index}.t"][0])
            run.eta = float(arrays[f"{index}.eta"][0])
            for name, array in run.state.items():
                np.copyto(array, arrays[f"{index}.state.{name}"])


class Run:
    """One rule with its states, bound to every block."""

    def __init__(self, rule: Rule, x: Array, dx: Array, arrays: Sequence[slice]) -> None:
        self.rule = rule
        self.t = 0
        self.eta = rule.rate or 0.0
        self.state = {name: np.full_like(x, first) for name, first in rule.states().items()}
        parts = stretches(rule, len(x), arrays)
        scratch = np.empty(max(part.stop - part.start for part in parts), x.dtype)
        self._calls = [rule.bind(self._block(x, dx, part, scratch)) for part in parts]

    def _block(self, x: Array, dx: Array, part: slice, scratch: Array) -> Block:
        state = {name: array[part] for name, array in self.state.items()}
        return Block(x[part], dx[part], state, scratch[: part.stop - part.start])

    def apply(self) -> bool:
        self.t += 1
        go_on = True
        for call in self._calls:
            go_on = call(self.eta, self.t) is not False
        return go_on


def average(mean: Array, x: Array, beta: float) -> None:
    """mean = β mean + (1 - β) x; x is overwritten."""
    np.multiply(mean, beta, mean)
    np.multiply(x, 1 - beta, x)
    np.add(mean, x, mean)


def stretches(rule: Rule, size: int, arrays: Sequence[slice]) -> Sequence[slice]:
    """The parts of the vector that a rule takes one by one."""
    if rule.scope == "array":
        return arrays
    if rule.scope == "vector":
        return [slice(0, size)]
    return [slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK)]
