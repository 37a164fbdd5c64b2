"""Optimiser rules, and the optimiser that applies them."""

from service.learning.optimisers.adam import AdaBelief, Adam, AdaMax, AdamW, AMSGrad, Moments, NAdam, OAdam, RAdam
from service.learning.optimisers.adaptive import AdaDelta, AdaGrad, RMSProp
from service.learning.optimisers.modifiers import (
    AccumGrad,
    ClipGlobalNorm,
    ClipGrad,
    ClipNorm,
    OptimiserChain,
    SignDecay,
    WeightDecay,
)
from service.learning.optimisers.muon import Muon
from service.learning.optimisers.optimiser import Optimiser, RuleState, square
from service.learning.optimisers.plain import Descent, Momentum, Nesterov
from service.learning.optimisers.rule import BLOCK, OPTIMISERS, Apply, Block, Recurrence, Rule, Scope, average
from service.learning.optimisers.second_order import LBFGS, LevenbergMarquardt, decay_of, second_order_rule
from service.learning.optimisers.signs import Lion, Rprop

__all__ = [
    "BLOCK",
    "LBFGS",
    "OPTIMISERS",
    "AMSGrad",
    "AccumGrad",
    "AdaBelief",
    "AdaDelta",
    "AdaGrad",
    "AdaMax",
    "Adam",
    "AdamW",
    "Apply",
    "Block",
    "ClipGlobalNorm",
    "ClipGrad",
    "ClipNorm",
    "Descent",
    "LevenbergMarquardt",
    "Lion",
    "Moments",
    "Momentum",
    "Muon",
    "NAdam",
    "Nesterov",
    "OAdam",
    "Optimiser",
    "OptimiserChain",
    "RAdam",
    "RMSProp",
    "Recurrence",
    "Rprop",
    "Rule",
    "RuleState",
    "Scope",
    "SignDecay",
    "WeightDecay",
    "average",
    "decay_of",
    "second_order_rule",
    "square",
]
