"""Losses and activations that clients write: `mean(abs2(ŷ - y))`, `x * sigmoid(x)`.

Parsed by our own reader, never evaluated as Python; differentiated in reverse mode. All is elementwise over rows ×
outputs but sum, mean (of everything, or of each row with dims=1), softmax and logsoftmax (of each row).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from service.learning.activations import ACTIVATIONS, Activate, Activation, PullBack
from service.learning.expression_parser import Call, ExpressionError, Tree, parse
from service.learning.expression_program import Compiler, Program, Shape, Value
from service.learning.expression_run import Run
from service.learning.loss import LOSSES, Evaluate, Loss, Total
from service.learning.vocabulary import TermError

__all__ = ["ExpressionActivation", "ExpressionError", "ExpressionLoss", "compile_activation", "compile_loss"]

Array = NDArray[Any]
