"""The base of optimiser rules, and the block of a flat vector that a rule works on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from service.learning.arrays import Array
from service.learning.terms import Registry, Term

Apply = Callable[[float, int], bool | None]
Scope = Literal["elements", "array", "vector"]
BLOCK = 1 << 15  # elements: a block of every vector that a rule works on fits a processor's second cache


class Block(NamedTuple):
    """A stretch of the flat vectors: parameters x, gradients dx, the rule's states by name, and room to work.

    `matrix` has the rows and columns, inputs × outputs, of a stretch that is one weight between other weights.
    """

    x: Array
    dx: Array
    state: dict[str, Array]
    scratch: Array
    matrix: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The linear recurrence of the steps v = ρ v + γ η dx; x = x - v, or of Nesterov's where dx is taken `ahead`.

    Of an error along an eigenvector with curvature λ it leaves z, the larger solution, an epoch in the long run:
    z² = (1 + ρ - u) z - ρ, ahead z² = (1 - u)((1 + ρ) z - ρ), with u = γ η λ. γ is the `gain`.
    """

    rho: float = 0.0
    gain: float = 1.0
    ahead: bool = False


class Rule(Term):
    """A recipe for steps.

    `bind` returns the function (eta, t) that turns the block's dx into the step to subtract; t counts from 1. That
    function returns False where there is nothing to subtract yet; `pauses` marks rules that may. `scope` is the least
    that must be seen at once: any stretch of elements, one array (a weight or a bias), or the whole vector.
    `normalises` marks rules whose steps are about eta, whatever the size of the gradient. `second_order` marks those
    that have no `bind`: they need more than a gradient, and `training/second_order/` is their path.
    """

    __slots__ = ()
    scope: ClassVar[Scope] = "elements"
    pauses: ClassVar[bool] = False
    normalises: ClassVar[bool] = False
    second_order: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Let a class with steps of its own have a recurrence only where it states one itself."""
        super().__init_subclass__()
        if "bind" in vars(cls) and "recurrence" not in vars(cls):
            cls.recurrence = Rule.recurrence  # type: ignore[method-assign]  # set on the class, as a method

    def states(self) -> dict[str, float]:
        """Return the vectors that the rule remembers, by name, each with the number it begins with."""
        return {}

    def bind(self, block: Block) -> Apply:
        raise NotImplementedError

    def products(self, rows: int, columns: int) -> int:
        """Return the operations in products of matrices that a step takes for a weight between other weights."""
        return 0

    @property
    def recurrence(self) -> Recurrence | None:
        """The recurrence that the steps follow, from which stable and best rates follow; None for all other rules."""
        return None

    @property
    def rules(self) -> "tuple[Rule, ...]":
        """The rules that are applied one after the other: this one, or those of a chain."""
        return (self,)

    @property
    def ignores_size(self) -> bool:
        """Whether the size of a gradient has no part in the size of the step."""
        return any(rule.normalises for rule in self.rules)

    @property
    def rate(self) -> float | None:
        """The learning rate eta, which may be changed on the way; None for a rule without one."""
        return getattr(self, "eta", None)


OPTIMISERS: Registry[Rule] = Registry("descent.optimisers", "service.learning.optimisers")


def average(mean: Array, x: Array, beta: float) -> None:
    """mean = β mean + (1 - β) x; x is overwritten."""
    np.multiply(mean, beta, mean)
    np.multiply(x, 1 - beta, x)
    np.add(mean, x, mean)
