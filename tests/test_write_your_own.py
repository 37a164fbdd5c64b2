"""What docs/write-your-own.md promises: formulas in requests, terms in packages."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.curl import send
from tests.support.serving import RunningService, running_service

PAGE = (Path(__file__).parents[1] / "docs" / "write-your-own.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder_with_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What installing the page's package leaves in site-packages."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "descent_quantile.py").write_text(blocks("python")[0], encoding="utf-8")
    group, entry = re.findall(r'entry-points\."([\w.]+)"\]\n(.*)\n', blocks("toml")[0])[0]
    info = folder / "descent_quantile-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: descent-quantile\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n")
    return folder


def line_with_outliers(client: Client) -> tuple[str, str]:
    xs = [row / 50 for row in range(100)]
    ys = [4 * x + 2 + (0 if row % 5 else 10) for row, x in enumerate(xs)]
    dataset = client.create_dataset({"x": xs, "y": ys}, ["y"])
    return client.create_model("Dense(1 => 1)").id, dataset.id


def test_a_package_adds_a_loss_that_trains(folder_with_package: Path, folder: Path) -> None:
    with (
        running_service(folder, "--workers", "1", PYTHONPATH=str(folder_with_package)) as service,
        service.client() as client,
    ):
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
