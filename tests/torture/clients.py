"""Clients that post, steer and verify jobs while the service comes and goes, and remember what they asked for."""

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.exc import OperationalError

from service.database.database import Database
from service.database.disk_faults import is_busy
from service.jobs import drafts, operations
from service.jobs.checks.allowed import Allowed
from service.jobs.recipe_schemas import NewJob
from service.models.networks import Networks
from service.storage.storage import Storage
from tests.support.serving import http_client, wait_for
from tests.support.training import ENDED
from tests.torture.kinds import KINDS, WAVE

MOST_WAITING = 4
"""Jobs that have not ended; more are not posted."""
LONGEST_END = 3600.0
"""Seconds that thousands of jobs may take to end."""
VERBS = {"pause": 4, "resume": 6, "priority": 2, "rate": 2, "frozen": 2, "stop": 1, "cancel": 1}
"""Requests to a job, each with its share."""
RATES = (0.002, 0.005, 0.02)


@dataclass
class Posted:
    """A job, and what was asked of it."""

    id: str
    kind: str
    verifies: str | None = None
    steered: bool = False
    """Whether anything was asked of it."""
    changed: bool = False
    """Whether a client asked for something that changes the result: a stop, another rate, layers that rest."""
    cancelled: bool = False


class Clients:
    """Clients of the service at the address that `url` returns by then; every request is repeated until answered."""

    def __init__(self, url: Callable[[], str], seed: int, share: float = 1.0) -> None:
        """`share` is that of their epochs that jobs train."""
        self._url = url
        self._share = share
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self.jobs: list[Posted] = []
        self.keys = 0
        """Keys of requests that create something, and so the number of things that there should be."""
        self.datasets: list[str] = []
        self._open: list[Posted] = []
        self._dataset = self.create("/api/datasets", WAVE)["id"]
        self.datasets.append(self._dataset)
        self._models = {
            name: self.create("/api/models", {"architecture": kind.architecture, "seed": 1})["id"]
            for name, kind in KINDS.items()
        }

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the first answer that is neither a broken connection nor a 503."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            try:
                with http_client(self._url()) as http:
                    answer = http.request(method, path, **options)
            except httpx.TransportError:
                return False
            answers.append(answer)
            return answer.status_code != httpx.codes.SERVICE_UNAVAILABLE

        wait_for(answered)
        assert not answers[-1].is_server_error, answers[-1].text
        return answers[-1]

    def create(self, path: str, body: dict[str, Any]) -> Any:
        """Create something once, however often the request has to be sent."""
        self.keys += 1
        answer = self.send("POST", path, json=body, headers={"Idempotency-Key": f"key {self.keys}"})
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, kind: str) -> Posted:
        body = KINDS[kind].body(self._models[kind], self._dataset, self._share)
        return self._add(Posted(self.create("/api/jobs", body)["id"], kind))

    def queue_tiny(self, folder: Path, count: int) -> None:
        """Queue tiny jobs behind all others, past the service: it would have done the first ones by the last one."""
        body = {**KINDS["tiny"].body(self._models["tiny"], self._dataset, self._share), "priority": -100}
        data = Storage(folder / "datasets", folder / "cache")
        with closing(Database(f"sqlite:///{folder / 'descent.db'}")) as database:
            draft = drafts.draft(database, data, Networks(), NewJob.model_validate(body), Allowed(4 << 30))
            while not (queued := _enqueued(database, draft, count)):
                pass  # it has waited while others wrote
        self.jobs += [Posted(job, "tiny") for job in queued]

    def verify_changed(self) -> None:
        """Train each job again of which clients have changed the result, to compare the bytes."""
        for job in list(self.jobs):
            if job.changed and self.state(job) == "succeeded":
                answer = self.send("POST", f"/api/jobs/{job.id}/verify", headers={"Prefer": "wait=0"})
                self._add(Posted(answer.json()["id"], job.kind, verifies=job.id))

    def _add(self, job: Posted) -> Posted:
        self.jobs.append(job)
        self._open.append(job)
        return job

    def state(self, job: Posted) -> str:
        return str(self.send("GET", f"/api/jobs/{job.id}").json()["state"])

    def act(self) -> None:
        """Do what a client might do now."""
        self._open = [job for job in self._open if self.state(job) not in ENDED]
        if len(self._open) < MOST_WAITING:
            if self._random.random() < 0.1:
                self.datasets.append(self.create("/api/datasets", WAVE)["id"])
            self.post(self._random.choice(list(KINDS)))
        self._steer(self._random.choice(self._open))

    def _steer(self, job: Posted) -> None:
        verb = self._random.choices(list(VERBS), list(VERBS.values()))[0]
        job.steered = True
        match verb:
            case "priority":
                self.send("PATCH", f"/api/jobs/{job.id}", json={"priority": self._random.randrange(5)})
            case "rate" | "frozen":
                job.changed = True
                value = self._random.choice(RATES) if verb == "rate" else self._random.choice([["layers.0"], []])
                self.send("PATCH", f"/api/jobs/{job.id}", json={verb: value})
            case _:
                job.changed |= verb == "stop"
                job.cancelled |= verb == "cancel"
                self.send("POST", f"/api/jobs/{job.id}/{verb}")

    def finish(self) -> None:
        """Let all jobs that rest go on, and wait for the ends of all."""

        def over() -> bool:
            for job in list(self._open):
                state = self.state(job)
                if state == "paused":
                    self.send("POST", f"/api/jobs/{job.id}/resume")
                elif state in ENDED:
                    self._open.remove(job)
            return not self._open

        wait_for(over, LONGEST_END)
        wait_for(lambda: not self.send("GET", "/api/jobs?state=queued&limit=1").json()["items"], LONGEST_END)
        wait_for(lambda: not self.send("GET", "/api/jobs?state=running&limit=1").json()["items"], LONGEST_END)


def _enqueued(database: Database, draft: drafts.Draft, count: int) -> list[str]:
    """Queue so many jobs; none where others hold SQLite's lock for longer than a writer waits."""
    try:
        with database.transaction() as session:
            return [operations.enqueue(session, draft).id for _ in range(count)]
    except OperationalError as error:
        if not is_busy(error):
            raise
        return []
