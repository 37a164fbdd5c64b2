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
    assert not dog.is_stuck(["a", "b"], ["a"], workers=2, slots=2)
    wait(PATIENCE - 1)
    assert not dog.is_stuck(["a", "b", "c"], ["a"], workers=2, slots=2)
    wait(1)
    assert dog.is_stuck(["a", "b", "c"], ["a"], workers=2, slots=2)


def test_messages_wait_as_long_as_all_workers_have_one(wait: Wait) -> None:
    dog = Watchdog()
    for _ in range(5):
        assert not dog.is_stuck(["a", "b", "c"], ["a", "b"], workers=2, slots=2)
        wait(PATIENCE)


@pytest.mark.parametrize(("out", "claimed"), [(["b", "c"], []), (["a", "b"], ["b"])], ids=["came back", "was claimed"])
def test_a_message_that_comes_back_or_is_claimed_shows_life(wait: Wait, out: list[str], claimed: list[str]) -> None:
    dog = Watchdog()
    dog.is_stuck(["a", "b"], [], workers=2, slots=2)
    wait(PATIENCE)
    assert not dog.is_stuck(out, claimed, workers=2, slots=2)
    wait(PATIENCE - 1)
    assert not dog.is_stuck(out, claimed, workers=2, slots=2)


def test_workers_that_do_not_come_again_mean_a_stuck_cluster(wait: Wait) -> None:
    dog = Watchdog()
    assert not dog.is_stuck([], [], workers=1, slots=2)
    wait(PATIENCE)
    assert dog.is_stuck([], [], workers=1, slots=2)


def test_each_replacement_in_vain_doubles_the_patience(wait: Wait) -> None:
    dog = Watchdog()
    dog.replaced()
    dog.is_stuck(["a"], [], workers=1, slots=1)
    wait(PATIENCE)
    assert not dog.is_stuck(["a"], [], workers=1, slots=1)
    wait(PATIENCE)
    assert dog.is_stuck(["a"], [], workers=1, slots=1)
