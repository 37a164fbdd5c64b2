"""Nobody comes in who may not: some hundred attempts over a socket, of every kind; `make break-in` makes 10,000."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from tests.access.burglar import Burglar
from tests.access.house import GOOD, REPLAY, House, keys_in, succeeded
from tests.support.serving import RunningService, running_service

ATTEMPTS = 260


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, RunningService]]:
    folder = tmp_path_factory.mktemp("house")
    keys = keys_in(folder)
    with running_service(folder) as service:
        house = House(service.url, keys)
        house.furnish()
        yield house, service


def test_no_attempt_of_any_kind_comes_in(house: tuple[House, RunningService]) -> None:
    kinds = Counter[str]()
    for attempt in islice(Burglar(house[0], seed=7).attempts(), ATTEMPTS):
        status, answer = house[0].send(attempt)
        assert not succeeded(attempt, status, answer), (attempt, answer[:500])
        kinds[attempt.kind] += 1
    assert len(kinds) > 15
    assert "Traceback" not in house[1].log


def test_good_keys_still_open_and_replay_their_own_answers_alone(house: tuple[House, RunningService]) -> None:
    again = {"architecture": "Dense(1 => 1)", "labels": {"mark": "okapi"}}
    answers = {}
    for name in ("ada", "ben"):
        with house[0].client(name) as http:
            answers[name] = http.post("/api/models", json=again, headers={"Idempotency-Key": REPLAY})
    assert answers["ada"].headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in answers["ben"].headers
    assert answers["ada"].json()["id"] != answers["ben"].json()["id"]
    for name in GOOD:
        with house[0].client(name) as http:
            assert http.get("/metrics" if name == "meter" else "/api/models").status_code == 200
