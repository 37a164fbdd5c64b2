"""The levels of confidence that a request asks for."""

from typing import NamedTuple

from service.predictions.schemas import NewPrediction


class Levels(NamedTuple):
    """The chances with which intervals and sets are to hold the true values; None where none are asked for."""

    interval: float | None = None
    sets: float | None = None
    way: str | None = None
    """The method of the interval, where one is named."""


NONE_ASKED = Levels()


def levels_of(new: NewPrediction) -> Levels:
    """Return what a description asks of confidence."""
    way = new.method if "method" in new.model_fields_set else None
    return Levels(new.interval or None, new.sets or None, way)
