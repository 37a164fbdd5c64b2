"""A program at work on arrays of one size: every buffer made once, forwards and backwards as a flat list of calls."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from service.learning.arrays import AnyArray
from service.learning.expressions.compiler import Extent, Operation, Program
from service.learning.expressions.functions import FUNCTIONS, ROW_FUNCTIONS
from service.learning.layers import Action


class Run:
    """The computation of `result` from the variables' arrays (rows × width), and of its gradient for the first of them.

    `result` may be given as the array to write to. Buffers for gradients are made by `differentiate`.
    """

    def __init__(self, program: Program, variables: Sequence[AnyArray], result: AnyArray | None = None) -> None:
        self._program = program
        self._values: list[AnyArray] = list(variables)
        self._shapes = [Extent.MATRIX] * len(variables) + [step.shape for step in program.steps]
        self._forward: list[Action] = []
        self._backward: list[Action] = []
        self._gradients: dict[int, AnyArray] = {}
        self._scratch: dict[Extent, AnyArray] = {}
        for step in program.steps:
            last = step is program.steps[-1]
            out = result if last and result is not None else self._buffer(step.shape)
            self._forward.append(_evaluation(step, self._arguments(step), out))
            self._values.append(out)
        if not program.steps and result is not None:  # the expression is its variable
            self._forward.append(partial(np.copyto, result, variables[0]))
        self.result = self._values[-1] if program.steps else self._values[0]

    def forward(self) -> None:
        for call in self._forward:
            call()

    def backward(self) -> None:
        for call in self._backward:
            call()

    def differentiate(self, gradient: AnyArray) -> AnyArray:
        """Build the backward pass, and return the buffer for the gradient with respect to the result.

        `backward` then writes the gradient with respect to the first variable.
        """
        seed = self._buffer(self._program.shape)
        first = len(self._program.variables)
        if not self._program.steps:
            self._backward.append(partial(np.copyto, gradient, seed))
        self._gradients = {0: gradient, len(self._values) - 1: seed} if self._program.steps else {}
        reached: set[int] = set()
        for index in reversed(range(first, len(self._values))):
            if index in self._gradients:  # else the result is flat in it
                self._pull_back(index, reached)
        return seed

    def _pull_back(self, index: int, reached: set[int]) -> None:
        step = self._program.steps[index - len(self._program.variables)]
        pulls = _pull_backs(step, self._arguments(step), self._gradients[index], self._values[index])
        for argument, pull in zip(step.arguments, pulls, strict=True):
            if pull is None or isinstance(argument, float) or not self._varies(argument):
                continue
            if argument not in self._gradients:
                self._gradients[argument] = self._buffer(self._shapes[argument])
            wide = max(step.shape, self._shapes[argument])  # what a sum pulls back is as wide as its argument
            self._contribute(pull, wide, argument, fresh=argument not in reached)
            reached.add(argument)

    def _contribute(self, pull: Callable[..., object], wide: Extent, target: int, *, fresh: bool) -> None:
        """Record: the pull-back, summed to the target's shape, and added to what others contributed."""
        total, shape = self._gradients[target], self._shapes[target]
        if fresh and wide == shape:
            self._backward.append(partial(pull, total))
            return
        scratch = self._scratch_for(wide)
        self._backward.append(partial(pull, scratch))
        axis = 1 if shape is Extent.COLUMN else None
        part = scratch
        if wide != shape:
            part = total if fresh else self._buffer(shape)
            self._backward.append(partial(np.sum, scratch, axis=axis, keepdims=axis == 1, out=part))
        if not fresh:
            self._backward.append(partial(np.add, total, part, out=total))

    def _varies(self, index: int) -> bool:
        first = len(self._program.variables)
        return index == 0 if index < first else self._program.steps[index - first].varies

    def _arguments(self, step: Operation) -> list[Any]:
        return [self._values[a] if isinstance(a, int) else a for a in step.arguments]

    def _scratch_for(self, shape: Extent) -> AnyArray:
        if shape not in self._scratch:
            self._scratch[shape] = self._buffer(shape)
        return self._scratch[shape]

    def _buffer(self, shape: Extent) -> AnyArray:
        rows, width = self._values[0].shape
        sizes: dict[Extent, tuple[int, ...]]
        sizes = {Extent.MATRIX: (rows, width), Extent.COLUMN: (rows, 1), Extent.SCALAR: ()}
        return np.empty(sizes[shape], self._values[0].dtype)


def _evaluation(step: Operation, arguments: list[Any], out: AnyArray) -> Callable[[], object]:
    name, _, across = step.function.partition("_")
    if name in ("sum", "mean"):
        axis = 1 if across else None
        reduce: Callable[..., object] = np.sum if name == "sum" else np.mean
        return partial(reduce, arguments[0], axis=axis, keepdims=axis == 1, out=out)
    function = FUNCTIONS.get(name) or ROW_FUNCTIONS[name]
    return partial(function.evaluate, *arguments, out=out)


def _pull_backs(step: Operation, arguments: list[Any], g: AnyArray, y: AnyArray) -> list[Callable[..., object] | None]:
    """Return for each argument the function that writes its gradient to the array given first."""
    name, _, across = step.function.partition("_")
    if name in ("sum", "mean"):
        count = arguments[0].shape[1] if across else arguments[0].size
        return [partial(_spread, g=g, scale=1.0 if name == "sum" else 1 / count)]
    function = FUNCTIONS.get(name) or ROW_FUNCTIONS[name]
    return [pull and _placed(pull, g, y, arguments) for pull in function.pull_backs]


def _placed(
    pull: Callable[..., object], g: AnyArray, y: AnyArray, arguments: list[Any]
) -> Callable[[AnyArray], object]:
    return lambda out: pull(out, g, y, *arguments)


def _spread(out: AnyArray, g: AnyArray, scale: float) -> None:
    np.multiply(g, scale, out=out)
