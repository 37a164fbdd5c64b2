"""The promises of docs/write-your-own.md: formulas in requests, terms in packages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.curl import send
from tests.support.serving import RunningService, WholeService

PAGE = (Path(__file__).parents[1] / "docs" / "write-your-own.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder_with_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as installing the page's packages leaves site-packages."""
    folder = tmp_path_factory.mktemp("site")
    for source, project in zip(blocks("python"), blocks("toml"), strict=True):
        entries = re.findall(r'entry-points\."([\w.]+)"\]\n(\w+) = "(\w+)"\n', project)
        module = entries[0][2]
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
        groups = [f"[{group}]\n{name} = {value}\n" for group, name, value in entries]
        (info / "entry_points.txt").write_text("".join(groups))
    return folder


def plan(client: Client, **body: Any) -> dict[str, Any]:
    answer = client.http.post("/api/jobs?validate_only=true", json=body)
    assert answer.status_code == 200, answer.text
    planned: dict[str, Any] = answer.json()
    return planned


def line_with_outliers(client: Client) -> tuple[str, str]:
    xs = [row / 50 for row in range(100)]
    ys = [4 * x + 2 + (0 if row % 5 else 10) for row, x in enumerate(xs)]
    dataset = client.create_dataset({"x": xs, "y": ys}, ["y"])
    return client.create_model("Dense(1 => 1)").id, dataset.id


@pytest.fixture(scope="module")
def with_packages(folder_with_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("data")
    with (
        WholeService.running(folder, "--workers", "1", PYTHONPATH=str(folder_with_packages)) as service,
        service.client() as client,
    ):
        yield client


def test_a_package_adds_a_loss_that_trains(with_packages: Client) -> None:
    client = with_packages
    model, dataset = line_with_outliers(client)
    recipe: dict[str, Any] = {"optimiser": {"rule": "Adam", "eta": 0.05}, "epochs": 2000, "wait": 60}
    job = client.train(model, dataset, loss={"name": "quantile", "tau": 0.5}, **recipe)
    assert job.state == "succeeded", job.error
    layer = client.parameters(model).layers[0]
    assert (layer["weight"][0][0], layer["bias"][0]) == pytest.approx((4, 2), abs=0.2)

    refused = client.http.post(
        "/api/jobs", json={"model": model, "dataset": dataset, "loss": {"name": "quantile", "tau": 2}}
    )
    assert refused.json()["errors"][0]["pointer"] == "#/loss/tau"
    losses = client.http.get("/api/vocabulary").json()["losses"]
    assert "quantile" in [loss["name"] for loss in losses]


def test_a_loss_of_a_package_gets_advice_and_probabilities(with_packages: Client) -> None:
    client = with_packages
    columns: dict[str, Any] = {"x": [-2.0, -1.0, 1.0, 2.0], "side": ["left", "left", "right", "right"]}
    dataset = client.create_dataset(columns, ["side"]).id
    unsuited = client.create_model("Dense(1 => 2)").id
    planned = plan(client, model=unsuited, dataset=dataset, loss="brier", optimiser={"rule": "Adam"})
    (advice,) = planned["advice"]
    assert (advice["code"], advice["pointer"]) == ("loss_takes_probabilities", "#/loss")
    assert "Let the network end in softmax." in advice["detail"]

    model = client.create_model("Chain(Dense(1 => 2), softmax)").id
    job = client.train(model, dataset, loss="brier", epochs=50, optimiser={"rule": "Adam", "eta": 0.1}, wait=60)
    assert (job.state, job.advice) == ("succeeded", [])
    answer = client.http.post(f"/api/models/{model}/predictions", json={"rows": [{"x": 3.0}]}).json()
    assert answer["labels"] == ["right"]
    assert answer["probabilities"] == answer["outputs"]


def test_a_rule_of_a_package_gets_its_stable_and_best_rates(with_packages: Client) -> None:
    client = with_packages
    model = client.create_model("Dense(1 => 1)").id
    dataset = client.create_dataset({"x": [0, 1, 2, 3, 4, 5], "y": [2, 6, 10, 14, 18, 22]}, ["y"]).id
    rates: dict[str, Any] = {"rule": "Dampened", "eta": 3.0, "rho": 0.9}
    planned = plan(client, model=model, dataset=dataset, optimiser=rates)
    stable, best = planned["plan"]["largest_stable_rate"], planned["plan"]["best_rate"]
    assert stable == {"value": pytest.approx(0.1013053 * 1.9 / 0.1, rel=1e-5), "exact": True}
    assert [each["code"] for each in planned["advice"]] == ["unstable_rate"]
    assert 0 < best["value"] < stable["value"]
    rates["eta"] = best["value"]
    job = client.train(model, dataset, optimiser=rates, epochs=2000, wait=60)
    assert job.final_loss == pytest.approx(0, abs=1e-9)


def test_the_page_s_requests_run_as_they_stand(service: RunningService, http: httpx.Client) -> None:
    http.post("/api/datasets", json={"name": "line", "columns": {"x": [0, 1, 2], "y": [2, 6, 10]}, "targets": ["y"]})
    http.post("/api/models", json={"name": "straight", "architecture": "Dense(1 => 1)"})
    job, model = (send(line, service.url) for line in blocks("sh"))
    assert job["state"] == "succeeded"
    assert model["architecture"] == "Chain(Dense(1 => 8, x -> x * sigmoid(x)), Dense(8 => 1))"


def test_a_written_loss_trains_like_the_named_one(client: Client) -> None:
    model, dataset = line_with_outliers(client)
    recipe: dict[str, Any] = {
        "epochs": 50,
        "from_version": 0,
        "optimiser": {"rule": "Adam", "eta": 0.1},
        "path": "batches",
        "wait": 60,
    }
    named = client.train(model, dataset, loss="mse", **recipe)
    written = client.train(model, dataset, loss={"expression": "mean(abs2(ŷ - y))"}, **recipe)
    assert written.final_loss == pytest.approx(named.final_loss, rel=1e-5)


@pytest.mark.parametrize(
    ("formula", "hint"),
    [
        ("mean(abs2(ŷ - z))", "z"),
        ("ŷ - y", "mean"),
        ("mean(", "character"),
        ("", ""),
        ("__import__('os')", ""),
        ("(" * 5000, ""),
    ],
)
def test_a_formula_that_means_nothing_is_refused_where_it_stands(client: Client, formula: str, hint: str) -> None:
    model, dataset = line_with_outliers(client)
    answer = client.http.post("/api/jobs", json={"model": model, "dataset": dataset, "loss": {"expression": formula}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/loss/expression"
    assert hint in answer.json()["detail"]
