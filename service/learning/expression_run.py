"""A program at work on arrays of one size: every buffer made once, forwards and backwards as a flat list of calls."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.expression_functions import FUNCTIONS, ROW_FUNCTIONS
from service.learning.expression_program import Program, Shape, Step

Array = NDArray[Any]


class Run:
    """Computes `result` from the variables' arrays (rows × width), and the gradient by the first of them.

    `seed` holds the gradient by the result, in its shape, and is read by `backward`, which writes `gradient`.
    """

    def __init__(self, program: Program, variables: Sequence[Array], gradient: Array | None = None) -> None:
        self._values: list[Array] = list(variables)
        self._shapes = [Shape.MATRIX] * len(variables) + [step.shape for step in program.steps]
        self._forward: list[Callable[[], object]] = []
        self._backward: list[Callable[[], object]] = []
        for step in program.steps:
            out = self._buffer(step.shape)
            self._forward.append(_evaluation(step, self._arguments(step), out))
            self._values.append(out)
        self.result = self._values[-1] if program.steps else self._values[0]
        if gradient is not None:
            self._gradients: dict[int, Array] = {0: gradient}
            self._scratch: dict[Shape, Array] = {}
            self._plan(program, gradient)

    def forward(self) -> None:
        for call in self._forward:
            call()

    def backward(self) -> None:
        for call in self._backward:
            call()

    def _plan(self, program: Program, gradient: Array) -> None:
        self.seed = self._buffer(program.shape)
        if not program.steps:
            self._backward.append(partial(np.copyto, gradient, self.seed))
            return
        first = len(program.variables)
        self._gradients[len(self._values) - 1] = self.seed
        reached: set[int] = set()
        for index in reversed(range(first, len(self._values))):
            if program.steps[index - first].varies:
                self._pull_back(index, program, reached)
        if 0 not in reached:
            self._backward.append(partial(gradient.fill, 0))

    def _pull_back(self, index: int, program: Program, reached: set[int]) -> None:
        first = len(program.variables)
        step = program.steps[index - first]
        pulls = _pull_backs(step, self._arguments(step), self._gradients[index], self._values[index])
        for argument, pull in zip(step.arguments, pulls, strict=True):
            is_input = argument == 0 and isinstance(argument, int)
            if pull is None or not (is_input or self._step_varies(argument, program)):
                continue
            target = int(argument)
            if target not in self._gradients:
                self._gradients[target] = self._buffer(self._shapes[target])
            wide = max(step.shape, self._shapes[target])  # a reduction's pull-back is as wide as its argument
            self._contribute(pull, wide, target, fresh=target not in reached)
            reached.add(target)

    def _contribute(self, pull: Callable[..., object], wide: Shape, target: int, *, fresh: bool) -> None:
        """Record: the pull-back, summed to the target's shape, and added to what others contributed."""
        total, shape = self._gradients[target], self._shapes[target]
        if fresh and wide == shape:
            self._backward.append(partial(pull, total))
            return
        scratch = self._scratch_for(wide)
        self._backward.append(partial(pull, scratch))
        axis = 1 if shape is Shape.COLUMN else None
        part = scratch
        if wide != shape:
            part = total if fresh else self._buffer(shape)
            self._backward.append(partial(np.sum, scratch, axis=axis, keepdims=axis == 1, out=part))
        if not fresh:
            self._backward.append(partial(np.add, total, part, out=total))

    def _step_varies(self, argument: "int | float", program: Program) -> bool:
        first = len(program.variables)
        return isinstance(argument, int) and argument >= first and program.steps[argument - first].varies

    def _arguments(self, step: Step) -> list[Any]:
        return [self._values[a] if isinstance(a, int) else a for a in step.arguments]

    def _scratch_for(self, shape: Shape) -> Array:
        return self._scratch.setdefault(shape, self._buffer(shape))

    def _buffer(self, shape: Shape) -> Array:
        rows, width = self._values[0].shape
        return np.empty({Shape.MATRIX: (rows, width), Shape.COLUMN: (rows, 1), Shape.SCALAR: ()}[shape], self._values[0].dtype)


def _evaluation(step: Step, arguments: list[Any], out: Array) -> Callable[[], object]:
    name, _, across = step.function.partition("_")
    if name in ("sum", "mean"):
        axis = 1 if across else None
        reduce: Callable[..., object] = np.sum if name == "sum" else np.mean
        return partial(reduce, arguments[0], axis=axis, keepdims=axis == 1, out=out)
    function = FUNCTIONS.get(name) or ROW_FUNCTIONS[name]
    return partial(function.evaluate, *arguments, out=out)


def _pull_backs(step: Step, arguments: list[Any], g: Array, y: Array) -> list[Callable[..., object] | None]:
    """For each argument what writes its gradient to an array given first."""
    name, _, across = step.function.partition("_")
    if name in ("sum", "mean"):
        count = arguments[0].shape[1] if across else arguments[0].size
        return [partial(_spread, g=g, scale=1.0 if name == "sum" else 1 / count)]
    function = FUNCTIONS.get(name) or ROW_FUNCTIONS[name]
    return [pull and _placed(pull, g, y, arguments) for pull in function.pull_backs]


def _placed(pull: Callable[..., object], g: Array, y: Array, arguments: list[Any]) -> Callable[[Array], object]:
    return lambda out: pull(out, g, y, *arguments)


def _spread(out: Array, g: Array, scale: float) -> None:
    np.multiply(g, scale, out=out)
