"""Activations, losses and functions of formulas where numbers are large, small or equal: mpmath_extremes.json.

Run in an environment of its own (README.md beside this file): `python -m tests.learning.references.make_mpmath`.
1,500 digits are more than any difference here loses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from tests.learning.references import extremes
from tests.learning.references.duals import Dual, dual
from tests.learning.references.questions import DTYPES, one_hot, write_answers

mp.dps = 1500
Case = Mapping[str, Any]
Pair = tuple[Sequence[float], Sequence[float]]
"""The prediction and the target of a row."""

SIZES = (1e-30, 1e-8, 1e-4, 0.2, 0.25, 0.5, 1.0, 2.5, 3.0, 6.0, 8.0, 12.0, 50.0, 100.0, 750.0, 1e4, 1e30)
CHANCES = (1e-30, 1e-9, 1e-4, 0.25, 0.5, 0.75, 0.9999, 1.0)
LOGITS = [
    (0.0, 0.0, 0.0),
    (1e-30, 0.0, -1e-30),
    (20.0, 0.0, -3.0),
    (3.0, 3.0, -40.0),
    (50.0, -50.0, 0.0),
    (1e4, -1e4, 0.0),
    (1e30, -1e30, 1e30),
    (-1e30, -1e30, -1e4),
]
LABELS = [*one_hot([0, 1, 2], 3).tolist(), [0.25, 0.5, 0.25]]


def ends(dtype: str) -> tuple[float, float]:
    """The smallest and the largest number."""
    return float(np.finfo(dtype).smallest_subnormal), float(np.finfo(dtype).max)


def sizes(dtype: str) -> list[float]:
    """Sizes of numbers that the dtype holds, as it rounds them."""
    smallest, largest = ends(dtype)
    wider = () if dtype == "float32" else (1e-300, 1e70, 1e300)
    return [float(np.dtype(dtype).type(size)) for size in (smallest, 3e4 * smallest, *SIZES, *wider, largest)]


def both_signs(dtype: str) -> list[float]:
    return [0.0, *(sign * size for size in sizes(dtype) for sign in (1, -1))]


def logits(dtype: str) -> list[tuple[float, ...]]:
    smallest, largest = ends(dtype)
    rows = [*LOGITS, (smallest, -smallest, 0.0), (largest, -largest, 0.0), (largest, largest, -largest)]
    return [tuple(float(np.dtype(dtype).type(each)) for each in row) for row in rows]


def chances(dtype: str) -> list[float]:
    """Chances from 0 to 1, and about 1 in steps of the dtype."""
    step = float(np.finfo(dtype).eps)
    given = [0.0, ends(dtype)[0], *CHANCES, 1 - step / 2, 1 - step, 1 - 3 * step]
    return [float(np.dtype(dtype).type(each)) for each in given]


def of_points(function: Callable[[Any], Any], points: Sequence[float]) -> dict[str, Any]:
    answers = [dual(function(Dual(mpf(x), mpf(1)))) for x in points]
    values, slopes = [rounded(each.value) for each in answers], [rounded(each.slope) for each in answers]
    return {"x": points, "value": values, "slope": slopes}


def of_rows(function: Callable[[Any], list[Any]], rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The values and slopes of rows; a slope has a row for each output: its derivatives with respect to all inputs."""
    values = [[rounded(dual(each).value) for each in function([dual(x) for x in row])] for row in rows]
    slopes = []
    for row in rows:
        by_input = [[dual(each).slope for each in function(seeded(row, place))] for place in range(len(row))]
        slopes.append([[rounded(slope) for slope in output] for output in zip(*by_input, strict=True)])
    return {"x": rows, "value": values, "slope": slopes}


def seeded(row: Sequence[float], place: int) -> list[Dual]:
    return [Dual(mpf(x), mpf(index == place)) for index, x in enumerate(row)]


def rounded(number: Any) -> float:
    """Round to float64; infinite where it is beyond."""
    return float(number)


def activations(dtype: str) -> Iterator[Case]:
    for name, function in extremes.ACTIVATIONS.items():
        yield {"term": {"name": name}, **of_points(function, both_signs(dtype))}
    for name, rows in (("softmax", extremes.softmax), ("logsoftmax", extremes.logsoftmax)):
        yield {"term": {"name": name}, **of_rows(rows, logits(dtype))}
        yield {"term": {"name": "expression", "expression": f"{name}(x)"}, **of_rows(rows, logits(dtype))}
    for functions, points in ((extremes.REAL, both_signs(dtype)), (extremes.POSITIVE, sizes(dtype))):
        for text, function in functions.items():
            yield {"term": {"name": "expression", "expression": text}, **of_points(function, points)}


def pairs(name: str, dtype: str) -> list[tuple[float, float]]:
    """Predictions and targets that a loss takes."""
    signed, positive, largest = both_signs(dtype), [0.0, *sizes(dtype)], ends(dtype)[1]
    match name:
        case "mse" | "mae" | "huber_loss":
            return [(x, y) for x in signed for y in (0.0, 1.0, x, -x)] + [(1 + float(np.finfo(dtype).eps), 1.0)]
        case "msle" | "poisson_loss":
            given = [(x, y) for x in positive for y in (0.0, 1.0, x, 50.0, 1e4, largest)]
            return [(x, y) for x, y in given if x > 0 or y == 0 or name == "msle"]
        case "hinge_loss" | "squared_hinge_loss":
            return [(x, y) for x in signed for y in (1.0, -1.0)]
        case "siamese_contrastive_loss":
            return [(x, y) for x in signed for y in (1.0, 0.0)]
        case "logitbinarycrossentropy":
            return [(x, y) for x in signed for y in (1.0, 0.0, 0.25)]
        case _:
            return [(x, y) for x in chances(dtype) for y in (1.0, 0.0)]


def losses(dtype: str) -> Iterator[Case]:
    eps = mpf(float(np.finfo(dtype).eps))
    for name, function in extremes.ELEMENTS.items():
        given = pairs(name, dtype)
        answers = [dual(function(Dual(mpf(x), mpf(1)), mpf(y), eps)) for x, y in given]
        yield {
            "term": {"name": name},
            "prediction": [[x] for x, _ in given],
            "target": [[y] for _, y in given],
            "value": [rounded(each.value) for each in answers],
            "slope": [[rounded(each.slope)] for each in answers],
        }
    of_several: dict[str, list[Pair]] = {
        "logitcrossentropy": [(x, y) for x in logits(dtype) for y in LABELS],
        "dice_coeff_loss": [*overlaps(dtype), *(((x, 0.0), (y, 0.0)) for x in sizes(dtype) for y in (0.0, 1.0))],
        "tversky_loss": overlaps(dtype),
    }
    for name, rows in of_several.items():
        yield {"term": {"name": name}, **of_losses(extremes.ROWS[name], rows)}


def overlaps(dtype: str) -> list[Pair]:
    """Two chances, and whether each is true."""
    labels = ((1.0, 0.0), (1.0, 1.0), (0.0, 0.0))
    return [((x, 1 - y), label) for x in chances(dtype) for y in (0.0, x) for label in labels]


def of_losses(loss: Callable[[Any, Any], Any], rows: Sequence[Pair]) -> dict[str, Any]:
    targets = [[mpf(each) for each in target] for _, target in rows]
    predictions = [list(row) for row, _ in rows]
    slopes = [
        [rounded(dual(loss(seeded(row, place), target)).slope) for place in range(len(row))]
        for row, target in zip(predictions, targets, strict=True)
    ]
    values = [
        rounded(dual(loss([dual(x) for x in row], target)).value)
        for row, target in zip(predictions, targets, strict=True)
    ]
    return {"prediction": predictions, "target": [list(y) for _, y in rows], "value": values, "slope": slopes}


if __name__ == "__main__":
    for kind, cases in (("activations", activations), ("losses", losses)):
        write_answers(
            f"mpmath_{kind}.json",
            {"mpmath": mpmath.__version__},
            {},
            ({**case, "dtype": dtype} for dtype in DTYPES for case in cases(dtype)),
        )
