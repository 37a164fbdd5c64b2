"""The judgement whether messages to workers still lead to claims."""

from collections.abc import Callable

import pytest

from service.engine.watchdog import PATIENCE, Watchdog


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass for the watchdog."""
    now = [0.0]
    monkeypatch.setattr("service.engine.watchdog.time.monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


Wait = Callable[[float], None]


def test_messages_that_no_free_worker_claims_mean_a_stuck_cluster(wait: Wait) -> None:
    dog = Watchdog()
    assert not dog.is_stuck(["a", "b"], ["a"], workers=2, slots=2, waiting=True)
    wait(PATIENCE - 1)
    assert not dog.is_stuck(["a", "b", "c"], ["a"], workers=2, slots=2, waiting=True)
    wait(1)
    assert dog.is_stuck(["a", "b", "c"], ["a"], workers=2, slots=2, waiting=True)


def test_messages_wait_as_long_as_all_workers_have_one(wait: Wait) -> None:
    dog = Watchdog()
    for _ in range(5):
        assert not dog.is_stuck(["a", "b", "c"], ["a", "b"], workers=2, slots=2, waiting=True)
        wait(PATIENCE)


@pytest.mark.parametrize(("out", "claimed"), [(["b", "c"], []), (["a", "b"], ["b"])], ids=["came back", "was claimed"])
def test_a_message_that_comes_back_or_is_claimed_shows_life(wait: Wait, out: list[str], claimed: list[str]) -> None:
    dog = Watchdog()
    dog.is_stuck(["a", "b"], [], workers=2, slots=2, waiting=True)
    wait(PATIENCE)
    assert not dog.is_stuck(out, claimed, workers=2, slots=2, waiting=True)
    wait(PATIENCE - 1)
    assert not dog.is_stuck(out, claimed, workers=2, slots=2, waiting=True)


def test_workers_that_do_not_come_again_mean_a_stuck_cluster(wait: Wait) -> None:
    dog = Watchdog()
    assert not dog.is_stuck([], [], workers=1, slots=2, waiting=False)
    wait(PATIENCE)
    assert dog.is_stuck([], [], workers=1, slots=2, waiting=False)


@pytest.mark.parametrize("waiting", [False, True])
def test_a_missing_worker_is_replaced_under_any_stream_of_jobs(wait: Wait, waiting: bool) -> None:
    dog = Watchdog()
    for second in range(int(PATIENCE)):
        assert not dog.is_stuck([f"{second}", "next"], [f"{second}"], workers=1, slots=2, waiting=waiting)
        wait(1)
    assert dog.is_stuck(["last", "next"], ["last"], workers=1, slots=2, waiting=waiting)
    dog.replaced()  # in vain
    for second in range(2 * int(PATIENCE)):
        assert not dog.is_stuck([f"{second}", "next"], [f"{second}"], workers=1, slots=2, waiting=waiting)
        wait(1)
    assert dog.is_stuck(["last", "next"], ["last"], workers=1, slots=2, waiting=waiting)


def test_a_job_that_is_long_alone_at_work_is_disturbed_for_others_alone(wait: Wait) -> None:
    dog = Watchdog()
    for _ in range(5):
        assert not dog.is_stuck(["a"], ["a"], workers=1, slots=2, waiting=False)
        wait(PATIENCE)
    assert dog.is_stuck(["a"], ["a"], workers=1, slots=2, waiting=True)


def test_workers_that_die_and_come_again_are_no_missing_ones(wait: Wait) -> None:
    dog = Watchdog()
    for workers in (1, 2, 1, 2):
        assert not dog.is_stuck([], [], workers=workers, slots=3, waiting=False)
        wait(PATIENCE - 1)


def test_each_replacement_in_vain_doubles_the_patience(wait: Wait) -> None:
    dog = Watchdog()
    dog.replaced()
    dog.is_stuck(["a"], [], workers=1, slots=1, waiting=True)
    wait(PATIENCE)
    assert not dog.is_stuck(["a"], [], workers=1, slots=1, waiting=True)
    wait(PATIENCE)
    assert dog.is_stuck(["a"], [], workers=1, slots=1, waiting=True)
