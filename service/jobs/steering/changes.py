"""Changes of a job on its way: what clients may wish, and what has taken hold."""

from sqlalchemy.orm import Session

from service.errors import Conflict, invalid
from service.jobs import records
from service.jobs.log import records as log
from service.jobs.log.records import Happening
from service.jobs.records import JobRecord
from service.jobs.states import END_IN_WORDS, ENDED, Asked, State, Wish
from service.learning.optimisers import second_order_rule
from service.learning.planning.advice import Advice
from service.learning.training.changes import Change
from service.learning.training.events import BackedOff, Refit
from service.learning.training.recipe import RecipeError, check_frozen, check_rate
from service.models import records as models
from service.models.trained_network import network_of


def change(session: Session, job: str, wish: Wish, priority: int | None) -> JobRecord:
    """Note the changes that a client wishes; the job's worker makes them at the next batch.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended, is about to, or trains another one again; or a rate is wished where steps have none.
        Invalid: its rule has no rate, or its network has no such layers.
    """
    record = records.find(session, job, lock=True)
    if wish != Wish() or priority is not None:
        _check_state(record)
    if wish != Wish():
        _check(session, record, wish)
        record.pending = _joined(record.pending, wish)
        detail = f"A client asked for {_in_words(wish)}."
        log.add(session, job, Happening.ASKED, detail, epoch=record.epochs_done)
    if priority is not None:
        record.priority = priority
    return record


def _check_state(record: JobRecord) -> None:
    if record.state in ENDED:
        ended = f"Job {record.id} {END_IN_WORDS[State(record.state)]}"
        detail = f"{ended}: only queued, running and paused jobs can be changed."
        raise Conflict(detail, "job_ended")
    if record.asked in (Asked.CANCEL, Asked.STOP):
        detail = f"A client asked to {record.asked} job {record.id}: it takes no changes any more."
        raise Conflict(detail, f"asked_to_{record.asked}")


def _check(session: Session, record: JobRecord, wish: Wish) -> None:
    if record.verifies is not None:
        detail = f"Job {record.id} trains job {record.verifies} again, change by change: it takes none of its own."
        raise Conflict(detail, "verifies")
    recipe = record.recipe.to_learning()
    rule = second_order_rule(recipe.optimiser)
    if wish.rate is not None and rule is not None:
        detail = f"Job {record.id} trains by {rule.name}, which finds the length of each step itself and has no rate."
        raise Conflict(detail, "no_rate")
    try:
        network = network_of(models.find(session, record.model_id))
        if wish.rate is not None:
            check_rate(recipe, wish.rate, network.dtype)
        if wish.frozen is not None:
            check_frozen(recipe, network, wish.frozen)
    except RecipeError as error:
        place = "rate" if wish.rate is not None and not error.field.startswith("frozen") else error.field
        raise invalid(f"#/{place}", f"{error.field} {error.message}", f"impossible_{place.partition('/')[0]}") from None


def _joined(earlier: Wish | None, later: Wish) -> Wish:
    if earlier is None:
        return later
    return Wish(
        earlier.rate if later.rate is None else later.rate, earlier.frozen if later.frozen is None else later.frozen
    )


def write_entry(session: Session, job: str, entry: Change | BackedOff | Refit) -> None:
    """Write into the log what has taken hold in a training, and take it from what is wished."""
    if isinstance(entry, BackedOff):
        rate = "" if entry.rate is None else f" with the rate {entry.rate:g}"
        detail = f"{entry.detail[:1].upper()}{entry.detail[1:]}: it goes on from the parameters of epoch "
        log.add(session, job, Happening.BACKED_OFF, f"{detail}{entry.from_epoch}{rate}.", epoch=entry.epoch)
        return
    if isinstance(entry, Refit):
        event, detail = _told_of_refit(entry)
        if not log.count(session, job, event):  # a worker that was lost may have written it
            log.add(session, job, event, detail, epoch=entry.epoch)
        return
    record = records.find(session, job, lock=True)
    size = record.recipe.batch_size
    place = {"epoch": entry.place.epoch, "batch": 0 if size is None else entry.place.position // size}
    for number, (event, detail) in enumerate(_told(entry)):
        log.add(session, job, event, detail, **place, change=None if number else entry)
    record.pending = _left(record.pending, entry)
    if entry.rate is not None and record.recipe.schedule is not None:
        record.advice = [*(each for each in record.advice if each.code != "schedule_replaced"), _replaced(entry)]


def _told_of_refit(entry: Refit) -> tuple[Happening, str]:
    if entry.reason is not None:
        return Happening.REFIT_DROPPED, f"The parameters of epoch {entry.best} stay: {entry.reason}."
    epochs = "1 epoch" if entry.best == 1 else f"{entry.best:,} epochs"
    return Happening.REFIT_BEGUN, f"All {entry.rows:,} rows train anew, for {epochs}, as many as were best."


def _told(change: Change) -> list[tuple[Happening, str]]:
    told = []
    if change.rate is not None:
        told.append((Happening.RATE_CHANGED, f"The rate is {change.rate:g} from here on."))
    if change.frozen is not None:
        which = ", ".join(change.frozen)
        told.append((Happening.FROZEN_CHANGED, f"{which} rest from here on." if which else "All layers train again."))
    if change.stop is not None:
        why = "a client asked" if change.stop == "stop" else "its max_seconds are over"
        told.append((Happening.STOPPED, f"The training ends here: {why}."))
    return told


def _left(pending: Wish | None, made: Change) -> Wish | None:
    """Return what is still wished once a change was made; a client may have asked for something else meanwhile."""
    if pending is None:
        return None
    left = Wish(
        None if pending.rate == made.rate else pending.rate, None if pending.frozen == made.frozen else pending.frozen
    )
    return None if left == Wish() else left


def _replaced(change: Change) -> Advice:
    detail = f"From epoch {change.place.epoch} on the rate {change.rate:g} that a client set replaces the schedule."
    return Advice("schedule_replaced", detail, "#/schedule")


def _in_words(wish: Wish) -> str:
    words = [] if wish.rate is None else [f"the rate {wish.rate:g}"]
    if wish.frozen is not None:
        words.append(f"{', '.join(wish.frozen)} to rest" if wish.frozen else "all layers to train")
    return " and ".join(words)
