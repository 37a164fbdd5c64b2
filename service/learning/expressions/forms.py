"""The two forms that an expression takes: a loss, and an activation, each with its own demands on the result."""

from functools import lru_cache
from typing import Literal

from service.learning.expressions.compiler import Compiler, Extent, Program, Value
from service.learning.expressions.parser import Call, Tree, parse
from service.learning.terms import UnreadableText


@lru_cache(maxsize=256)
def compile_loss(text: str) -> Program:
    """Return the program of a loss of ŷ (or yhat, prediction) and y (or target).

    Raises:
        UnreadableText: it is no expression, or does not end in one number that changes with ŷ.
    """
    compiler = Compiler({"ŷ": ("yhat", "y_hat", "prediction"), "y": ("target",)})
    tree = parse(text)
    separated = _separate(compiler, tree)
    value, agg = separated if separated is not None else (compiler.value(tree), None)
    if agg is None and value.shape is not Extent.SCALAR:
        each = "row" if value.shape is Extent.COLUMN else "element"
        raise UnreadableText(
            f"a loss is one number, and this is one for each {each}: wrap it in mean(...)", tree.position
        )
    if not value.varies:
        raise UnreadableText(
            "a loss must have a gradient with respect to the prediction ŷ, and this one has none", tree.position
        )
    return compiler.program(value, agg)


@lru_cache(maxsize=256)
def compile_activation(text: str) -> Program:
    """Return the program of an activation of x.

    Raises:
        UnreadableText: it is no expression, has no value for each x, or mixes rows.
    """
    compiler = Compiler({"x": ()})
    tree = parse(text)
    value = compiler.value(tree)
    if value.pools:
        raise UnreadableText("an activation sees one row at a time: sum and mean need dims=1 here", tree.position)
    if value.shape is not Extent.MATRIX or not value.varies:
        raise UnreadableText("an activation has a value for each x, and a slope", tree.position)
    return compiler.program(value)


Summand = tuple[float, str | None, Value]


def _separate(compiler: Compiler, tree: Tree) -> tuple[Value, Literal["mean", "sum"]] | None:
    """f and agg where the tree is agg(f) for all batches: α mean(f) + β mean(g) + γ is mean(α f + β g + γ)."""
    parts = _summands(compiler, tree)
    if parts is None:
        return None
    aggs = {agg for _, agg, _ in parts} - {None}
    values = [value for _, agg, value in parts if agg is not None]
    if len(aggs) != 1 or any(value.pools or value.shape is Extent.SCALAR for value in values):
        return None
    agg: Literal["mean", "sum"] = "mean" if aggs == {"mean"} else "sum"
    if agg == "sum" and (len(values) < len(parts) or len({value.shape for value in values}) > 1):
        return None
    total: Value | None = None
    for factor, _, value in parts:
        term = value if factor == 1 else compiler.call("*", (Value(constant=factor), value), tree.position)
        total = term if total is None else compiler.call("+", (total, term), tree.position)
    return None if total is None else (total, agg)


def _summands(compiler: Compiler, tree: Tree) -> list[Summand] | None:
    """Return the tree as a sum of factor · agg(value), agg None for a constant; None where it is something else."""
    match tree:
        case Call(function=("mean" | "sum") as agg, arguments=(inner,), dims=None):
            return [(1.0, agg, compiler.value(inner))]
        case Call(function=("+" | "-") as sign, arguments=(left, right)):
            a, b = _summands(compiler, left), _summands(compiler, right)
            return None if a is None or b is None else a + _times(1.0 if sign == "+" else -1.0, b)
        case Call(function="unary -", arguments=(inner,)):
            parts = _summands(compiler, inner)
            return None if parts is None else _times(-1.0, parts)
        case Call(function=("*" | "/") as operator, arguments=(left, right)):
            a, b = _summands(compiler, left), _summands(compiler, right)
            if operator == "*" and a is not None and _constant(a) is not None:
                a, b = b, a
            factor = None if a is None or b is None else _constant(b)
            if a is None or factor is None or (operator == "/" and factor == 0):
                return None
            return _times(factor if operator == "*" else 1 / factor, a)
    value = compiler.value(tree)
    return None if value.constant is None else [(value.constant, None, Value(constant=1.0))]


def _times(factor: float, parts: list[Summand]) -> list[Summand]:
    return [(factor * own, agg, value) for own, agg, value in parts]


def _constant(parts: list[Summand]) -> float | None:
    """Return the number that the parts are, if they are one."""
    return None if any(agg is not None for _, agg, _ in parts) else sum(factor for factor, _, _ in parts)
