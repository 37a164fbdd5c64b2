"""The rules of steering: moves of a job that clients ask for."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.errors import Conflict
from service.jobs import queue, records
from service.jobs.log import records as log
from service.jobs.log.records import Happening
from service.jobs.records import JobRecord
from service.jobs.states import END_IN_WORDS, ENDED, MOVES, UNENDED, Asked, Standing, State, Verb

PAST = {Verb.CANCEL: "cancelled", Verb.STOP: "stopped", Verb.PAUSE: "paused", Verb.RESUME: "resumed"}


def ask(session: Session, job: str, verb: Verb) -> JobRecord:
    """Move a job as a client asks: at once where no worker has it, else at the worker's next beat. Idempotent.

    Raises:
        NotFound: there is no such job.
        Conflict: the table of moves has none from where the job stands, or there is nothing yet that `stop` could keep.
    """
    record = records.find(session, job, lock=True)
    standing = standing_of(record)
    if verb is Verb.STOP and record.ended_by == "stop":
        return record
    after = MOVES.get(standing, {}).get(verb)
    if after is None:
        raise _conflict(job, standing, verb)
    if verb is Verb.STOP and record.verifies is not None:
        detail = f"Job {job} trains job {record.verifies} again, to the end: it can be cancelled or paused."
        raise Conflict(detail, "verifies")
    if verb is Verb.STOP and record.started_at is None:
        raise Conflict(
            f"Job {job} is {record.state} and has not begun: there is nothing to keep. It can be cancelled.",
            "nothing_to_keep",
        )
    if after != standing:
        _move(session, record, after, verb)
    return record


def standing_of(record: JobRecord) -> Standing:
    return Standing(State(record.state), None if record.asked is None else Asked(record.asked))


def _move(session: Session, record: JobRecord, after: Standing, verb: Verb) -> None:
    place = {"epoch": record.epochs_done}
    event = Happening.RESUMED if verb is Verb.RESUME else Happening.ASKED
    detail = "A client let the job go on." if verb is Verb.RESUME else f"A client asked to {verb} the job."
    log.add(session, record.id, event, detail, **place)
    if after.state in ENDED:
        queue.end(session, record, after.state)
        return
    if after.state is State.PAUSED:
        log.add(session, record.id, Happening.PAUSED, "The job rests.", **place)
        record.yielded_at = None
    record.state, record.asked = after


def _conflict(job: str, standing: Standing, verb: Verb) -> Conflict:
    if standing.state in ENDED:
        allowed = _listed(UNENDED, "and")
        detail = f"Job {job} {END_IN_WORDS[standing.state]}: only {allowed} jobs can be {PAST[verb]}."
        return Conflict(detail, "job_ended")
    verbs = _listed(list(MOVES[standing]), "or")
    detail = f"Job {job} is {standing.state}, and a client asked to {standing.asked} it: now one can {verbs} it."
    return Conflict(detail, f"asked_to_{standing.asked}")


def _listed(words: Sequence[State | Verb], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
