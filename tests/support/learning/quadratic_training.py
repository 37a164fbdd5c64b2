"""A linear regression with a validation part, every rule, and the quadratic path that trains one by the other."""

from collections.abc import Callable, Iterator
from typing import Any

from service.learning.layers import Dense
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.optimisers import OPTIMISERS, Rule
from service.learning.rows.part import Part
from service.learning.training.batches.path import BatchPath
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.quadratic.path import QuadraticPath
from service.learning.training.recipe import Recipe
from tests.support.learning.linear_problems import LinearProblem, linear_problem

MODIFIERS = ("WeightDecay", "SignDecay", "ClipGrad", "ClipNorm", "ClipGlobalNorm")
MSE: Any = LOSSES["mse"]
MAKE: dict[str, Callable[..., Rule]] = dict(OPTIMISERS)


def chain(*rules: Rule) -> Rule:
    return MAKE["OptimiserChain"](rules=rules)


def every_rule() -> Iterator[Rule]:
    for name, rule in MAKE.items():
        if OPTIMISERS[name].second_order:
            continue
        match name:
            case "OptimiserChain":
                continue
            case "AccumGrad":
                yield chain(rule(n=3), MAKE["Momentum"](eta=0.05))
            case _ if name in MODIFIERS:
                yield chain(rule(), MAKE["Descent"](eta=0.05))
            case _:
                yield rule()


RULES = list(every_rule())


def recipe(rule: Rule | None = None, epochs: int = 40, **fields: Any) -> Recipe:
    return Recipe(**{"loss": MSE(), "optimiser": rule or MAKE["Descent"](eta=0.05), "epochs": epochs, **fields})


def part_of(problem: LinearProblem) -> Part:
    return Part(problem.inputs, problem.targets)


TRAIN = part_of(linear_problem(rows=60, columns=3, outputs=2, offset=0.5, seed=1))
VALIDATION = part_of(linear_problem(rows=25, columns=3, outputs=2, offset=0.5, seed=2))
NETWORK = Network(Dense(3, 2), "float64")
START = NETWORK.initial(3)


def begin(recipe: Recipe, validation: Part | None = None) -> QuadraticPath:
    return QuadraticPath(Problem(NETWORK, TRAIN, validation, recipe), START)


def reports(path: QuadraticPath | BatchPath, epochs: int) -> list[EpochReport]:
    return [event for event in path.run(epochs) if isinstance(event, EpochReport)]


def without_seconds(all_reports: list[EpochReport]) -> list[tuple[object, ...]]:
    return [(r.epoch, r.train_loss, r.validation_loss, r.rate, r.gradient_norm) for r in all_reports]
