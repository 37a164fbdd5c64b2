"""Formulas that clients write, as losses and activations."""

from service.learning.expressions.compiler import Compiler
from service.learning.expressions.forms import compile_activation, compile_loss
from service.learning.expressions.functions import ALIASES, CONSTANTS, FUNCTIONS, ROW_FUNCTIONS
from service.learning.expressions.parser import MAX_LENGTH, Call, Name, Number, Tree, parse
from service.learning.expressions.run import Run
from service.learning.expressions.terms import ExpressionActivation, ExpressionLoss, formulas_in

__all__ = [
    "ALIASES",
    "CONSTANTS",
    "FUNCTIONS",
    "MAX_LENGTH",
    "ROW_FUNCTIONS",
    "Call",
    "Compiler",
    "ExpressionActivation",
    "ExpressionLoss",
    "Name",
    "Number",
    "Run",
    "Tree",
    "compile_activation",
    "compile_loss",
    "formulas_in",
    "parse",
]
