"""Jobs that rest and go on, over HTTP."""

from service.client import Client
from tests.support.problems import problem
from tests.support.serving import RunningService, wait_for
from tests.support.training import all_workers_busy, endless_job, line, straight


def test_a_paused_job_rests_and_goes_on_when_it_is_resumed(client: Client) -> None:
    dataset, model = line(client), straight(client)
    with endless_job(client, model.id, dataset.id) as running:
        asked = client.pause(running.id)
        assert (asked.state, asked.asked) in (("running", "pause"), ("paused", None))
        paused = client.job(running.id, wait=30)
        assert (paused.state, paused.asked, paused.ended_at, paused.version) == ("paused", None, None, None)
        assert client.pause(running.id) == paused

        for path in (f"/api/models/{model.id}", f"/api/datasets/{dataset.id}"):
            problem(client.http.delete(path), 409)
        assert client.resume(running.id).state == "queued"
        wait_for(lambda: client.job(running.id).epochs_done > paused.epochs_done)
        events = [entry["event"] for entry in client.http.get(f"/api/jobs/{running.id}/log").json()["items"]]
        assert events == ["claimed", "asked", "paused", "resumed", "claimed"]


def test_a_waiting_request_returns_when_the_job_pauses(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running:
        client.pause(running.id)
        response = client.http.get(f"/api/jobs/{running.id}", headers={"Prefer": "wait=60"})
        assert response.json()["state"] == "paused"


def test_a_job_paused_in_the_queue_lets_others_pass(client: Client, service: RunningService) -> None:
    dataset, model = line(client), straight(client)
    with all_workers_busy(client, service):
        first = client.train(model.id, dataset.id, epochs=1)
        assert client.pause(first.id).state == "paused"
        second = client.train(model.id, dataset.id, epochs=1)
    assert client.job(second.id, wait=30).state == "succeeded"
    assert client.job(first.id).state == "paused"
    client.resume(first.id)
    assert client.job(first.id, wait=30).state == "succeeded"


def test_a_stream_tells_that_a_job_pauses_and_goes_on(client: Client) -> None:
    with (
        endless_job(client, straight(client).id, line(client).id) as running,
        client.http.stream("GET", f"/api/jobs/{running.id}/events") as stream,
    ):
        states: list[str] = []
        kind = ""
        for text in stream.iter_lines():
            if text.startswith("event: "):
                kind = text.removeprefix("event: ")
            elif text.startswith("id: ") and kind == "state":
                assert text == "id: end"
            elif text.startswith("data: ") and kind == "state":
                states.append(text.split('"state":"')[1].split('"')[0])
                match states[-1]:
                    case "running" if "paused" not in states:
                        client.pause(running.id)
                    case "paused":
                        client.resume(running.id)
                    case "running":
                        client.cancel(running.id)
    assert [state for state in states if state != "queued"] == ["running", "paused", "running", "cancelled"]


def test_the_log_is_read_page_by_page(client: Client, service: RunningService) -> None:
    with all_workers_busy(client, service):
        job = client.train(straight(client).id, line(client).id, epochs=1)
        client.pause(job.id)
        client.resume(job.id)
        client.cancel(job.id)
    path = f"/api/jobs/{job.id}/log?limit=3"
    page = client.http.get(path).json()
    assert [entry["event"] for entry in page["items"]] == ["asked", "paused", "resumed"]
    rest = client.http.get(f"{path}&after={page['next']}").json()
    assert ([entry["event"] for entry in rest["items"]], rest["next"]) == (["asked"], None)
    assert set(rest["items"][0]) == {"at", "epoch", "batch", "event", "detail"}


def test_the_log_refuses_cursors_that_it_did_not_make(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, wait=30, epochs=1)
    for cursor in ("x", "-1", "9" * 30):
        problem(client.http.get(f"/api/jobs/{job.id}/log", params={"after": cursor}), 422)
    problem(client.http.get(f"/api/jobs/job_{'0' * 26}/log"), 404)


def test_a_job_that_has_ended_neither_pauses_nor_goes_on(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, wait=30, epochs=1)
    for verb in ("pause", "resume"):
        refused = problem(client.http.post(f"/api/jobs/{job.id}/{verb}"), 409)
        assert (refused["code"], "succeeded" in refused["detail"]) == ("job_ended", True)
    problem(client.http.post(f"/api/jobs/job_{'0' * 26}/pause"), 404)
