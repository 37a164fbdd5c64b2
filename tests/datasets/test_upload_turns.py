"""Large uploads that arrive while the most that may be read at once are being read."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.datasets.ingest.upload import LISTED_FROM
from service.errors import Unavailable
from service.resources import Turns
from tests.support.applications import application
from tests.support.databases import database_in
from tests.support.datasets.uploading import CSV, HEADER, lines

READ = "datasets are being read"
LARGE = HEADER + lines(LISTED_FROM // 5)


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    """The real application without an engine; all its turns are taken."""
    with closing(database_in(tmp_path)) as database:
        app = application(tmp_path, database, upload_turns=Turns(0, 0.05, READ))
        yield TestClient(app, "http://localhost")


@pytest.mark.parametrize("body", [LARGE, iter([HEADER, lines(3)])], ids=["large", "of unknown size"])
def test_an_upload_without_a_turn_is_503_and_leaves_nothing(http: TestClient, tmp_path: Path, body: Any) -> None:
    answer = http.post("/api/datasets?targets=y&name=late", content=body, headers={"Content-Type": CSV})
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["retry-after"]) > 0
    assert http.get("/api/datasets/late").status_code == 404
    assert not list(tmp_path.glob("datasets/*"))


def test_small_uploads_need_no_turn(http: TestClient) -> None:
    answer = http.post("/api/datasets?targets=y", content=HEADER + lines(3), headers={"Content-Type": CSV})
    assert answer.status_code == 201


def test_a_turn_that_ends_in_time_is_taken_over() -> None:
    async def story() -> tuple[str, str]:
        turns, released = Turns(1, 20, READ), threading.Event()

        def first() -> str:
            assert released.wait(20)
            return "first"

        running = asyncio.create_task(turns.run(first))
        waiting = asyncio.create_task(turns.run(lambda: "second"))
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
        released.set()
        return await running, await waiting

    assert asyncio.run(story()) == ("first", "second")


def test_a_turn_is_free_again_whatever_happened_in_it() -> None:
    async def story() -> None:
        turns = Turns(1, 0.05, READ)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await turns.run(lambda: 1 // 0)
        released = threading.Event()
        holding = asyncio.create_task(turns.run(lambda: released.wait(20)))
        await asyncio.sleep(0)  # it begins, and takes the turn
        for _ in range(3):
            with pytest.raises(Unavailable):
                await turns.run(lambda: None)
        released.set()
        assert await holding
        await turns.run(lambda: None)

    asyncio.run(story())
