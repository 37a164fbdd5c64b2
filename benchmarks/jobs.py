"""The tutorial's job over HTTP: from POST to answer, and five hundred at once, against a service of its own.

.venv/bin/python -m benchmarks.jobs
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.support.serving import running_service, wait_for

AT_ONCE = 500
CONNECTIONS = 50
RECIPE = {"epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}, "from_version": 0}


def prepare(http: httpx.Client) -> dict[str, Any]:
    """A job for the line 4x + 2."""
    data = {"columns": {"x": list(range(6)), "y": [4 * x + 2 for x in range(6)]}, "targets": ["y"]}
    dataset = http.post("/api/datasets", json=data).json()["id"]
    model = http.post("/api/models", json={"architecture": "Dense(1 => 1)"}).json()["id"]
    return {"model": model, "dataset": dataset, **RECIPE}


def one_by_one(http: httpx.Client, job: dict[str, Any], repeats: int = 100) -> None:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        answer = http.post("/api/jobs", json=job, headers={"Prefer": "wait=10"})
        seconds.append(time.perf_counter() - began)
        assert answer.json()["state"] == "succeeded"
    print(f"POST to answer with Prefer: wait: median {statistics.median(seconds) * 1e3:.1f} ms of {repeats}")


def post_all(url: str, job: dict[str, Any]) -> tuple[float, Counter[int]]:
    """Runs in a process of its own, so that its work does not count as the service's latency."""

    async def post() -> tuple[float, Counter[int]]:
        limits = httpx.Limits(max_connections=CONNECTIONS)
        async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as http:
            began = time.perf_counter()
            answers = await asyncio.gather(*(http.post("/api/jobs", json=job) for _ in range(AT_ONCE)))
            return time.perf_counter() - began, Counter(answer.status_code for answer in answers)

    return asyncio.run(post())


def all_at_once(http: httpx.Client, url: str, job: dict[str, Any]) -> None:
    live: list[float] = []
    with ProcessPoolExecutor(1) as pool:
        pool.submit(time.sleep, 0).result()
        began = time.perf_counter()
        posting = pool.submit(post_all, url, job)
        while not posting.done() or len(live) % 25 or unfinished(http):
            asked = time.perf_counter()
            http.get("/health/live")
            live.append(time.perf_counter() - asked)
            time.sleep(0.02)
        seconds, statuses = posting.result()
    ended = time.perf_counter() - began
    live.sort()
    median, high = live[len(live) // 2] * 1e3, live[len(live) * 95 // 100] * 1e3
    print(f"{AT_ONCE} posted in {seconds:.1f} s: {dict(statuses)}; all ended after {ended:.1f} s")
    print(f"GET /health/live meanwhile: median {median:.1f} ms, 95th percentile {high:.1f} ms of {len(live)}")


def unfinished(http: httpx.Client) -> bool:
    return any(http.get(f"/api/jobs?limit=1&state={state}").json()["items"] for state in ("queued", "running"))


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder) / "data") as service,
        service.client() as client,
    ):
        wait_for(lambda: client.http.get("/health/ready").is_success)
        one_by_one(client.http, prepare(client.http))
        job = prepare(client.http)
        all_at_once(client.http, service.url, job)
        added = client.http.get(f"/api/models/{job['model']}").json()["versions"] - 1
        print(f"versions added: {added}")
        sys.exit(0 if added == AT_ONCE else 1)


if __name__ == "__main__":
    main()
