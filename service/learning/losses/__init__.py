"""Losses, each a function of outputs and targets with its gradient."""

from service.learning.losses.classification import (
    BinaryCrossEntropy,
    BinaryFocalLoss,
    CrossEntropy,
    Focal,
    FocalLoss,
    KLDivergence,
)
from service.learning.losses.logits import LogitBinaryCrossEntropy, LogitCrossEntropy
from service.learning.losses.loss import (
    LOSSES,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITIES,
    SIGNS,
    Agg,
    AggregatedLoss,
    Domain,
    Evaluate,
    Link,
    Loss,
    Total,
    WholeLoss,
    WholeTotal,
    column_roots,
    relative,
)
from service.learning.losses.margins import HingeLoss, SiameseContrastiveLoss, SquaredHingeLoss
from service.learning.losses.regression import MAE, MSE, MSLE, HuberLoss, PoissonLoss
from service.learning.losses.segmentation import DiceCoeffLoss, TverskyLoss

__all__ = [
    "LOSSES",
    "MAE",
    "MSE",
    "MSLE",
    "NOT_NEGATIVE",
    "POSITIVE",
    "PROBABILITIES",
    "SIGNS",
    "Agg",
    "AggregatedLoss",
    "BinaryCrossEntropy",
    "BinaryFocalLoss",
    "CrossEntropy",
    "DiceCoeffLoss",
    "Domain",
    "Evaluate",
    "Focal",
    "FocalLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivergence",
    "Link",
    "LogitBinaryCrossEntropy",
    "LogitCrossEntropy",
    "Loss",
    "PoissonLoss",
    "SiameseContrastiveLoss",
    "SquaredHingeLoss",
    "Total",
    "TverskyLoss",
    "WholeLoss",
    "WholeTotal",
    "column_roots",
    "relative",
]
