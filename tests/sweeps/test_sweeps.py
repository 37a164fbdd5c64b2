"""Sweeps over HTTP, from the first trial to the version that the best becomes."""

import json
from typing import Any

import httpx
import pytest

from tests.support.problems import pointers, problem
from tests.sweeps.conftest import Sweep

RATES = [0.001, 0.1, 0.01]


def test_a_grid_ranks_its_trials_and_the_best_becomes_a_version(
    http: httpx.Client, line: str, straight: str, sweep: Sweep
) -> None:
    name = f"rates-{straight}"
    ended = sweep(name=name, model=straight, vary={"optimiser.eta": RATES}, recipe={"epochs": 20}, method="grid")
    assert (ended["state"], ended["trials"], ended["done"], ended["asked"]) == ("succeeded", 3, 3, None)
    assert [each["varied"] for each in ended["ranked"]] == [{"optimiser.eta": rate} for rate in (0.1, 0.01, 0.001)]
    losses = [each["loss"] for each in ended["ranked"]]
    assert losses == sorted(losses)
    assert ended["plan"]["epochs"] == 60

    model = http.get(f"/api/models/{straight}").json()
    assert ended["best"] == {"job": ended["ranked"][0]["job"], "model": model["id"], "version": 1}
    assert (model["version"], model["versions"]) == (1, 2)
    best = http.get(f"/api/jobs/{ended['best']['job']}").json()
    assert (best["version"], best["sweep"], best["recipe"]["optimiser"]["eta"]) == (1, ended["id"], 0.1)
    kept = http.get(f"/api/models/{straight}/parameters?version=1").json()["layers"]
    assert http.get(f"/api/jobs/{best['id']}/parameters").json()["layers"] == kept
    alone = http.post(
        "/api/jobs",
        json={"model": straight, "dataset": line, "from_version": 0, "epochs": 20},
        headers={"Prefer": "wait=30"},
    ).json()
    assert http.get(f"/api/models/{straight}/parameters?version={alone['version']}").json()["layers"] == kept


def test_trials_ranked_by_validation_rows_keep_the_best_epoch_unless_told(
    http: httpx.Client, line: str, straight: str, sweep: Sweep
) -> None:
    def kept(recipe: dict[str, Any], **fields: Any) -> set[str]:
        vary = {"optimiser.eta": [0.1, 0.2]}
        ended = sweep(model=straight, vary=vary, method="grid", recipe={"epochs": 2} | recipe, **fields)
        return {job["recipe"]["keep"] for job in http.get(f"/api/jobs?sweep={ended['id']}").json()["items"]}

    assert [kept({}), kept({"keep": "last"}), kept({}, monitor="train_loss")] == [{"best"}, {"last"}, {"last"}]
    auto = {"dataset": line, "model": straight, "method": "grid", "recipe": {"recipe": "auto"}, "vary": {"seed": [1]}}
    assert http.post("/api/sweeps?validate_only=true", json=auto).status_code == 200


def test_trials_are_listed_with_their_sweep_alone_and_go_with_it(
    http: httpx.Client, straight: str, sweep: Sweep
) -> None:
    ended = sweep(model=straight, vary={"optimiser.eta": RATES}, recipe={"epochs": 3}, method="grid")
    jobs = {each["job"] for each in ended["ranked"]}
    assert not jobs & {job["id"] for job in http.get("/api/jobs?limit=1000").json()["items"]}
    assert jobs == {job["id"] for job in http.get(f"/api/jobs?sweep={ended['id']}").json()["items"]}
    other = ended["ranked"][-1]["job"]
    assert http.get(f"/api/jobs/{other}").json()["version"] is None
    assert http.get(f"/api/jobs/{other}/parameters").status_code == 200
    assert problem(http.delete(f"/api/jobs/{other}"), 409)["code"] == "part_of_sweep"

    assert ended["id"] in {each["id"] for each in http.get("/api/sweeps").json()["items"]}
    assert http.delete(f"/api/sweeps/{ended['id']}").status_code == 204
    assert http.get(f"/api/sweeps/{ended['id']}").status_code == 404
    assert http.get(f"/api/jobs/{other}").status_code == 404
    assert http.get(f"/api/models/{straight}").json()["version"] == 1


def test_the_best_architecture_becomes_a_model_with_the_name_of_the_sweep(http: httpx.Client, sweep: Sweep) -> None:
    before = http.get("/api/models").json()["items"]
    architectures = ["Dense(1 => 1)", "Chain(Dense(1 => 4, tanh), Dense(4 => 1))"]
    vary = {"architecture": architectures, "optimiser": ["Adam", {"rule": "Descent", "eta": 0.1}]}
    ended = sweep(name="which-net", vary=vary, recipe={"epochs": 10}, method="grid")
    assert len(ended["ranked"]) == 4
    model = http.get("/api/models/which-net").json()
    assert (ended["model"], ended["best"]["version"]) == (model["id"], 1)
    assert model["architecture"] == ended["ranked"][0]["varied"]["architecture"]
    after = http.get("/api/models").json()["items"]
    assert {each["id"] for each in after} - {each["id"] for each in before} == {model["id"]}


def test_asha_trains_few_trials_to_the_end_and_its_best_to_the_same_bytes(
    http: httpx.Client, straight: str, sweep: Sweep
) -> None:
    ended = sweep(
        model=straight,
        recipe={"epochs": 27},
        vary={"optimiser.eta": {"log": [1e-4, 0.2]}},
        method="asha",
        trials=18,
        seed=1,
    )
    done = sorted(each["epochs_done"] for each in ended["ranked"])
    assert set(done) == {2, 13, 27}
    assert sum(done) < 18 * 27 / 3
    best = http.get(f"/api/jobs/{ended['best']['job']}").json()
    assert best["version"] == 1
    log = http.get(f"/api/jobs/{best['id']}/log").json()["items"]
    assert [each["event"] for each in log].count("promoted") >= 1
    verified = http.post(f"/api/jobs/{best['id']}/verify", headers={"Prefer": "wait=30"}).json()
    assert verified["identical"] is True


def test_draws_are_of_the_seed_and_whole_where_only_whole_numbers_fit(
    http: httpx.Client, line: str, straight: str
) -> None:
    fields = {
        "dataset": line,
        "model": straight,
        "vary": {"batch_size": {"range": [2, 30]}, "optimiser.eta": {"log": [0.001, 1]}},
        "trials": 20,
        "seed": 4,
    }
    planned = [http.post("/api/sweeps?validate_only=true", json=fields | more).json() for more in ({}, {"trials": 5})]
    varied = planned[0]["varied"]
    assert varied[:5] == planned[1]["varied"]
    assert {type(each["batch_size"]) for each in varied} == {int}
    assert all(0.001 <= each["optimiser.eta"] <= 1 for each in varied)


def test_a_sweep_rests_goes_on_and_stops_with_what_there_is(http: httpx.Client, line: str, straight: str) -> None:
    new = {
        "dataset": line,
        "model": straight,
        "recipe": {"epochs": 5_000_000, "path": "batches"},
        "vary": {"optimiser.eta": [0.01, 0.02]},
        "method": "grid",
    }
    made = http.post("/api/sweeps", json=new, headers={"Idempotency-Key": f"once-{straight}"})
    again = http.post("/api/sweeps", json=new, headers={"Idempotency-Key": f"once-{straight}"})
    assert again.json()["id"] == made.json()["id"]
    path = made.headers["Location"]
    assert problem(http.delete(path), 409)["code"] == "sweep_not_ended"
    with http.stream("GET", f"{path}/events") as stream:
        for line_of_stream in stream.iter_lines():
            if line_of_stream.startswith("data:") and json.loads(line_of_stream[5:])["best"] is not None:
                break
    assert http.post(f"{path}/pause").json()["state"] == "paused"
    assert http.post(f"{path}/pause").json()["state"] == "paused"
    assert http.post(f"{path}/resume").json()["state"] == "running"
    assert http.post(f"{path}/stop").json()["asked"] == "stop"
    ended = http.get(path, headers={"Prefer": "wait=30"}).json()
    assert ended["state"] == "succeeded"
    assert ended["best"]["version"] == 1
    assert http.post(f"{path}/stop").json()["id"] == ended["id"]
    assert problem(http.post(f"{path}/resume"), 409)["code"] == "sweep_ended"
    assert http.get(f"{path}/events", headers={"Last-Event-ID": "end"}).status_code == 204


def test_a_sweep_all_of_whose_trials_fail_says_why(straight: str, sweep: Sweep) -> None:
    ended = sweep(model=straight, vary={"optimiser.eta": [1e10, 1e12]}, method="grid", recipe={"path": "batches"})
    assert ended["state"] == "failed"
    assert ended["error"]["code"] == "no_trial_succeeded"
    assert "diverged" in ended["error"]["detail"]
    assert (ended["best"], [each["loss"] for each in ended["ranked"]]) == (None, [None, None])


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "a place that is none": ({"vary": {"optimiser.speed": [1]}}, "#/vary/optimiser.speed"),
    "a place in a number": ({"vary": {"epochs.more": [1]}, "recipe": {"epochs": 3}}, "#/vary/epochs.more"),
    "a value that does not fit": ({"vary": {"batch_size": [0]}}, "#/vary/batch_size"),
    "a field of the recipe": ({"recipe": {"epochs": 0}}, "#/recipe/epochs"),
    "a field of its own": ({"recipe": {"dataset": "line"}}, "#/recipe/dataset"),
    "a grid without values": ({"vary": {"optimiser.eta": {"log": [0.1, 1]}}}, "#/vary/optimiser.eta"),
    "a grid too large": ({"vary": {"seed": list(range(11))}, "trials": 10}, "#/trials"),
    "ends the wrong way round": ({"vary": {"optimiser.eta": {"log": [1, 0.1]}}}, "#/vary"),
    "no form of values": ({"vary": {"optimiser.eta": 3}}, "#/vary"),
    "epochs under asha": ({"vary": {"epochs": [3, 9]}, "method": "asha"}, "#/vary/epochs"),
    "nothing varied": ({"vary": {}}, "#/vary"),
}


@pytest.mark.parametrize(("fields", "pointer"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_sweeps_are_refused_with_the_place(
    http: httpx.Client, line: str, straight: str, fields: dict[str, Any], pointer: str
) -> None:
    new = {"dataset": line, "model": straight, "vary": {"optimiser.eta": [0.1]}, "method": "grid"}
    response = http.post("/api/sweeps", json=new | fields)
    problem(response, 422)
    assert pointers(response) == [pointer]


def test_a_sweep_needs_a_loss_to_rank_by_and_a_model_or_architectures(http: httpx.Client, straight: str) -> None:
    whole = http.post("/api/datasets", json={"columns": {"x": [0, 1], "y": [2, 6]}, "targets": ["y"]}).json()["id"]
    new = {"dataset": whole, "model": straight, "vary": {"optimiser.eta": [0.1]}, "method": "grid"}
    assert problem(http.post("/api/sweeps", json=new), 422)["code"] == "no_validation_part"
    assert http.post("/api/sweeps?validate_only=true", json=new | {"monitor": "train_loss"}).status_code == 200
    drawn = new | {"recipe": {"validation": {"fraction": 0.5}}}
    assert http.post("/api/sweeps?validate_only=true", json=drawn).status_code == 200
    without = {name: value for name, value in new.items() if name != "model"}
    assert problem(http.post("/api/sweeps", json=without), 422)
    assert problem(http.post("/api/sweeps", json=new | {"vary": {"architecture": ["Dense(1 => 1)"]}}), 422)
    assert problem(http.post("/api/sweeps", json=new | {"model": "nobody", "monitor": "train_loss"}), 404)
