"""Messages to workers. A message names no job: the worker that gets it takes the best one that waits at that moment."""

from service.engine.run_job import take, train
from service.engine.workspace import Place, Workspace, workspace_at
from service.jobs import queue


def run_ticket(ticket: str, by_turns: bool, place: Place) -> None:
    """Claim a job, where wished as submitters take turns, train, and write its end; do nothing where none waits."""
    work_with(workspace_at(place), ticket, by_turns=by_turns)


def work_with(workspace: Workspace, ticket: str, *, by_turns: bool = False) -> None:
    """The same, given the workspace.

    A ticket that comes again, because its worker died, takes over what it had claimed.
    """
    with workspace.database.transaction() as session:
        job = next(iter(queue.claimed_by(session, [ticket])), None) or queue.best(session, by_turns=by_turns)
        claim = None if job is None else take(session, job, ticket)
    if claim is not None:
        train(workspace, claim)
