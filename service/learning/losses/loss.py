"""The base of losses, and the value of a loss over many blocks of rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array
from service.learning.terms import Registry, Term

Evaluate = Callable[[], float]
Agg = Literal["mean", "sum"]
Link = Literal["identity", "softmax", "sigmoid"]
"""The function that makes probabilities of classes of a network's outputs."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The numbers that a loss accepts: their name, the test that they pass, a clause about all others, and the bounds
    that they lie within.
    """

    name: str
    holds: Callable[[Array], NDArray[np.bool_]]
    outside: str
    least: float = -np.inf
    greatest: float = np.inf


PROBABILITIES = Domain(
    "probabilities", lambda ŷ: (ŷ >= 0) & (ŷ <= 1), "outside 0 to 1 the loss means nothing or is not finite", 0, 1
)
POSITIVE = Domain("positive numbers", lambda ŷ: ŷ > 0, "at 0 and below the loss is not finite", 0)
NOT_NEGATIVE = Domain("positive numbers", lambda ŷ: ŷ >= 0, "below 0 the loss is not finite", 0)
SIGNS = Domain("-1 and 1", lambda y: abs(y) == 1, "the loss asks for nothing where a target is 0", -1, 1)


FACTS = {"accepts", "given_by", "link", "twin", "targets", "compares", "distances", "quadratic"}
FACTS |= {"unit_power", "jumps", "roots"}
"""Names of the attributes in which a loss states facts about itself."""


class Loss(Term):
    """A number for predictions ŷ and targets y, both rows × outputs.

    A `separable` one aggregates terms of single rows, so that blocks of rows can be taken one after the other, and rows
    can have weights: w multiplies the terms of its row; a mean is then Σ w l / Σ w, a sum Σ w l.

    A loss states the facts about itself that advice, probabilities of classes and the quadratic path follow from:
    `accepts`, the outputs that it is made for (None for any), and `given_by`, the function whose values these are;
    `targets`, the targets that it is made for; `compares`, whether it is about the shares of a row's outputs, where
    one output alone would have all; `distances`, whether outputs are distances, and no guesses at targets; `link`, the
    function that makes probabilities of the outputs, which is the one that a loss of logits applies, and identity for a
    loss of probabilities; `twin`, the loss of logits that equals this one of probabilities, or the other way round;
    `quadratic`, the c of a loss whose terms are c (ŷ - y)²; `unit_power`, the p of a loss whose terms depend on ŷ - y
    alone and are multiplied by sᵖ where this, and parameters in the same unit, are multiplied by s; `jumps`, whether
    its slope does somewhere; `roots`, the curvature for LevenbergMarquardt.
    """

    __slots__ = ()
    accepts: ClassVar[Domain | None] = None
    given_by: ClassVar[str | None] = None
    link: ClassVar[Link | None] = None
    twin: ClassVar[str | None] = None
    targets: ClassVar[Domain | None] = None
    compares: ClassVar[bool] = False
    distances: ClassVar[bool] = False
    quadratic: ClassVar[float] = 0.0
    unit_power: ClassVar[int | None] = None
    jumps: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Let a class with terms of its own have only those facts that it states itself."""
        super().__init_subclass__()
        if {"terms", "slope", "both", "bind"} & vars(cls).keys():
            for fact in FACTS - vars(cls).keys():
                setattr(cls, fact, getattr(Loss, fact))

    @property
    def domain(self) -> Domain | None:
        """`targets`, for a loss whose parameters decide nothing about them."""
        return self.targets

    @property
    def separable(self) -> bool:
        """Whether the loss is made of terms of single rows."""
        return True

    @property
    def agg(self) -> Agg:
        """The aggregate that makes one loss of the losses of blocks of rows."""
        return "mean"

    def value(self, ŷ: Array, y: Array) -> float:
        """The loss of these rows, for a loss that is not separable."""
        raise NotImplementedError

    def terms(self, ŷ: Array, y: Array) -> Array:
        """Return the numbers that `agg` combines: one per element (rows × outputs), or per row (rows × 1)."""
        raise NotImplementedError

    def slope(self, ŷ: Array, y: Array) -> Array:
        """∂ Σ terms / ∂ŷ, rows × outputs; for a loss that is not separable, ∂ value / ∂ŷ."""
        raise NotImplementedError

    def roots(self, ŷ: Array, y: Array) -> Iterator[tuple[Array, Array | None]]:
        """Yield arrays S (rows × outputs) with Σ S Sᵀ, for each row, the curvature ∂² Σ terms / ∂ŷ², never negative.

        For a sum of squares each comes with the c (rows) of slope = Σ c S, and the bend of what is squared is left out.
        Losses without it are not for LevenbergMarquardt.
        """
        raise NotImplementedError

    @property
    def has_roots(self) -> bool:
        """Whether the loss states its `roots`."""
        return type(self).roots is not Loss.roots

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        """Return a call on fixed buffers that returns the loss of a batch and writes ∂loss/∂ŷ.

        Weights (rows × 1) have mean 1 over all rows where `agg` is mean.
        """
        raise NotImplementedError

    def total(self) -> "Total":
        """Return an accumulator of the loss over blocks of rows."""
        return Total(self)


@dataclass(frozen=True, slots=True)
class AggregatedLoss(Loss):
    """A loss that is the mean or sum of its terms; a new one defines `terms` and `slope`."""

    agg: Agg = "mean"

    def both(self, ŷ: Array, y: Array) -> tuple[Array, Array]:
        """`terms` and `slope`; to be defined where they share work."""
        return self.terms(ŷ, y), self.slope(ŷ, y)

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        rows = len(ŷ)

        def evaluate() -> float:
            terms, slope = self.both(ŷ, y)
            if weights is not None:
                terms, slope = terms * weights, slope * weights
            scale = 1.0 if self.agg == "sum" else 1 / (rows * terms.shape[1])
            np.multiply(slope, scale, out=gradient)
            return float(terms.sum()) * scale

        return evaluate


class WholeLoss(Loss):
    """A loss of all rows at once, which has no terms; a new one defines `value` and `slope`."""

    __slots__ = ()

    @property
    def separable(self) -> bool:
        return False

    def both(self, ŷ: Array, y: Array) -> tuple[float, Array]:
        """`value` and `slope`; to be defined where they share work."""
        return self.value(ŷ, y), self.slope(ŷ, y)

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        if weights is not None:
            raise ValueError(f"{self.name} takes all rows at once and knows no weights")

        def evaluate() -> float:
            value, slope = self.both(ŷ, y)
            np.copyto(gradient, slope)
            return value

        return evaluate

    def total(self) -> "Total":
        return WholeTotal(self)


def column_roots(root: Array, share: Array | None = None) -> Iterator[tuple[Array, Array | None]]:
    """Yield the roots of a curvature in which no output has a part in another's: root² (rows × outputs)."""
    for column in range(root.shape[1]):
        alone = np.zeros_like(root)
        alone[:, column] = root[:, column]
        yield alone, None if share is None else share[:, column]


def relative(weights: Array) -> Array:
    """Divide by the largest, in float64, so that sums are neither infinite nor lost; zeros stay zeros."""
    largest = float(weights.max(initial=0))
    return weights.astype(np.float64) / (largest or 1.0)


class Total:
    """The loss over blocks of rows, summed in float64."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._sum = 0.0
        self._weight = 0.0

    def comparable(self, weights: Array) -> Array:
        """Return the weights of all rows, as `add` takes those of its rows: only their ratios matter to a mean."""
        return relative(weights) if self._loss.agg == "mean" else weights.astype(np.float64)

    def add(self, ŷ: Array, y: Array, weights: Array | None = None) -> None:
        """Add rows (rows × outputs), with weights rows × 1."""
        terms = self._loss.terms(ŷ, y)
        if weights is None:
            self._sum += float(terms.sum(dtype=np.float64))
            self._weight += terms.size
        else:
            self._sum += float((terms * weights).sum(dtype=np.float64))
            self._weight += float(weights.sum(dtype=np.float64)) * terms.shape[1]

    @property
    def value(self) -> float:
        return self._sum if self._loss.agg == "sum" else self._sum / self._weight


class WholeTotal(Total):
    """An accumulator for a loss that does not add up over blocks: it keeps the rows until the loss is asked for."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss)
        self._blocks: list[tuple[Array, Array]] = []

    def add(self, ŷ: Array, y: Array, weights: Array | None = None) -> None:
        if weights is not None:
            raise ValueError(f"{self._loss.name} takes all rows at once and knows no weights")
        self._blocks.append((ŷ.astype(np.float64), y.astype(np.float64)))

    @property
    def value(self) -> float:
        ŷ, y = map(np.concatenate, zip(*self._blocks, strict=True))
        return self._loss.value(ŷ, y)


LOSSES: Registry[Loss] = Registry("descent.losses", "service.learning.losses", "service.learning.expressions")
