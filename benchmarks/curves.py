"""The charts of docs/learning.md, in characters: losses by rates, by epochs, and by passes.

.venv-bench/bin/python -m benchmarks.curves             ten seconds
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from benchmarks.auto.ours import encoded
from benchmarks.auto.tables import Table, from_scikit_learn
from benchmarks.second_order import CASES, places
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import LBFGS, Adam, LevenbergMarquardt
from service.learning.rows.drawn import DrawnValidation
from service.learning.rows.part import Part
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training

HEIGHT = 9
"""Lines of a chart."""
Points = Sequence[tuple[float, float]]


def main() -> None:
    for draw in (by_rates, by_epochs, by_passes):
        sys.stdout.write(f"{draw.__doc__}\n\n{draw()}\n\n")


def by_rates() -> str:
    """The loss of irises that were not learnt from, after 90 epochs of Adam at 13 rates."""
    irises = from_scikit_learn("iris", classes=True)
    notation = "Chain(Dense(4 => 16, tanh), Dense(16 => 3))"
    points = []
    for rate in np.geomspace(1e-4, 1, 13):
        recipe = Recipe(loss=LOSSES["logitcrossentropy"](), optimiser=Adam(float(rate)), epochs=90)
        points.append((float(rate), _last(trained(irises, notation, recipe))))
    rates: dict[float, str] = {1e-4: "0.0001", 1e-3: "0.001", 1e-2: "0.01", 0.1: "0.1", 1: "1 rate"}
    return chart({"o": points}, rates, {2: "2", 0.2: "0.2", 0.02: "0.02"}, width=61)


def _last(reports: Iterator[EpochReport]) -> float:
    *_, report = reports
    return report.validation_loss or math.nan


def by_epochs() -> str:
    """Both losses of a wide network on the diabetes table, which learns its rows by heart."""
    recipe = Recipe(
        loss=LOSSES["mse"](), optimiser=Adam(0.01), epochs=300, standardise="both", batch_size=32, shuffle=True
    )
    diabetes = from_scikit_learn("diabetes", classes=False)
    reports = list(trained(diabetes, "Chain(Dense(10 => 64, relu), Dense(64 => 1))", recipe))
    shown = [reports[round(1 + place * 299 / 63)] for place in range(64)]
    series = {
        "v": [(each.epoch, each.validation_loss or math.nan) for each in shown],
        "t": [(each.epoch, each.train_loss) for each in shown],
    }
    losses: dict[float, str] = {7200: "7200", 3600: "3600", 1800: "1800", 900: "900", 450: "450"}
    epochs: dict[float, str] = {1: "1", 100: "100", 200: "200", 288: "300 epochs", 300: ""}
    return chart(series, epochs, losses, along=float)


def by_passes() -> str:
    """The loss of a sine by passes over its rows: two rules of second order, and Adam."""
    rules = {"a": (Adam(0.03), 3000), "b": (LBFGS(), 1000), "L": (LevenbergMarquardt(), 1000)}
    series = {}
    for mark, (rule, epochs) in rules.items():
        way = [(place.passes, place.loss) for place in places(CASES[0], 0, rule, epochs)]
        series[mark] = [
            (x, [loss for passes, loss in way if passes <= 1.02 * x][-1]) for x in _spread(min(way[-1][0], 3000))
        ]
    passes: dict[float, str] = {1: "1", 10: "10", 100: "100", 1000: "1000 passes", 3000: ""}
    return chart(series, passes, {1: "1", 1e-2: "0.01", 1e-4: "0.0001", 1e-6: "1e-6", 1e-8: "1e-8"})


def _spread(last: float) -> list[float]:
    return [float(x) for x in np.geomspace(1, last, 64)]


def trained(table: Table, notation: str, recipe: Recipe) -> Iterator[EpochReport]:
    """Train on four fifths of a table; yield the reports, with the loss of the rest as that of validation."""
    inputs, targets = encoded(table)
    drawn, network = DrawnValidation(0.2, recipe.seed), Network(read(notation), "float32")
    numbers = (not table.has_classes,) * targets.shape[1]
    parts = [
        Part(inputs[rows], targets[rows], numbers=numbers)
        for rows in (drawn.indices(len(inputs), part) for part in ("train", "validation"))
    ]
    problem = Problem(network, parts[0], parts[1], recipe)
    for event in Training(problem, network.initial(recipe.seed), fresh=True).run():
        if isinstance(event, EpochReport):
            yield event


def chart(
    series: Mapping[str, Points],
    xs: Mapping[float, str],
    ys: Mapping[float, str],
    *,
    along: Callable[[float], float] = math.log10,
    width: int = 64,
) -> str:
    """Draw points by the marks of their series, later ones above earlier ones; `xs` and `ys` are places with their
    labels, between which the chart is.
    """
    lines = [[" "] * width for _ in range(HEIGHT)]

    def column(x: float) -> int:
        return _place(along(x), along(min(xs)), along(max(xs)), width)

    def line(y: float) -> int:
        return HEIGHT - 1 - _place(math.log10(y), math.log10(min(ys)), math.log10(max(ys)), HEIGHT)

    for mark, points in series.items():
        for x, y in points:
            if min(xs) <= x <= max(xs):
                lines[line(min(max(y, min(ys)), max(ys)))][column(x)] = mark
    labels = {line(y): label for y, label in ys.items()}
    drawn = [f"{labels.get(number, ''):>8} │{''.join(each).rstrip()}" for number, each in enumerate(lines)]
    below = [" "] * (width + 12)
    for x, label in xs.items():
        below[column(x) : column(x) + len(label)] = list(label)
    return "\n".join([*drawn, f"{' ' * 9}└{'─' * width}", f"{' ' * 10}{''.join(below).rstrip()}"])


def _place(value: float, least: float, greatest: float, places: int) -> int:
    return round((value - least) / (greatest - least) * (places - 1))


if __name__ == "__main__":
    main()
