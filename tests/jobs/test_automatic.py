"""Recipes that the service chooses, and rows that it draws for validation."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.client import Client
from service.learning.losses import MSE
from service.learning.optimisers import Adam
from service.learning.planning.chosen_recipe import chosen
from service.learning.planning.folded_epochs import folded_epochs
from service.learning.rows.drawn import DrawnValidation
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.resources import Turns
from tests.support.applications import application
from tests.support.databases import database_in
from tests.support.learning.networks import network

X = np.linspace(-3, 3, 80)
NUMBERS: dict[str, Any] = {"x": X.tolist(), "y": (90_000 + 7000 * np.sin(X)).tolist()}
CLASSES: dict[str, Any] = {
    "x": X.tolist(),
    "up": (X > 0).tolist(),
    "kind": np.array(["a", "b", "c"])[np.digitize(X, [-1, 1])].tolist(),
}


def auto(client: Client, model: str, dataset: str, **more: Any) -> dict[str, Any]:
    body = {"model": model, "dataset": dataset, "recipe": "auto", "max_seconds": 20, **more}
    answer = client.http.post("/api/jobs", json=body, headers={"Prefer": "wait=40"})
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    assert job["state"] == "succeeded", job
    return job


def test_the_chosen_recipe_learns_and_can_be_sent_again_to_the_same_bytes(client: Client) -> None:
    dataset = client.create_dataset(NUMBERS, ["y"]).id
    first, second = (client.create_model("Chain(Dense(1 => 16, tanh), Dense(16 => 1))").id for _ in range(2))
    job = auto(client, first, dataset, epochs=60)
    recipe = job["recipe"]
    assert (recipe["standardise"], recipe["loss"], recipe["keep"]) == ("both", "mse", "best")
    assert (recipe["validation"], recipe["refit"]) == ({"fraction": 0.2, "seed": 0}, True)
    assert job["advice"][0]["code"] == "recipe_chosen"
    assert job["final_loss"] < 0.5 * np.var(NUMBERS["y"])

    again = client.http.post(
        "/api/jobs", json={"model": second, "dataset": dataset, **recipe}, headers={"Prefer": "wait=30"}
    ).json()
    assert again["recipe"] == recipe
    assert again["receipt"]["parameters_sha256"] == job["receipt"]["parameters_sha256"]


def test_a_refit_learns_all_rows_and_its_intervals_are_of_unlearnt_ones(client: Client) -> None:
    dataset = client.create_dataset(NUMBERS, ["y"]).id
    model = client.create_model("Chain(Dense(1 => 8, tanh), Dense(8 => 1))").id
    recipe = {"epochs": 12, "batch_size": 8, "optimiser": {"rule": "Adam", "eta": 0.1}, "standardise": "both"}
    fields = {"model": model, "dataset": dataset, "from_version": 0, **recipe}
    stopping = {"validation": {"fraction": 0.25}, "early_stopping": {"patience": 3}}
    wait = {"Prefer": "wait=30"}
    job, kept = (
        client.http.post("/api/jobs", json={**fields, **stopping, "refit": refit}, headers=wait).json()
        for refit in (True, False)
    )
    best = job["best"]["epoch"]
    alone = client.http.post("/api/jobs", json={**fields, "epochs": best}, headers=wait).json()

    def parameters(query: str) -> Any:
        return client.http.get(f"/api/models/{model}/parameters?{query}").raise_for_status().json()["layers"]

    assert (job["best"], job["epochs_done"]) == (kept["best"], kept["epochs_done"])
    assert parameters(f"version={job['version']}") == parameters(f"version={alone['version']}")
    assert parameters(f"version={job['version']}&epoch={best}") == parameters(f"version={kept['version']}")
    verified = client.http.post(f"/api/jobs/{job['id']}/verify", headers=wait).json()
    assert verified["identical"] is True

    def widths(version: int) -> Any:
        path = f"/api/models/{model}/predictions?version={version}"
        answer = client.http.post(path, json={"inputs": [[0.5]], "interval": 0.9}).raise_for_status().json()
        assert [each["code"] for each in answer["advice"]] == ["calibration_reused"]
        return np.subtract(answer["intervals"]["upper"], answer["intervals"]["lower"])

    assert widths(job["version"]) == pytest.approx(widths(kept["version"]))
    folds = {"model": model, "dataset": dataset, "folds": 3, "recipe": {**recipe, **stopping, "refit": True}}
    assert client.http.post("/api/cross-validations", json=folds, headers=wait).json()["state"] == "succeeded"


@pytest.mark.parametrize(
    ("target", "architecture", "loss"),
    [
        ("kind", "Dense(1 => 3)", "logitcrossentropy"),
        ("kind", "Chain(Dense(1 => 3), softmax)", "crossentropy"),
        ("up", "Dense(1 => 1)", "logitbinarycrossentropy"),
        ("up", "Dense(1 => 1, sigmoid)", "binarycrossentropy"),
    ],
)
def test_the_loss_suits_the_targets_and_the_network(client: Client, target: str, architecture: str, loss: str) -> None:
    dataset = client.create_dataset({name: CLASSES[name] for name in ("x", target)}, [target]).id
    body = {"model": client.create_model(architecture).id, "dataset": dataset, "recipe": "auto"}
    planned = client.http.post("/api/jobs?validate_only=true", json=body).json()
    assert planned["recipe"]["loss"] == loss
    assert planned["recipe"]["standardise"] == "inputs"
    assert [each["code"] for each in planned["advice"]] == ["recipe_chosen"]


def test_few_rows_are_not_drawn_from_and_a_validation_part_is_used(client: Client) -> None:
    split = client.create_dataset(NUMBERS, ["y"], split={"validation": {"fraction": 0.3}}).id
    model = client.create_model("Dense(1 => 1)").id
    for dataset, stops in ((first_rows(client, 49), False), (split, True)):
        body = {"model": model, "dataset": dataset, "recipe": "auto"}
        recipe = client.http.post("/api/jobs?validate_only=true", json=body).json()["recipe"]
        assert recipe["validation"] is None
        assert (recipe["early_stopping"] is not None) == stops


def first_rows(client: Client, rows: int) -> str:
    return client.create_dataset({"x": X[:rows].tolist(), "y": NUMBERS["y"][:rows]}, ["y"]).id


@pytest.mark.parametrize(("rows", "told"), [(30, "5 folds"), (7, "each row by itself")])
def test_folds_choose_the_epochs_of_few_rows(client: Client, rows: int, told: str) -> None:
    dataset, model = first_rows(client, rows), client.create_model("Chain(Dense(1 => 8, tanh), Dense(8 => 1))").id
    body = {"model": model, "dataset": dataset, "recipe": "auto"}
    plans = [client.http.post("/api/jobs?validate_only=true", json=body).json() for _ in range(2)]
    assert plans[0]["recipe"] == plans[1]["recipe"]
    assert 1 <= plans[0]["recipe"]["epochs"] <= 300
    assert told in plans[0]["advice"][0]["detail"]
    asked = client.http.post("/api/jobs?validate_only=true", json={**body, "epochs": 70}).json()
    assert asked["recipe"]["epochs"] == 70


def test_rows_that_do_not_count_do_not_choose_epochs(client: Client) -> None:
    columns = {"x": list(range(6)), "w": [1, 1, 0, 1, 1, 1], "y": [1, 3, 2, 5, 4, 6]}
    dataset, model = client.create_dataset(columns, ["y"]).id, client.create_model("Dense(1 => 1)").id
    body = {"model": model, "dataset": dataset, "recipe": "auto", "sample_weights": "w"}
    answer = client.http.post("/api/jobs?validate_only=true", json=body)
    assert answer.status_code == 200, answer.text
    assert "each row by itself" in answer.json()["advice"][0]["detail"]


def test_a_job_fails_with_the_reason_where_no_row_that_is_drawn_counts(client: Client) -> None:
    rows = {"x": list(range(60)), "w": [1] + [0] * 59, "y": [1, 3] * 30}
    needs = {"dataset": client.create_dataset(rows, ["y"]).id, "model": client.create_model("Dense(1 => 1)").id}
    wait = {"Prefer": "wait=60"}
    drawn = {**needs, "recipe": "auto", "epochs": 2, "sample_weights": "w"}
    job = client.http.post("/api/jobs", json=drawn, headers=wait).raise_for_status().json()
    folds = {**needs, "folds": 2, "recipe": {"epochs": 2, "sample_weights": "w"}}
    whole = client.http.post("/api/cross-validations", json=folds, headers=wait).raise_for_status().json()
    jobs = client.http.get(f"/api/jobs?cross_validation={whole['id']}").json()["items"]
    assert [each["error"]["code"] for each in (job, *jobs)] == ["impossible_weights"] * 3
    assert len({each["error"]["detail"] for each in jobs}) == 2


def test_many_trials_train_no_folds_while_a_request_waits(client: Client) -> None:
    dataset, model = client.create_dataset({"x": [0, 1, 2, 3], "y": [1, 0, 1, 0]}, ["y"]).id, "Dense(1 => 1)"
    body = {
        "model": client.create_model(model).id,
        "dataset": dataset,
        "recipe": {"recipe": "auto"},
        "monitor": "train_loss",
        "method": "grid",
        "trials": 300,
        "vary": {"seed": {"values": list(range(300))}},
    }
    (told,) = client.http.post("/api/sweeps?validate_only=true", json=body).raise_for_status().json()["advice"]
    assert "nothing tells" in told["detail"]


def test_few_rows_that_are_noise_are_learnt_for_fewer_epochs_than_a_curve() -> None:
    net = network("Chain(Dense(1 => 16, relu), Dense(16 => 1))", "float32")
    x = np.linspace(-2, 2, 30, dtype=np.float32).reshape(-1, 1)
    recipe = chosen(Recipe(loss=MSE(), optimiser=Adam(), epochs=1), net, ["numeric"], 30, validates=False)
    epochs = []
    for y in (np.random.default_rng(3).standard_normal(x.shape), np.sin(2 * x)):
        problem = Problem(net, Part(x, y.astype(np.float32)), None, recipe)
        found = folded_epochs(problem, net.initial(0), fresh=True)
        assert found is not None
        epochs.append(found)
    assert epochs[0] < 100 < epochs[1]


def test_a_small_smooth_network_takes_whole_steps_of_enough_rows(client: Client) -> None:
    dataset = client.create_dataset(NUMBERS, ["y"]).id
    small, wide = (client.create_model(f"Chain(Dense(1 => {n}, tanh), Dense({n} => 1))").id for n in (3, 16))
    rules = []
    for model in (small, wide):
        body = {"model": model, "dataset": dataset, "recipe": "auto"}
        rules.append(client.http.post("/api/jobs?validate_only=true", json=body).json()["recipe"]["optimiser"])
    assert [each["rule"] for each in rules[0]["rules"]] == ["WeightDecay", "LevenbergMarquardt"]
    assert rules[1]["rule"] == "AdamW"
    assert auto(client, small, dataset)["final_loss"] < 0.1 * np.var(NUMBERS["y"])


def test_rows_are_drawn_by_seed_and_each_is_in_one_part() -> None:
    drawn = DrawnValidation(0.25, seed=3)
    train, validation = drawn.indices(50, "train"), drawn.indices(50, "validation")
    assert len(validation) == drawn.count(50) == 13
    assert sorted([*train, *validation]) == list(range(50))
    assert not np.array_equal(validation, DrawnValidation(0.25, seed=4).indices(50, "validation"))


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        ({"recipe": "auto", "optimiser": "Adam"}, "#/optimiser", "recipe_is_chosen"),
        ({"recipe": "auto", "standardise": True}, "#/standardise", "recipe_is_chosen"),
        ({"recipe": "best"}, "#/recipe", "invalid"),
        ({"validation": {"fraction": 0.001}}, "#/validation", "impossible_validation"),
        ({"validation": {"fraction": 1}}, "#/validation/fraction", "invalid"),
        ({"refit": True, "keep": "best"}, "#/refit", "impossible_refit"),
        ({"refit": True, "validation": {"fraction": 0.2}}, "#/refit", "impossible_refit"),
        (
            {
                "refit": True,
                "validation": {"fraction": 0.2},
                "early_stopping": {"monitor": "train_loss", "patience": 2},
                "keep": "best",
            },
            "#/refit",
            "impossible_refit",
        ),
    ],
)
def test_what_cannot_be_chosen_or_drawn_is_refused(
    client: Client, more: dict[str, Any], pointer: str, code: str
) -> None:
    dataset, model = client.create_dataset(NUMBERS, ["y"]).id, client.create_model("Dense(1 => 1)").id
    answer = client.http.post("/api/jobs?validate_only=true", json={"model": model, "dataset": dataset, **more})
    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_long_drafts_take_turns_and_leave_threads_to_other_requests(tmp_path: Path) -> None:
    with closing(database_in(tmp_path)) as database:
        app = application(tmp_path, database)
        http = TestClient(app, "http://localhost")
        table = {"columns": {"x": [1, 2, 3], "y": [2, 4, 6]}, "targets": ["y"], "name": "line"}
        assert http.post("/api/datasets", json=table).is_success
        assert http.post("/api/models", json={"architecture": "Dense(1 => 1)", "name": "straight"}).is_success
        fields: dict[str, Any] = {"model": "straight", "dataset": "line"}
        long: dict[str, dict[str, Any]] = {
            "/api/jobs": {"recipe": "auto"},
            "/api/sweeps": {"recipe": {}, "vary": {"epochs": [1, 2]}},
            "/api/cross-validations": {"recipe": {}, "folds": 3},
        }
        for path, more in long.items():
            full = Turns(0, 0.01, "recipes are being planned")  # which belongs to one event loop
            app.state.resources = replace(app.state.resources, draft_turns=full)
            answer = http.post(path, json=fields | more)
            assert (answer.status_code, answer.json()["code"]) == (503, "busy"), answer.text
            assert int(answer.headers["retry-after"]) > 0
        assert http.post("/api/jobs", json=fields).status_code == 202
