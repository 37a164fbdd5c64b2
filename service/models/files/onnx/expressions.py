"""Written activations, step by step of their programs, as ONNX nodes."""

import math
from collections.abc import Callable

from service.learning.expressions import compile_activation
from service.models.files.onnx import functions
from service.models.files.onnx.functions import as_condition, as_numbers, where
from service.models.files.onnx.graph import Operand, Value

OPERATORS = {
    "+": "Add",
    "-": "Sub",
    "*": "Mul",
    "/": "Div",
    "^": "Pow",
    "unary -": "Neg",
    "max": "Max",
    "min": "Min",
    "abs": "Abs",
    "sign": "Sign",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
    "relu": "Relu",
}
COMPARISONS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual", "==": "Equal"}
LOGIC = {"&&": "And", "||": "Or", "!": "Not"}
FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "abs2": lambda x: x * x,
    "expm1": functions.expm1,
    "log2": lambda x: x.apply("Log") / math.log(2),
    "log10": lambda x: x.apply("Log") / math.log(10),
    "log1p": functions.log1p,
    "tan": functions.tan,
    "atan": functions.atan,
    "sinh": functions.sinh,
    "cosh": functions.cosh,
    "sigmoid": functions.sigmoid,
    "softplus": functions.softplus,
    "logcosh": functions.logcosh,
    "softmax": lambda x: x.apply("Softmax", axis=1),
    "logsoftmax": lambda x: x.apply("LogSoftmax", axis=1),
    "sum_rows": functions.sum_of_rows,
    "mean_rows": functions.mean_of_rows,
}


def expression(text: str, x: Value) -> Value:
    """Return the value of a written activation at x. Conditions are 1 and 0 between steps, as in the language."""
    values = [x]
    for step in compile_activation(text).steps:
        operands = [values[each] if isinstance(each, int) else each for each in step.arguments]
        values.append(_step(step.function, operands, x))
    return values[-1]


def _step(function: str, operands: list[Operand], x: Value) -> Value:
    first, *others = (x.graph.number(each) if isinstance(each, float) else each for each in operands)
    if function in OPERATORS:
        return first.apply(OPERATORS[function], *others)
    if function in COMPARISONS:
        return as_numbers(first.apply(COMPARISONS[function], *others))
    if function == "!=":
        return as_numbers(first.apply("Equal", *others).apply("Not"))
    if function in LOGIC:
        return as_numbers(as_condition(first).apply(LOGIC[function], *map(as_condition, others)))
    if function == "ifelse":
        return where(as_condition(first), *others)
    return FUNCTIONS[function](first)
