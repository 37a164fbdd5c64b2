"""Messages to workers. A message names no job: the worker that gets it takes the best one that waits at that moment.

Of very short ones it takes several, so that they share the message, and the transactions of claims and ends.
"""

from dataclasses import replace

from service.engine.ends.ending import Together
from service.engine.run_job import take, train, work_on
from service.engine.workspace import Place, Workspace, workspace_at
from service.jobs import queue
from service.jobs.queue import order


def run_ticket(ticket: str, by_turns: bool, workers: int, place: Place) -> None:
    """Claim a job, where wished as submitters take turns, train, and write its end; do nothing where none waits.

    Short jobs are shared among so many workers.
    """
    work_with(workspace_at(place), ticket, by_turns=by_turns, workers=workers)


def work_with(workspace: Workspace, ticket: str, *, by_turns: bool = False, workers: int = 1) -> None:
    """The same, given the workspace.

    A ticket that comes again, because its worker died, takes over what it had claimed.
    """
    with workspace.database.transaction() as session:
        before = list(queue.claimed_by(session, [ticket]))
        jobs = [] if before else order.best_few(session, by_turns=by_turns, workers=workers)
        claims = [claim for job in jobs if (claim := take(session, job, ticket)) is not None]
    for job in before:
        work_on(workspace, job, ticket)
    if len(claims) == 1:
        train(workspace, claims[0])
    elif claims:
        together = Together(workspace.database, [claim.record.id for claim in claims])
        for claim in claims:
            if together.begin(claim.record.id):
                train(replace(workspace, together=together), claim)
        together.write()
