"""Losses and activations that clients write: `mean(abs2(ŷ - y))`, `x * sigmoid(x)`.

Parsed by our own reader, never evaluated as Python; differentiated in reverse mode. All is elementwise over rows ×
outputs but sum, mean (of everything, or of each row with dims=1), softmax and logsoftmax (of each row).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from service.learning.arrays import Array
from service.learning.expressions.compiler import Program
from service.learning.expressions.forms import compile_activation, compile_loss
from service.learning.expressions.run import Run
from service.learning.layers.activations import ACTIVATIONS, Activate, Activation, PullBack
from service.learning.losses import LOSSES, Agg, Evaluate, Loss, Total, WholeTotal
from service.learning.terms import Term, TermError, UnreadableText, fields_of


@LOSSES.add
@dataclass(frozen=True, slots=True)
class ExpressionLoss(Loss):
    """a written formula of ŷ and y that ends in one number

    mean(f), sum(f) and their sums and multiples, such as `mean(abs2(ŷ - y)) + 0.1mean(abs(ŷ - y))`, add up over rows:
    they may be weighted, and taken block by block. Any other formula, such as `sqrt(mean(abs2(ŷ - y)))`, is not
    `separable`: it is the loss of just the rows it is given at once, and knows no weights. `agg` is read from the
    formula.
    """

    name = "expression"
    expression: str

    def __post_init__(self) -> None:
        Loss.__post_init__(self)
        _check(self.name, compile_loss, self.expression)

    @property
    def agg(self) -> Agg:
        return compile_loss(self.expression).agg or "mean"

    @property
    def separable(self) -> bool:
        return compile_loss(self.expression).agg is not None

    def terms(self, ŷ: Array, y: Array) -> Array:
        self._require_rows("terms")
        run = Run(compile_loss(self.expression), (ŷ, y))
        run.forward()
        return run.result

    def value(self, ŷ: Array, y: Array) -> float:
        run = Run(compile_loss(self.expression), (ŷ, y))
        with np.errstate(all="ignore"):
            run.forward()
        return float(run.result)

    def slope(self, ŷ: Array, y: Array) -> Array:
        self._require_rows("a slope")
        gradient = np.empty_like(ŷ)
        run = Run(compile_loss(self.expression), (ŷ, y))
        run.forward()
        run.differentiate(gradient).fill(1)
        run.backward()
        return gradient

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        if weights is not None:
            self._require_rows("weights")
        program = compile_loss(self.expression)
        run = Run(program, (ŷ, y))
        seed = run.differentiate(gradient)
        scale = 1 / run.result.size if program.agg == "mean" else 1.0
        seed.fill(scale)

        def evaluate() -> float:
            run.forward()
            if weights is None:
                loss = float(run.result.sum()) * scale
            else:
                np.multiply(weights, scale, out=seed)
                loss = float((run.result * seed).sum())
            run.backward()
            return loss

        return evaluate

    def total(self) -> Total:
        return Total(self) if self.separable else WholeTotal(self)

    def _require_rows(self, what: str) -> None:
        if not self.separable:
            raise ValueError(
                f"{what} of single rows need a loss of the form mean(...) or sum(...), not {self.expression}"
            )


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class ExpressionActivation(Activation):
    """a written formula of x, such as x * sigmoid(x)"""

    name = "expression"
    whole_row: ClassVar[bool] = property(lambda self: compile_activation(self.expression).whole_row)  # type: ignore[assignment]  # the formula tells it, not the class
    expression: str

    def __post_init__(self) -> None:
        Activation.__post_init__(self)
        _check(self.name, compile_activation, self.expression)

    def value(self, x: Array) -> Array:
        y = np.empty_like(x)
        self.bind(x, y)[0]()
        return y

    def slope(self, x: Array, y: Array) -> Array:
        dy = np.ones_like(x)
        activate, pull_back = self.bind(x, np.empty_like(x))
        activate()
        pull_back(dy)
        return dy

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        run = Run(compile_activation(self.expression), (x,), result=y)
        prepared: list[tuple[Array, Array]] = []  # the gradients with respect to x and y; made when first asked for

        def pull_back(dy: Array) -> None:
            if not prepared:
                dx = np.empty_like(x)
                prepared.append((dx, run.differentiate(dx)))
            dx, seed = prepared[0]
            np.copyto(seed, dy)
            run.backward()
            np.copyto(dy, dx)

        return run.forward, pull_back


def formulas_in(term: Any) -> Iterator[str]:
    """Yield the formulas of a loss, of an activation, or of a layer and all that is inside it."""
    if isinstance(term, ExpressionLoss | ExpressionActivation):
        yield term.expression
    elif isinstance(term, tuple):
        for each in term:
            yield from formulas_in(each)
    elif isinstance(term, Term):
        for field in fields_of(term):
            yield from formulas_in(getattr(term, field.name))


def _check(name: str, compile: Callable[[str], Program], expression: str) -> None:
    try:
        compile(expression)
    except UnreadableText as error:
        raise TermError(name, "expression", str(error)) from error
