"""The axes of a sweep: places in a recipe, each with the values that trials have there."""

import copy
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from service.http.json_numbers import JsonObject

ARCHITECTURE = "architecture"
"""The one place that is no field of a recipe."""
SHORT_FORMS = {"optimiser": "rule", "loss": "name", "schedule": "name"}
"""The field of an object that its short form, a text alone, stands for."""
DEFAULTS: JsonObject = {"optimiser": {"rule": "Descent", "eta": 0.1}, "loss": {"name": "mse"}}
"""Terms that a recipe may leave out."""
DIGITS = 6
"""Significant digits of a number that is drawn: more would only be hard to read."""

Varied = dict[str, Any]
"""The values of one trial, by their places."""


@dataclass(frozen=True)
class Listed:
    """Values that are named one by one."""

    values: Sequence[Any]

    def drawn(self, random: np.random.Generator) -> Any:
        return self.values[int(random.integers(len(self.values)))]


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, or their logarithms, evenly spread."""

    low: float
    high: float
    scale: Literal["log", "range"]
    whole: bool = False

    def drawn(self, random: np.random.Generator) -> float:
        if self.scale == "log":
            number = math.exp(random.uniform(math.log(self.low), math.log(self.high)))
        else:
            number = random.uniform(self.low, self.high)
        if self.whole:
            return round(number)
        return min(max(float(f"{number:.{DIGITS}g}"), self.low), self.high)

    def spread(self, count: int) -> list[float]:
        """Return numbers from end to end, as the values that a grid could have in this place."""
        ends = (math.log10(self.low), math.log10(self.high)) if self.scale == "log" else (self.low, self.high)
        numbers = np.linspace(*ends, count)
        given = 10**numbers if self.scale == "log" else numbers
        return [round(each) if self.whole else float(f"{each:.3g}") for each in given.tolist()]


Axis = Listed | Between


def grid(axes: Mapping[str, Listed]) -> list[Varied]:
    """Return every combination of the values; the last place changes quickest."""
    return [
        dict(zip(axes, values, strict=True)) for values in itertools.product(*(each.values for each in axes.values()))
    ]


def grid_size(axes: Mapping[str, Listed]) -> int:
    return math.prod(len(each.values) for each in axes.values())


def draws(axes: Mapping[str, Axis], trials: int, seed: int) -> list[Varied]:
    """Draw `trials` combinations; with more trials the first ones stay the same."""
    random = np.random.default_rng(seed)
    return [{place: axis.drawn(random) for place, axis in axes.items()} for _ in range(trials)]


def recipe_of(recipe: JsonObject, varied: Varied) -> JsonObject:
    """Return the recipe of a trial: `recipe` with the values of its places.

    Raises:
        LookupError: a place leads through what is no object.
    """
    made: JsonObject = copy.deepcopy(recipe)
    for place, value in varied.items():
        if place != ARCHITECTURE:
            _put(made, place.split("."), value)
    return made


def _put(recipe: JsonObject, steps: Sequence[str], value: Any) -> None:
    inside: Any = recipe
    for depth, step in enumerate(steps[:-1]):
        if depth == 0 and inside.get(step) is None and step in DEFAULTS:
            inside[step] = copy.deepcopy(DEFAULTS[step])
        elif depth == 0 and isinstance(inside.get(step), str) and step in SHORT_FORMS:
            inside[step] = {SHORT_FORMS[step]: inside[step]}
        inside = inside[int(step)] if isinstance(inside, list) else inside[step]
    if isinstance(inside, list):
        inside[int(steps[-1])] = value
    elif isinstance(inside, dict):
        inside[steps[-1]] = value
    else:
        raise LookupError(steps[-1])
