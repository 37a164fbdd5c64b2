"""The meanings of the parameters of terms, in words; the formula of a term uses the same letters."""

from dataclasses import Field
from typing import Any

from service.learning.initialisations import Init
from service.learning.layers import Layer
from service.learning.layers.activations import Activation
from service.learning.losses import Loss
from service.learning.optimisers import Rule
from service.learning.schedules import Schedule
from service.learning.terms import Term, wire_name

MEANINGS: dict[type[Term], dict[str, str]] = {
    Activation: {
        "a": "a: the slope below 0",
        "alpha": "α: the scale below 0",
        "lambda": "λ: inputs nearer to 0 become 0",
        "theta": "θ: inputs below it become 0",
        "expression": "a formula of x",
    },
    Init: {
        "gain": "a factor for all numbers that are drawn",
        "shift": "places by which the diagonal is moved",
        "sparsity": "the share of the weights of each input that are 0",
        "mean": "the mean of the normal distribution",
        "std": "the standard deviation of the normal distribution",
        "lo": "the least number",
        "hi": "the largest number",
    },
    Layer: {
        "in": "the number of inputs",
        "out": "the number of outputs",
        "size": "the number of inputs, and of outputs",
        "activation": "σ: the function of each output, by default none",
        "bias": "whether numbers are added to the outputs, from 0 on; or these numbers",
        "init": "the distribution that W is drawn from",
        "layers": "the layers inside, in order",
        "layer": "the layer inside",
        "connection": "`+` adds branches up, `vcat` puts them side by side",
        "p": "p: the share of inputs that become 0 in training",
        "affine": "whether a scale and a bias are learnt for each output",
        "eps": "ϵ: added to the variance, so that nothing is divided by 0",
        "momentum": "the share of the newest batch in the running statistics",
    },
    Loss: {
        "agg": "`mean` or `sum` of the values of all rows",
        "eps": "ϵ: keeps logarithms finite; null: the precision of the dtype",
        "gamma": "γ: larger values count easy rows less",
        "delta": "δ: the distance from which on errors count in proportion, not squared",
        "margin": "the distance from which on unlike pairs cost nothing",
        "smooth": "added above and below the fraction, so that nothing is divided by 0",
        "beta": "β: the weight of false positives; that of false negatives is 1 - β",
        "expression": "a formula of ŷ and y",
    },
    Rule: {
        "eta": "η: the rate, by which steps are scaled",
        "damping": "μ: larger values make the first steps shorter, and more like those of Descent",
        "up": "what the damping is multiplied by where a step does not hold what it promised",
        "down": "what the damping is multiplied by where a step does",
        "memory": "the steps that the curvature is made from",
        "opt": "the rule for all other arrays",
        "mu": "μ: the share of the past in the running average of gradients",
        "rho": "ρ: the share of the past in each step or running average",
        "beta": "β₁ and β₂: the shares of the past in the running averages of gradients and of their squares",
        "epsilon": "ε: added to what is divided by, so that it is never 0",
        "lambda": "λ: the strength with which parameters are drawn towards 0",
        "couple": "whether the rate scales the decay of parameters, too",
        "centred": "whether gradients are scaled by their variance, not their mean square",
        "ell": "ℓ₁ and ℓ₂: the factors by which a parameter's rate shrinks and grows",
        "gamma": "γ₁ and γ₂: the least and the largest rate of a parameter",
        "delta": "δ: the largest absolute value of each element of a gradient",
        "omega": "ω: the largest norm of a gradient",
        "p": "p: the order of the norm, 2 for that of Euclid",
        "n": "n: the number of gradients whose mean makes one step",
        "rules": "the rules, in the order in which the gradient goes through them",
    },
    Schedule: {
        "per": "the unit of t: epochs, or steps of the optimiser",
        "value": "the rate",
        "start": "the rate that it begins with",
        "decay": "the factor, or the speed, by which the rate falls",
        "degree": "the exponent",
        "step_sizes": "the lengths of the steps, in the unit of t",
        "max_iter": "the time at which the rate is 0",
        "l0": "l0: one end of the range of rates",
        "l1": "l1: the other end of the range of rates",
        "period": "the length of a cycle, in the unit of t",
        "restart": "whether the rate jumps back when a cycle ends, or climbs back in the next",
        "cycle": "the schedule that is repeated",
        "schedules": "the schedules, one after the other",
        "length": "the length of the warm-up, in the unit of t",
        "then": "the schedule after the warm-up",
        "patience": "epochs in a row without a lower loss that make the rate fall",
        "min_change": "a loss that falls by no more than this does not count as lower",
        "least": "the rate below which it never falls",
    },
}
"""By kind and name on the wire. A field of a term of one's own may have `metadata={"description": "..."}` instead."""


def meaning_of(term: type[Term], field: Field[Any]) -> str:
    """Return the meaning of a term's parameter; its own description comes first."""
    own = field.metadata.get("description")
    if own:
        return str(own)
    known = next(meanings for kind, meanings in MEANINGS.items() if issubclass(term, kind))
    name = wire_name(field.name)
    return known.get(name, f"{name} of the formula")
