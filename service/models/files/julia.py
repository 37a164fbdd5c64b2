"""Julia's ways to write numbers, arrays and formulas."""

from collections.abc import Iterator

import numpy as np
import orjson

from service.http.json_numbers import Array
from service.learning.expressions import ALIASES, CONSTANTS, ROW_FUNCTIONS, Call, Name, Number, Tree, parse

TYPES = {"float32": "Float32", "float64": "Float64"}
FEW = 256
"""Numbers that are written as literals; Julia compiles long literals slowly, so more are a text that it parses."""
NUMBERS_A_LINE = 64
NUMBERS = "numbers"
PREFIXES = {"unary -": "-", "!": "!"}
REDUCTIONS = {"sum": "sum", "mean": "Flux.mean"}


def literal(number: float, dtype: str) -> str:
    """Return a number that Julia reads as exactly this one: 0.1f0 in float32, 0.1 in float64."""
    digits = orjson.dumps(np.array([number], dtype), option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1]
    return with_type(digits, dtype)


def with_type(digits: str, dtype: str) -> str:
    """Return the shortest digits of a number, 0.1 or 1e-5, as a literal of the type: 0.1f0 or 1f-5 in float32."""
    digits = digits.replace("e+", "e")
    if dtype == "float64":
        return digits
    return digits.replace("e", "f") if "e" in digits else f"{digits}f0"


def array(values: Array) -> Iterator[str]:
    """A vector or matrix, piece by piece: a literal where it is small, a call of `numbers` where it is large.

    Julia keeps the numbers of a column together, so a large matrix is written column by column and then reshaped.
    """
    if values.size > FEW:
        yield from _parsed(values)
    elif values.ndim == 2 and values.shape[1] > 1:
        yield "[\n" + "\n".join(f"    {' '.join(_literals(row))}" for row in values) + "\n]"
    else:
        yield _reshaped(f"[{', '.join(_literals(values.ravel()))}]", values)


def _parsed(values: Array) -> Iterator[str]:
    before, after = _reshaped("\0", values).split("\0")
    yield f'{before}{NUMBERS}("""\n'
    flat = values.ravel(order="F")  # a view: weights are stored input by input
    for start in range(0, flat.size, NUMBERS_A_LINE):
        yield " ".join(_digits(flat[start : start + NUMBERS_A_LINE])) + "\n"
    yield f'"""){after}'


def _reshaped(vector: str, values: Array) -> str:
    return vector if values.ndim == 1 else f"reshape({vector}, {', '.join(map(str, values.shape))})"


def _digits(values: Array) -> list[str]:
    written = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return written[1:-1].decode().split(",")


def _literals(values: Array) -> list[str]:
    return [with_type(digits, values.dtype.name) for digits in _digits(values)]


def formula(text: str, dtype: str, *, dotted: bool) -> str:
    """Return a written activation in Julia: of one number x, or (`dotted`) of an array, features × observations.

    Its numbers get the dtype, for Julia would compute in float64 with any that has none.
    """
    return _bare(_Writer(dtype, "." if dotted else "").write(parse(text)))


def _bare(written: str) -> str:
    """Remove the parentheses around an operation."""
    return written[1:-1] if written.startswith("(") else written


class _Writer:
    def __init__(self, dtype: str, dot: str) -> None:
        self._dtype = dtype
        self._dot = dot

    def write(self, tree: Tree) -> str:
        match tree:
            case Number(value):
                return literal(value, self._dtype)
            case Name(name):
                return literal(CONSTANTS[name], self._dtype) if name in CONSTANTS else name
            case Call():
                return self._call(ALIASES.get(tree.function, tree.function), list(map(self.write, tree.arguments)))

    def _call(self, function: str, arguments: list[str]) -> str:
        if function in PREFIXES:
            return f"({self._dot}{PREFIXES[function]}{arguments[0]})"
        if not function.isidentifier():
            return f"({arguments[0]} {self._dot}{function} {arguments[1]})"
        if function in REDUCTIONS:
            return f"{REDUCTIONS[function]}({_bare(arguments[0])}; dims=1)"
        dot = "" if function in ROW_FUNCTIONS else self._dot  # those take arrays as they are
        return f"{function}{dot}({', '.join(map(_bare, arguments))})"
