"""The questions to every framework, and the form in which its answers are kept.

All inputs are multiples of 1/64, so float32 holds them exactly and both precisions answer the same question. None lies
on a kink, where frameworks are free to choose different derivatives.
"""

import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
DTYPES = ("float64", "float32")
STEPS = 20

Array = NDArray[Any]


def sixty_fourths(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Numbers k/64 between low and high, k odd: never an integer, a half or a zero."""
    odd = np.random.default_rng(seed).integers(int(low * 32), int(high * 32), size=shape)
    return (2 * odd + 1) / 64


def simplex(seed: int, shape: tuple[int, int]) -> Array:
    """Rows of positive numbers k/64 that sum to one."""
    rows, columns = shape
    cuts = np.sort(np.random.default_rng(seed).permuted(np.tile(np.arange(1, 64), (rows, 1)), axis=1)[:, : columns - 1])
    return np.diff(cuts, axis=1, prepend=0, append=64) / 64


def one_hot(classes: list[int], count: int) -> Array:
    return np.eye(count)[classes]


ACTIVATION_INPUTS = {
    "x": np.vstack([sixty_fourths(1, (3, 5), -2, 2), sixty_fourths(2, (1, 5), -7, 7)]),
    "cotangent": sixty_fourths(3, (4, 5), -1, 1),
}

LOSS_INPUTS: Mapping[str, Mapping[str, Array]] = {
    "real": {"prediction": sixty_fourths(4, (4, 3), -3, 3), "target": sixty_fourths(5, (4, 3), -1, 1)},
    "positive": {"prediction": sixty_fourths(27, (4, 3), 0.5, 6), "target": sixty_fourths(28, (4, 3), 0.5, 6)},
    "signs": {"prediction": sixty_fourths(6, (4, 3), -2, 2), "target": 2 * one_hot([0, 2, 1, 2], 3) - 1},
    "logits of classes": {"prediction": sixty_fourths(7, (4, 3), -4, 4), "target": one_hot([0, 2, 1, 2], 3)},
    "logits of distributions": {"prediction": sixty_fourths(8, (4, 3), -4, 4), "target": simplex(9, (4, 3))},
    "classes": {"prediction": simplex(10, (4, 3)), "target": one_hot([2, 0, 1, 1], 3)},
    "distributions": {"prediction": simplex(11, (4, 3)), "target": simplex(12, (4, 3))},
    "binary": {"prediction": sixty_fourths(13, (4, 3), 0.1, 0.9), "target": one_hot([1, 0, 2, 0], 3)},
    "counts": {"prediction": sixty_fourths(14, (4, 3), 0.5, 6), "target": np.arange(12.0).reshape(4, 3) % 5},
}

# ½ xᵀAx − bᵀx from x₀: eigenvalues of A lie between 0.4 and 2.7.
QUADRATIC = {
    "matrix": np.array([[2.0, 0.5, 0.25], [0.5, 1.0, -0.5], [0.25, -0.5, 1.5]]),
    "linear": np.array([1.0, -2.0, 0.5]),
    "start": np.array([0.75, -1.25, 1.5]),
}

# A small tanh network with mse over all rows at once; weights are out × in, as Flux and PyTorch keep them.
NETWORK = {
    "notation": "Chain(Dense(3 => 4, tanh), Dense(4 => 2))",
    "parameters": [
        {"weight": sixty_fourths(15, (4, 3), -1, 1), "bias": sixty_fourths(16, (4,), -0.5, 0.5)},
        {"weight": sixty_fourths(17, (2, 4), -1, 1), "bias": sixty_fourths(18, (2,), -0.5, 0.5)},
    ],
    "inputs": sixty_fourths(19, (8, 3), -2, 2),
    "targets": sixty_fourths(20, (8, 2), -2, 2),
}

LAYER_INPUTS = {
    "x": sixty_fourths(21, (6, 4), -3, 3),
    "cotangent": sixty_fourths(22, (6, 4), -1, 1),
    "scale": sixty_fourths(23, (4,), 0.5, 2),
    "bias": sixty_fourths(24, (4,), -1, 1),
    "mean": sixty_fourths(25, (4,), -1, 1),
    "variance": sixty_fourths(26, (4,), 0.5, 2),
}


def numbers(value: Any) -> Any:
    """Arrays of any framework as nested lists, which JSON writes in the fewest digits that read back."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(item) for item in value]
    if isinstance(value, (str, bool, int, float)):
        return value
    array = np.asarray(value)
    shortest = [float(str(number)) for number in array.ravel()]
    return np.array(shortest).reshape(array.shape).tolist()


def write_answers(
    name: str, versions: Mapping[str, str], inputs: Mapping[str, Any], cases: Iterable[Mapping[str, Any]]
) -> None:
    """One line per case, so that a later version's changes can be read in a diff."""
    versions = {"python": platform.python_version(), **versions, "numpy": np.__version__}
    lines = ",\n".join(json.dumps(numbers(dict(case)), separators=(",", ":"), ensure_ascii=False) for case in cases)
    head = json.dumps({"versions": versions, "inputs": numbers(dict(inputs))}, separators=(",", ":"))
    (HERE / name).write_text(f'{head[:-1]},\n"cases":[\n{lines}\n]}}\n')


def check_precisions(case: Mapping[str, Any], tolerance: float = 1e-5) -> None:
    """A framework whose own float32 strays from its float64 is no reference for float32."""
    exact, rounded = (json.dumps(numbers(case[dtype])) for dtype in DTYPES)
    for a, b in zip(flat(json.loads(exact)), flat(json.loads(rounded)), strict=True):
        if abs(a - b) > tolerance * (1 + abs(a)):
            raise ValueError(f"{case['term']}: {a} in float64 is {b} in float32")


def flat(value: Any) -> Iterable[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield float(value)
