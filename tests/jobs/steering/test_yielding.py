"""Short jobs over HTTP while all workers train long ones."""

from contextlib import ExitStack

from service.client import Client
from tests.support.serving import RunningService, wait_for
from tests.support.training import endless_job, line, straight


def test_a_short_job_does_not_wait_behind_long_ones(client: Client, service: RunningService) -> None:
    dataset, model = line(client).id, straight(client).id
    with ExitStack() as busy:
        long = [busy.enter_context(endless_job(client, model, dataset)) for _ in service.workers()]
        assert client.train(model, dataset, wait=60, epochs=201).state == "succeeded"
        wait_for(lambda: all(client.job(job.id).state == "running" for job in long))
        logs = [client.http.get(f"/api/jobs/{job.id}/log").json()["items"] for job in long]
        assert "yielded" in [entry["event"] for entries in logs for entry in entries]
        assert [client.job(job.id).losses_of_worker for job in long] == [0] * len(long)
