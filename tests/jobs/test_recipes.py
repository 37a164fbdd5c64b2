"""The whole recipe over HTTP: all that it may ask for, and the plan before training."""

from typing import Any

import httpx
import pytest

from service.client import Client

XS = list(range(6))
RANGES = [  # x, whether the tutorial's rate 0.1 is stable on 4x + 2
    (range(6), True),
    (range(1, 7), False),
    (range(7), False),
    (range(1, 11), False),
    (range(-1, 7), False),
    (range(9), False),
    (range(-1, 6), True),
]


def line(client: Client, xs: Any = XS, **options: Any) -> str:
    return client.create_dataset({"x": list(xs), "y": [4 * x + 2 for x in xs]}, ["y"], **options).id


def straight(client: Client) -> str:
    return client.create_model("Dense(1 => 1)").id


def plan(http: httpx.Client, **job: Any) -> dict[str, Any]:
    answer = http.post("/api/jobs?validate_only=true", json=job)
    assert answer.status_code == 200, answer.text
    planned: dict[str, Any] = answer.json()
    return planned


@pytest.mark.parametrize(("xs", "stable"), RANGES, ids=str)
def test_the_plan_knows_which_ranges_diverge(client: Client, http: httpx.Client, xs: range, stable: bool) -> None:
    model, dataset = straight(client), line(client, xs)
    planned = plan(http, model=model, dataset=dataset, epochs=2000)
    assert planned["plan"]["largest_stable_rate"]["exact"]
    assert (planned["plan"]["largest_stable_rate"]["value"] > 0.1) == stable
    assert [advice["code"] for advice in planned["advice"]] == ([] if stable else ["unstable_rate"])

    job = client.train(model, dataset, epochs=20_000, wait=30)
    assert job.state == ("succeeded" if stable else "failed")
    if not stable:
        assert job.error is not None
        assert job.error.code == "diverged"
        assert "largest stable rate" in job.error.detail


def test_the_tutorial_s_largest_stable_rate_is_known_exactly(client: Client, http: httpx.Client) -> None:
    planned = plan(http, model=straight(client), dataset=line(client))["plan"]
    assert planned["largest_stable_rate"]["value"] == pytest.approx(0.101305, rel=1e-5)
    assert planned["path"] == "quadratic"
    assert planned["optimum_loss"] == pytest.approx(0, abs=1e-12)


def test_a_model_of_wider_numbers_than_its_dataset_has_exact_rates(client: Client, http: httpx.Client) -> None:
    model = client.create_model("Dense(1 => 1)", dtype="float64").id
    planned = plan(http, model=model, dataset=line(client))["plan"]
    assert planned["largest_stable_rate"]["exact"]
    assert planned["largest_stable_rate"]["value"] == pytest.approx(0.101305, rel=1e-5)
    assert planned["optimum_loss"] == pytest.approx(0, abs=1e-12)


def test_an_unstable_rate_is_refused_where_that_is_wanted(client: Client, http: httpx.Client) -> None:
    body = {"model": straight(client), "dataset": line(client, range(7)), "reject_unstable": True}
    answer = http.post("/api/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "unstable_rate"
    assert answer.json()["errors"][0]["pointer"] == "#/optimiser/eta"


def test_both_paths_give_the_same_losses(client: Client) -> None:
    model, dataset = straight(client), line(client)
    losses = []
    for path in ("quadratic", "batches"):
        job = client.train(model, dataset, epochs=100, from_version=0, path=path, wait=30)
        assert job.path == path
        losses.append([report.train_loss for report in client.epochs(job.id)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a_path_that_cannot_be_taken_is_refused(client: Client, http: httpx.Client) -> None:
    body = {"model": client.create_model("Chain(Dense(1 => 2, tanh), Dense(2 => 1))").id, "dataset": line(client)}
    answer = http.post("/api/jobs", json={**body, "path": "quadratic"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/path"


def test_early_stopping_ends_a_job_and_keeps_the_best_parameters(client: Client) -> None:
    xs = [row / 40 for row in range(40)]
    noise = [((row * 7919) % 13 - 6) / 10 for row in range(40)]
    columns = {"x": xs, "y": [x + e for x, e in zip(xs, noise, strict=True)]}
    dataset = client.create_dataset(columns, ["y"], split={"validation": {"fraction": 0.4}}).id
    model = client.create_model("Chain(Dense(1 => 64, tanh), Dense(64 => 1))").id
    job = client.train(
        model,
        dataset,
        epochs=100_000,
        optimiser={"rule": "Adam", "eta": 0.02},
        early_stopping={"patience": 20},
        wait=60,
    )
    assert (job.state, job.ended_by, job.progress) == ("succeeded", "early_stopping", 1)
    assert job.recipe["keep"] == "best"
    assert job.best is not None
    assert job.best.epoch == job.epochs_done - 20
    assert client.evaluate(model, dataset, part="validation").loss == pytest.approx(job.best.loss, rel=1e-5)


def test_early_stopping_without_a_validation_part_is_refused(client: Client, http: httpx.Client) -> None:
    body = {"model": straight(client), "dataset": line(client), "early_stopping": {}}
    answer = http.post("/api/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/early_stopping"


def test_a_schedule_sets_the_rate_of_every_report(client: Client) -> None:
    schedule = {"name": "Step", "start": 0.05, "decay": 0.5, "step_sizes": 10}
    job = client.train(straight(client), line(client), epochs=30, schedule=schedule, wait=30)
    rates = [report.rate for report in client.epochs(job.id)]
    assert rates[:30] == [0.05] * 10 + [0.025] * 10 + [0.0125] * 10


def test_standardised_training_gives_a_plain_network_in_raw_units(client: Client) -> None:
    xs = [1e5 + row for row in range(20)]
    dataset = client.create_dataset({"x": xs, "y": [4 * x + 2 for x in xs]}, ["y"], dtype="float64").id
    model = client.create_model("Dense(1 => 1)", dtype="float64").id
    job = client.train(model, dataset, standardise=True, epochs=500, optimiser={"rule": "Descent", "eta": 0.3}, wait=30)
    assert job.state == "succeeded"
    layer = client.parameters(model).layers[0]
    assert layer["weight"][0][0] == pytest.approx(4, rel=1e-6)
    assert client.predict(model, [[1e5]]).outputs[0][0] == pytest.approx(4e5 + 2, rel=1e-9)


def test_inputs_of_very_different_sizes_are_advised_to_be_standardised(client: Client, http: httpx.Client) -> None:
    columns = {"a": [0, 1, 2, 3], "b": [0, 5000, 1000, 9000], "y": [1, 2, 3, 4]}
    dataset = client.create_dataset(columns, ["y"]).id
    planned = plan(http, model=client.create_model("Dense(2 => 1)").id, dataset=dataset)
    assert "badly_scaled" in [advice["code"] for advice in planned["advice"]]


def test_sample_weights_decide_how_much_a_row_counts(client: Client) -> None:
    columns = {"x": [0, 1, 2, 0, 1, 2], "w": [1, 1, 1, 0, 0, 0], "y": [2, 6, 10, -7, 30, 0]}
    dataset = client.create_dataset(columns, ["y"]).id
    model = straight(client)
    job = client.train(
        model, dataset, sample_weights="w", epochs=2000, optimiser={"rule": "Adam", "eta": 0.05}, wait=60
    )
    assert job.state == "succeeded", job.error
    layer = client.parameters(model).layers[0]
    assert (layer["weight"][0][0], layer["bias"][0]) == pytest.approx((4, 2), abs=0.01)
    evaluation = client.evaluate(model, dataset, part="train")
    assert evaluation.loss == job.final_loss
    assert evaluation.rows == 6


@pytest.mark.parametrize("weight", [5e-324, 1.7e308])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_only_the_ratios_of_sample_weights_matter(client: Client, weight: float, dtype: str) -> None:
    columns: dict[str, list[float]] = {"x": [*XS], "w": [1.0] * 6, "v": [weight] * 6, "y": [4 * x + 2 for x in XS]}
    losses = []
    for name in ("w", "v"):
        dataset = client.create_dataset({key: columns[key] for key in ("x", name, "y")}, ["y"], dtype="float64").id
        model = client.create_model("Dense(1 => 1)", dtype=dtype).id
        job = client.train(model, dataset, sample_weights=name, epochs=20, wait=30)
        assert job.state == "succeeded", job.error
        losses.append((job.final_loss, client.evaluate(model, dataset, part="train").loss))
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("weights", "loss"),
    [
        ("z", "mse"),
        ("y", "mse"),
        ("negative", "mse"),
        ("nothing", "mse"),
        ("x", {"expression": "sqrt(mean(abs2(ŷ - y)))"}),
    ],
)
def test_impossible_weights_are_refused(client: Client, http: httpx.Client, weights: str, loss: Any) -> None:
    columns = {"x": [1, 2], "negative": [1, -1], "nothing": [0, 0], "y": [1, 2]}
    dataset = client.create_dataset(columns, ["y"]).id
    body = {
        "model": client.create_model("Dense(2 => 1)").id,
        "dataset": dataset,
        "sample_weights": weights,
        "loss": loss,
    }
    answer = http.post("/api/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/sample_weights"


def test_the_best_parameters_are_kept_where_that_is_asked(client: Client) -> None:
    dataset = line(client, split={"validation": {"last": 2}})
    job = client.train(
        straight(client),
        dataset,
        epochs=50,
        keep="best",
        optimiser={"rule": "Momentum", "eta": 0.09, "rho": 0.9},
        wait=30,
    )
    assert job.best is not None
    reports = client.epochs(job.id)
    assert job.best.loss == min(report.validation_loss or 0 for report in reports)


def test_averaged_parameters_are_judged_and_become_the_version(client: Client) -> None:
    dataset = client.create_dataset({"x": list(range(6)), "y": [4 * x + 2 for x in range(6)]}, ["y"]).id
    model = client.create_model("Dense(1 => 1)").id
    body = {"model": model, "dataset": dataset, "epochs": 30, "optimiser": "Adam", "average": {"decay": 0.9}}
    job = client.http.post("/api/jobs", json={**body, "keep_every": 30}, headers={"Prefer": "wait=30"}).json()
    assert (job["state"], job["path"], job["recipe"]["average"]) == ("succeeded", "batches", {"decay": 0.9})
    reports = client.http.get(f"/api/jobs/{job['id']}/epochs").json()["items"]
    assert reports[-1]["train_loss"] == pytest.approx(job["final_loss"])
    version, kept = (
        client.http.get(f"/api/models/{model}/parameters", params={"version": 1, **more}).json()["layers"]
        for more in ({}, {"epoch": 30})
    )
    assert version == kept
    refused = client.http.post("/api/jobs", json={**body, "average": {"decay": 1}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/average/decay")


def test_a_part_whose_weights_are_all_0_cannot_be_evaluated(client: Client, http: httpx.Client) -> None:
    columns = {"x": [0, 1, 2, 3], "w": [1, 1, 1, 0], "y": [2, 6, 10, 14]}
    dataset = client.create_dataset(columns, ["y"], split={"test": {"last": 1}}).id
    model = straight(client)
    refused = http.post("/api/jobs", json={"model": model, "dataset": dataset, "sample_weights": "w"})
    assert refused.status_code == 422
    whole = client.create_dataset(columns, ["y"]).id
    assert client.train(model, whole, sample_weights="w", epochs=1, wait=30).state == "succeeded"
    answer = http.post(f"/api/models/{model}/evaluations", json={"dataset": dataset, "part": "test"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/part"


def test_wide_data_is_stored_and_planned_in_moments(client: Client, http: httpx.Client) -> None:
    columns = {f"x{column}": [column % 7, column % 5] for column in range(2500)} | {"y": [1, 2]}
    dataset = client.create_dataset(columns, ["y"]).id
    planned = plan(http, model=client.create_model("Dense(2500 => 1)").id, dataset=dataset)
    assert planned["plan"]["parameter_count"] == 2501
