"""Messages to workers. A message names no job: the worker that gets it takes the best one that waits at that moment.

Of very short ones it takes several, so that they share the transactions of claims and ends; and with the same message
it goes on to the next ones, for which it waits a moment.
"""

import time
from dataclasses import replace
from itertools import count

from service.database.database import Database
from service.engine.ends.ending import Together
from service.engine.ends.results import is_part
from service.engine.run_job import take, train, work_on
from service.engine.workspace import Place, Workspace, workspace_at
from service.errors import Unavailable
from service.jobs import queue
from service.jobs.queue import order

LONGEST = 1.0
"""Seconds after which a message leads to no further claim: the service learns much from its end."""
MOMENT = 0.1
"""Seconds that a worker waits for the next job: a message costs as much processor time as hundreds of looks."""
LOOK = 0.005
"""Seconds between these looks."""
LEAST_AGE = 2
"""One claim in so many, or in as many as there are workers if these are more, goes by the turns of submitters, and the
others by age: names are not checked, and whoever makes up many gets no more than that."""


def run_ticket(ticket: str, number: int, workers: int, place: Place) -> None:
    """Claim a job, train, and write its end, then the next; return where none waits.

    The claims are counted from the number of the ticket on. Short jobs are shared among so many workers.
    """
    workspace, until = workspace_at(place), time.monotonic() + LONGEST
    for claim in count(number):
        goes_on = work_with(workspace, ticket, by_turns=goes_by_turns(claim, workers), workers=workers)
        if not goes_on or time.monotonic() > until:
            return
        try:
            if not _another_waits(workspace.database):
                return
        except Unavailable:  # what this message was for is done
            return


def goes_by_turns(claim: int, workers: int) -> bool:
    """Whether the claim of this number takes the job of the submitter whose turn it is, not the oldest one."""
    return claim % max(workers, LEAST_AGE) == 0


def _another_waits(database: Database) -> bool:
    """Whether a job waits, now or in a moment; where looks are cheap, as they are in SQLite alone."""
    until = time.monotonic() + MOMENT
    while not queue.count_waiting(database, 1):
        if not database.on_sqlite or time.monotonic() > until:
            return False
        time.sleep(LOOK)
    return True


def work_with(workspace: Workspace, ticket: str, *, by_turns: bool = False, workers: int = 1) -> bool:
    """The same for what is claimed at once; return whether this message may lead to further claims.

    A ticket that comes again, because its worker died, takes over what it had claimed. The end of a part of a greater
    whole is to be told at once: what comes next is decided then.
    """
    if before := list(queue.claimed_by(workspace.database, [ticket])):
        for job in before:
            work_on(workspace, job, ticket)
        return False
    with workspace.beats.transaction() as session:  # a claim that a power failure takes back was never made
        jobs = order.best_few(session, by_turns=by_turns, workers=workers)
        claims = [claim for job in jobs if (claim := take(session, job, ticket)) is not None]
    if len(claims) == 1:
        train(workspace, claims[0])
    elif claims:
        together = Together(workspace.database, [claim.record.id for claim in claims])
        for claim in claims:
            if together.begin(claim.record.id):
                train(replace(workspace, together=together), claim)
        together.write()
    return bool(claims) and not any(is_part(claim.record) for claim in claims)
