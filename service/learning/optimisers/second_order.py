"""Rules of second order: they take steps on the loss of all rows, on a path of their own, and have no rate."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from service.learning.optimisers.modifiers import WeightDecay
from service.learning.optimisers.rule import OPTIMISERS, Rule
from service.learning.terms import Positive


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class LevenbergMarquardt(Rule):
    """dx = (H + μ D)⁻¹ ∇L, H = Jᵀ∇²l J, D = the largest diag(H) so far

    K. Levenberg, 1944; D. Marquardt, 1963. J has the derivatives of all rows' outputs, and ∇²l is the curvature of
    their losses: for mse and msle the method of Gauss and Newton, for cross-entropies its generalisation at the logits
    (N. Schraudolph, 2002). A step that does not lower the loss is taken back, and tried anew with `up` times the
    damping μ; after one that does about what it promised, μ is `down` times what it was.
    """

    name = "LevenbergMarquardt"
    second_order = True
    damping: Positive = 1e-3
    up: Annotated[float, Gt(1)] = 3.0
    down: Annotated[float, Gt(0), Lt(1)] = 0.3


@OPTIMISERS.add
@dataclass(frozen=True, slots=True)
class LBFGS(Rule):
    """dx = α B ∇L, B from the last steps and their changes of ∇L

    D. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989. The step length α meets
    the strong conditions of Wolfe. `memory` is the number of steps that B is made from.
    """

    name = "LBFGS"
    second_order = True
    memory: Annotated[int, Ge(1), Le(1000)] = 10


def second_order_rule(rule: Rule) -> Rule | None:
    """Return the rule of second order that a rule is, or that is among a chain's; None where there is none."""
    return next((each for each in rule.rules if each.second_order), None)


def decay_of(rule: Rule) -> float:
    """The λ of the λ/2 Σ x² that the chain's rules add to the loss."""
    return sum(each.lambda_ for each in rule.rules if isinstance(each, WeightDecay))
