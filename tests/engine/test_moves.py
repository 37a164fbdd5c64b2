"""The table of moves: every request to a job in every standing, and requests that race."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from service.database.database import Database
from service.engine.workspace import Workspace
from service.errors import Conflict
from service.jobs import queue, records
from service.jobs.log import records as log
from service.jobs.records import JobRecord
from service.jobs.states import ENDED, MOVES, WITHOUT_WORKER, Asked, Standing, State, Verb
from service.jobs.steering import verbs

Post = Callable[..., str]

STANDINGS = [*MOVES, Standing(State.SUCCEEDED), Standing(State.FAILED)]


def put(workspace: Workspace, job: str, standing: Standing) -> None:
    """Bring a fresh job to a standing, as its life would."""
    with workspace.database.transaction() as session:
        record = records.find(session, job)
        if standing.state in ENDED:
            queue.end(session, record, standing.state)
            return
        record.started_at = record.created_at
        record.state, record.asked = standing


def standing_of(workspace: Workspace, job: str) -> Standing:
    with workspace.database.reading() as session:
        return verbs.standing_of(records.find(session, job))


def ask(database: Database, job: str, verb: Verb) -> JobRecord:
    with database.transaction() as session:
        return verbs.ask(session, job, verb)


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("standing", STANDINGS, ids=lambda each: "-".join(filter(None, each)))
def test_every_request_moves_a_job_as_the_table_says(
    workspace: Workspace, post: Post, standing: Standing, verb: Verb
) -> None:
    job = post()
    put(workspace, job, standing)
    after = MOVES.get(standing, {}).get(verb)
    if after is None:
        with pytest.raises(Conflict, match=standing.state):
            ask(workspace.database, job, verb)
        assert standing_of(workspace, job) == standing
        return
    ask(workspace.database, job, verb)
    assert standing_of(workspace, job) == after
    ask(workspace.database, job, verb)
    assert standing_of(workspace, job) == after


def test_the_table_has_every_standing_of_a_job_that_has_not_ended() -> None:
    assert {each.state for each in MOVES} >= set(State) - set(ENDED)
    assert {each for moves in MOVES.values() for each in moves.values()} <= MOVES.keys()
    assert set(WITHOUT_WORKER.values()) <= MOVES.keys()
    assert {each.asked for each in MOVES if each.state is State.RUNNING} == {None, *Asked}


@pytest.mark.parametrize("asked", WITHOUT_WORKER, ids=str)
def test_a_job_that_loses_its_worker_stands_where_it_was_asked_to(
    workspace: Workspace, post: Post, asked: Asked | None
) -> None:
    job = post()
    with workspace.database.transaction() as session:
        queue.claim(session, job, "a")
        records.find(session, job).asked = asked
    with workspace.database.transaction() as session:
        assert queue.lose(session, "a", None)
    assert standing_of(workspace, job) == WITHOUT_WORKER[asked]


def test_two_services_that_ask_at_once_agree_on_the_outcome(workspace: Workspace, post: Post) -> None:
    other = Database(str(workspace.database.url))
    start = Barrier(2)
    refused: list[Conflict] = []

    def race(database: Database, job: str, verb: Verb) -> None:
        start.wait()
        try:
            ask(database, job, verb)
        except Conflict as error:
            refused.append(error)

    for _ in range(20):
        job = post()
        put(workspace, job, Standing(State.PAUSED))
        racers = [
            Thread(target=race, args=(workspace.database, job, Verb.RESUME)),
            Thread(target=race, args=(other, job, Verb.CANCEL)),
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert standing_of(workspace, job) == Standing(State.CANCELLED)
    other.close()
    assert all(error.code == "job_ended" for error in refused)


def test_the_log_tells_the_moves_in_their_order(workspace: Workspace, post: Post) -> None:
    job = post()
    for verb in (Verb.PAUSE, Verb.PAUSE, Verb.RESUME, Verb.CANCEL):
        ask(workspace.database, job, verb)
    with workspace.database.reading() as session:
        entries = log.page(session, job, 0, 10)
    assert [entry.event for entry in entries] == ["asked", "paused", "resumed", "asked"]
    assert "pause" in entries[0].detail
    assert "cancel" in entries[3].detail
