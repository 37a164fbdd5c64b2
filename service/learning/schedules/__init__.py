"""Schedules of rates."""

from service.learning.schedules.compositions import Loop, Sequence, WarmUp
from service.learning.schedules.cyclic import (
    CosAnneal,
    Cycle,
    Sin,
    SinDecay2,
    SinExp,
    Triangle,
    TriangleDecay2,
    TriangleExp,
)
from service.learning.schedules.decays import Constant, Exp, Inv, Poly, Step
from service.learning.schedules.plateau import Plateau
from service.learning.schedules.schedule import SCHEDULES, Schedule

__all__ = [
    "SCHEDULES",
    "Constant",
    "CosAnneal",
    "Cycle",
    "Exp",
    "Inv",
    "Loop",
    "Plateau",
    "Poly",
    "Schedule",
    "Sequence",
    "Sin",
    "SinDecay2",
    "SinExp",
    "Step",
    "Triangle",
    "TriangleDecay2",
    "TriangleExp",
    "WarmUp",
]
