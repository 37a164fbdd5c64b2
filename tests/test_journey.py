"""The tutorial "fitting a straight line", over HTTP, against a real server."""

import httpx
import pytest

from service import demo
from service.client import Client
from tests.support.serving import RunningService


def test_the_tutorial_gives_the_figures_that_it_prints(client: Client) -> None:
    walks = [demo.walk(client, start) for start in demo.STARTS]

    assert [figure for figure in demo.compare(*walks) if not figure.agrees] == []


def test_each_step_of_the_tutorial_can_be_seen(http: httpx.Client) -> None:
    xs = list(range(11))
    data = {"columns": {"x": xs, "y": [4 * x + 2 for x in xs]}, "targets": ["y"], "split": {"test": {"last": 5}}}
    dataset = http.post("/api/datasets", json=data).json()
    assert dataset["parts"] == {"train": 6, "validation": 0, "test": 5}

    created = http.post("/api/models", json={"architecture": "Dense(1 => 1)"})
    model = created.json()["id"]
    assert created.headers["location"] == f"/api/models/{model}"

    start = {"layers": [{"weight": [[0.9066542]], "bias": [0]}]}
    assert http.put(f"/api/models/{model}/parameters", json=start).json() == {"version": 1, **start}

    untrained = http.post(f"/api/models/{model}/predictions", json={"inputs": [[6]]}).json()["outputs"]
    assert untrained[0][0] == pytest.approx(6 * 0.9066542)

    job = {"model": model, "dataset": dataset["id"], "epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}}
    answer = http.post("/api/jobs", json=job, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200
    ended = answer.json()
    assert (ended["state"], ended["version"], ended["epochs_done"]) == ("succeeded", 2, 201)

    reports = http.get(f"/api/jobs/{ended['id']}/epochs?limit=1000").json()["items"]
    losses = [report["train_loss"] for report in reports]
    assert losses[0] == pytest.approx(122.64735, rel=1e-6)
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 202

    evaluation = http.post(f"/api/models/{model}/evaluations", json={"dataset": dataset["id"]}).json()
    assert evaluation["part"] == "test"
    assert evaluation["loss"] < 0.03
    metrics = http.get(f"/api/models/{model}/metrics").json()
    assert metrics["trainings"][0]["final_loss"] == ended["final_loss"]
    assert metrics["evaluations"] == [evaluation]


def test_the_demo_succeeds_against_a_service_that_is_up(
    service: RunningService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.run(service.url)

    printed = capsys.readouterr().out
    assert "122.6473" in printed
    assert "All figures of the tutorial are met." in printed


def test_a_demo_of_its_own_reads_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_WORKSHOP", "1")
    monkeypatch.setenv("DESCENT_WORKERS", "none")
    assert demo.run(None)


def test_a_figure_agrees_only_where_its_significant_digits_do() -> None:
    assert demo.Figure("loss", 0.00339581, 0.00339568, 4).agrees
    assert not demo.Figure("loss", 0.00339581, 0.003401, 4).agrees
    assert not demo.Figure("weight", 4.01785, 4.0180, 5).agrees
