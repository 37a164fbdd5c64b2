"""A written expression made ready: a flat list of steps over arrays, each with its shape, none computed twice."""

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import Literal, NamedTuple

import numpy as np

from service.learning.expressions.functions import ALIASES, CONSTANTS, FUNCTIONS, REDUCTIONS, ROW_FUNCTIONS
from service.learning.expressions.parser import Call, Name, Number, Tree
from service.learning.synonyms import TERMS, hint
from service.learning.terms import UnreadableText

COMPOSED = {"clamp": 3}
ARGUMENTS = {1: "one argument", 2: "two arguments", 3: "three arguments"}


class Extent(IntEnum):
    """The shape of a value: one number, one for each row, or one for each element. Shapes combine to the larger."""

    SCALAR = 0
    COLUMN = 1
    MATRIX = 2


class Operation(NamedTuple):
    """function(*arguments), an argument being the index of an earlier value or a number."""

    function: str
    arguments: tuple["int | float", ...]
    shape: Extent
    varies: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A value while compiling: a constant number, or the index of the step that computes it.

    varies: it depends on the variable of the gradients. pools: a row's part in it depends on other rows.
    """

    index: int = -1
    constant: float | None = None
    shape: Extent = Extent.SCALAR
    varies: bool = False
    pools: bool = False
    condition: bool = False

    @property
    def argument(self) -> "int | float":
        return self.index if self.constant is None else self.constant


@dataclass(frozen=True, slots=True)
class Program:
    """Values 0, 1, ... are the variables (matrices), those after them come from the steps; the last is the result.

    agg: the aggregate that is still to be taken of the result; None where there is none.
    """

    variables: tuple[str, ...]
    steps: tuple[Operation, ...]
    shape: Extent
    agg: Literal["mean", "sum"] | None
    pools: bool
    whole_row: bool


class Compiler:
    """A compiler from a tree to steps. Variables are given with all their spellings; gradients go to the first."""

    def __init__(self, variables: dict[str, tuple[str, ...]]) -> None:
        self.variables = tuple(variables)
        self._names = {spelling: name for name, spellings in variables.items() for spelling in (name, *spellings)}
        self._steps: list[Operation] = []
        self._known: dict[tuple[object, ...], Value] = {}

    def program(self, result: Value, agg: Literal["mean", "sum"] | None = None) -> Program:
        """Return the steps that the result needs, in order."""
        first = len(self.variables)
        needed = {result.index}
        for index in reversed(range(first, first + len(self._steps))):
            if index in needed:
                needed.update(a for a in self._steps[index - first].arguments if isinstance(a, int))
        kept = [index for index in range(first, first + len(self._steps)) if index in needed]
        place = {old: new for new, old in enumerate([*range(first), *kept])}
        steps = [self._steps[index - first] for index in kept]
        if result.index < first:  # a variable itself
            place[result.index] = result.index
        moved = tuple(
            step._replace(arguments=tuple(place[a] if isinstance(a, int) else a for a in step.arguments))
            for step in steps
        )
        across = any(step.function in ROW_FUNCTIONS or step.function.endswith("_rows") for step in steps)
        return Program(self.variables, moved, result.shape, agg, result.pools, across)

    def value(self, tree: Tree) -> Value:
        """Return the value of a tree; raise UnreadableText where it has none."""
        match tree:
            case Number():
                return Value(constant=tree.value)
            case Name():
                return self._name(tree)
            case Call():
                return self.call(tree.function, tuple(map(self.value, tree.arguments)), tree.position, tree.dims)

    def call(self, name: str, arguments: tuple[Value, ...], position: int, dims: int | None = None) -> Value:
        """Return the value of a function of values."""
        name = ALIASES.get(name, name)
        if name in REDUCTIONS:
            self._check_count(name, 1, arguments, position)
            return self._reduction(name, arguments[0], dims)
        if dims is not None:
            raise UnreadableText(f"{name} takes no dims; sum and mean do", position)
        if name in ("max", "min") and len(arguments) > 2:
            rest = self.call(name, arguments[:-1], position)
            return self.call(name, (rest, arguments[-1]), position)
        if name == "clamp":
            self._check_count(name, 3, arguments, position)
            return self.call("min", (self.call("max", arguments[:2], position), arguments[2]), position)
        return self._function(name, arguments, position)

    def _name(self, tree: Name) -> Value:
        if tree.name in CONSTANTS:
            return Value(constant=CONSTANTS[tree.name])
        variable = self._names.get(tree.name)
        if variable is None:
            remedy = f"{tree.name} is a function: write {tree.name}(...)" if self._is_function(tree.name) else ""
            raise self._unknown("name", tree.name, [*self._names, *CONSTANTS], tree.position, remedy)
        index = self.variables.index(variable)
        return Value(index=index, shape=Extent.MATRIX, varies=index == 0)

    def _function(self, name: str, arguments: tuple[Value, ...], position: int) -> Value:
        function = FUNCTIONS.get(name) or ROW_FUNCTIONS.get(name)
        if function is None:
            known = [*FUNCTIONS, *ROW_FUNCTIONS, *REDUCTIONS, *COMPOSED]
            raise self._unknown("function", name, [n for n in known if n.isidentifier()], position)
        self._check_count(name, function.arity, arguments, position)
        self._check_conditions(name, arguments, position)
        if name == "^" and (power := self._short_power(arguments[0], arguments[1], position)) is not None:
            return power
        shape = max(argument.shape for argument in arguments)
        if name in ROW_FUNCTIONS and shape is not Extent.MATRIX:
            raise UnreadableText(f"{name} goes over the elements of a row, and this has none", position)
        if all(argument.constant is not None for argument in arguments):
            return self._fold(name, arguments, position)
        varies = any(a.varies and p is not None for a, p in zip(arguments, function.pull_backs, strict=True))
        return self._step(name, arguments, shape, varies, condition=function.condition)

    def _reduction(self, name: str, value: Value, dims: int | None) -> Value:
        if dims is not None:
            return (
                self._step(f"{name}_rows", (value,), Extent.COLUMN, value.varies)
                if value.shape == Extent.MATRIX
                else value
            )
        if value.shape is Extent.SCALAR:
            return value
        return self._step(name, (value,), Extent.SCALAR, value.varies, pools=True)

    def _short_power(self, base: Value, exponent: Value, position: int) -> Value | None:
        match exponent.constant:
            case 1.0:
                return base
            case 2.0:
                return self.call("abs2", (base,), position)
            case 3.0:
                return self.call("*", (base, self.call("abs2", (base,), position)), position)
            case 0.5:
                return self.call("sqrt", (base,), position)
            case -1.0:
                return self.call("/", (Value(constant=1.0), base), position)
        return None

    def _step(
        self,
        name: str,
        arguments: tuple[Value, ...],
        shape: Extent,
        varies: bool,
        *,
        pools: bool = False,
        condition: bool = False,
    ) -> Value:
        key = (name, *(argument.argument for argument in arguments), *(a.constant is None for a in arguments))
        if key not in self._known:
            index = len(self.variables) + len(self._steps)
            self._steps.append(Operation(name, tuple(argument.argument for argument in arguments), shape, varies))
            pools = pools or any(argument.pools for argument in arguments)
            self._known[key] = Value(index, None, shape, varies, pools, condition)
        return self._known[key]

    def _fold(self, name: str, arguments: tuple[Value, ...], position: int) -> Value:
        out = np.empty(())
        function = FUNCTIONS[name]
        with np.errstate(all="ignore"):
            function.evaluate(*(np.float64(argument.argument) for argument in arguments), out=out)
        if not isfinite(out):
            raise UnreadableText("this is not a finite number", position)
        return Value(constant=float(out), condition=function.condition)

    def _check_count(self, name: str, wanted: int, arguments: tuple[Value, ...], position: int) -> None:
        if len(arguments) != wanted:
            raise UnreadableText(f"{name} takes {ARGUMENTS[wanted]}, not {len(arguments)}", position)

    def _check_conditions(self, name: str, arguments: tuple[Value, ...], position: int) -> None:
        conditions = {"ifelse": 1, "&&": 2, "||": 2, "!": 1}.get(name, 0)
        if not all(argument.condition for argument in arguments[:conditions]):
            raise UnreadableText(f"{name} needs a condition such as x > 0", position)

    def _is_function(self, name: str) -> bool:
        return any(name in names for names in (FUNCTIONS, ROW_FUNCTIONS, REDUCTIONS, COMPOSED, ALIASES))

    def _unknown(self, kind: str, name: str, known: list[str], position: int, remedy: str = "") -> UnreadableText:
        return UnreadableText(f"unknown {kind} {name!r}: {remedy or hint(name, known, TERMS)}", position)
