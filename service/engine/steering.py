"""Wishes of clients about a training at work, made to take hold between two of its steps."""

from service.engine.ledger import Ledger
from service.jobs.states import Asked
from service.learning.training.events import EpochReport, Progress
from service.learning.training.training import Training


def steer(ledger: Ledger, training: Training) -> bool:
    """Make the wished changes; return whether the job is to leave this worker at its present place.

    Where an earlier worker has reported epochs beyond that place, these come first: no change can take hold before what
    has been told already.
    """
    if ledger.asked in (Asked.CANCEL, Asked.PAUSE):
        return True
    if ledger.yields and ledger.asked is None:
        return True
    if not ledger.caught_up or training.place is None:
        return False
    if (wish := ledger.pending) is not None:
        ledger.record(training.change(rate=wish.rate, frozen=wish.frozen))
    if ledger.asked == Asked.STOP or ledger.time_is_over:
        stopped = training.stop("stop" if ledger.asked == Asked.STOP else "max_seconds")
        if stopped is not None:
            ledger.record(stopped)
    return False


def rests(ledger: Ledger, training: Training, event: EpochReport | Progress) -> bool:
    """Whether the job has come to the epoch after which it rests."""
    rung = ledger.rest_after
    at_rung = rung is not None and isinstance(event, EpochReport) and rung <= event.epoch < training.recipe.epochs
    return at_rung and ledger.asked is None
