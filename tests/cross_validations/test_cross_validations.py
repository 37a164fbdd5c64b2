"""Cross-validations over HTTP: each row is judged by a network that has not seen it."""

import uuid
from collections import Counter
from typing import Any

import httpx
import numpy as np
import pytest

from service.learning.rows.folds import MANY_FOLDS, MANY_ROWS, assigned
from tests.support.problems import pointers, problem

ROWS = 30
RANDOM = np.random.default_rng(5)
X = np.linspace(0, 2, ROWS).round(3).tolist()
Y = (4 * np.array(X) + 2 + RANDOM.normal(0, 0.3, ROWS)).round(3).tolist()
SPLIT = {"validation": {"fraction": 0.2}, "test": {"first": 6}, "seed": 2}


def created(http: httpx.Client, noun: str, **fields: Any) -> str:
    return str(http.post(f"/api/{noun}", json=fields).raise_for_status().json()["id"])


@pytest.fixture(scope="session")
def line(http: httpx.Client) -> str:
    return created(http, "datasets", columns={"x": X, "y": Y}, targets=["y"], split=SPLIT)


@pytest.fixture
def straight(http: httpx.Client) -> str:
    return created(http, "models", architecture="Dense(1 => 1)")


def validated(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Post a cross-validation, and wait for its end."""
    made = http.post("/api/cross-validations", json=fields, headers={"Prefer": "wait=60"})
    assert (made.status_code, made.headers["Preference-Applied"]) == (200, "wait=60"), made.text
    found: dict[str, Any] = http.get(made.headers["Location"]).json()
    return found


def predicted(http: httpx.Client, id: str) -> list[dict[str, Any]]:
    """Return all out-of-fold predictions, by pages."""
    items, after = [], ""
    while True:
        page = http.get(f"/api/cross-validations/{id}/predictions?limit=7{after}").raise_for_status().json()
        items += page["items"]
        if page["next"] is None:
            return items
        after = f"&after={page['next']}"


def test_each_row_is_predicted_by_a_network_that_has_not_seen_it(http: httpx.Client, line: str, straight: str) -> None:
    recipe = {"epochs": 40, "path": "batches", "standardise": True}
    found = validated(http, model=straight, dataset=line, folds=4, recipe=recipe, seed=9)
    assert (found["state"], found["error"]) == ("succeeded", None)
    rows = predicted(http, found["id"])
    assert [each["row"] for each in rows] == list(range(6, ROWS))
    for fold in found["folds"]:
        held = [each for each in rows if each["fold"] == fold["fold"]]
        assert len(held) == fold["rows"] == 6
        errors = np.array([each["outputs"][0] - Y[each["row"]] for each in held])
        assert fold["metrics"]["mse"] == pytest.approx(np.mean(errors**2), rel=1e-5)

    others = [row for row in range(6, ROWS) if row not in {each["row"] for each in rows if each["fold"] == 2}]
    columns = {"x": [X[row] for row in others], "y": [Y[row] for row in others]}
    alone = created(http, "datasets", columns=columns, targets=["y"])
    job = {"model": straight, "dataset": alone, **recipe}
    http.post("/api/jobs", json=job, headers={"Prefer": "wait=60"}).raise_for_status()
    expected = http.get(f"/api/models/{straight}/parameters?version=1").json()["layers"][0]
    got = http.get(f"/api/jobs/{found['folds'][2]['job']}/parameters").json()["layers"][0]
    assert got["weight"][0][0] == pytest.approx(expected["weight"][0][0], rel=1e-4)
    assert got["bias"][0] == pytest.approx(expected["bias"][0], rel=1e-4)


@pytest.mark.parametrize("standardise", [False, True])
def test_sums_of_other_folds_give_the_fit_without_a_fold(http: httpx.Client, standardise: bool) -> None:
    rare = [float(row == 7) for row in range(ROWS)]  # one fold alone has it, and no other network can learn it
    columns = {"x": (1000 + np.array(X)).tolist(), "rare": rare, "y": Y}
    dataset = created(http, "datasets", columns=columns, targets=["y"], dtype="float64", split=SPLIT)
    model = created(http, "models", architecture="Dense(2 => 1)", dtype="float64")
    recipe = {"epochs": 40, "optimiser": "LevenbergMarquardt", "standardise": standardise}
    found = validated(http, model=model, dataset=dataset, folds=4, recipe=recipe)
    assert found["state"] == "succeeded", found["error"]
    rows = predicted(http, found["id"])
    numbers, folds = np.array([each["row"] for each in rows]), np.array([each["fold"] for each in rows])
    design = np.column_stack([X, np.ones(ROWS)])
    for fold in found["folds"]:
        held, seen = numbers[folds == fold["fold"]], numbers[folds != fold["fold"]]
        seen = seen[seen != 7]  # the rare column takes this row's residual all for itself
        line = np.linalg.lstsq(design[seen], np.array(Y)[seen], rcond=None)[0]
        expected = [each for each in held if each != 7]
        outputs = {each["row"]: each["outputs"][0] for each in rows}
        np.testing.assert_allclose([outputs[each] for each in expected], design[expected] @ line, rtol=1e-5)
        assert np.isfinite([outputs[each] for each in held]).all()


def test_means_and_deviations_are_those_of_the_folds_and_no_version_comes(
    http: httpx.Client, line: str, straight: str
) -> None:
    found = validated(http, model=straight, dataset=line, folds=3, recipe={"epochs": 5})
    mses = [fold["metrics"]["mse"] for fold in found["folds"]]
    assert found["mean"]["mse"] == pytest.approx(np.mean(mses))
    assert found["deviation"]["mse"] == pytest.approx(np.std(mses, ddof=1))
    assert http.get(f"/api/models/{straight}").json()["versions"] == 1
    jobs = {fold["job"] for fold in found["folds"]}
    assert jobs == {each["id"] for each in http.get(f"/api/jobs?cross_validation={found['id']}").json()["items"]}
    assert not jobs & {each["id"] for each in http.get("/api/jobs?limit=1000").json()["items"]}
    job = http.get(f"/api/jobs/{found['folds'][0]['job']}").json()
    assert (job["version"], job["cross_validation"]) == (None, found["id"])
    assert problem(http.delete(f"/api/jobs/{job['id']}"), 409)["code"] == "part_of_cross_validation"
    assert found["id"] in {each["id"] for each in http.get("/api/cross-validations").json()["items"]}
    assert http.delete(f"/api/cross-validations/{found['id']}").status_code == 204
    assert http.get(f"/api/jobs/{job['id']}").status_code == 404


def test_trainings_begin_from_the_untrained_version_unless_told(http: httpx.Client, line: str, straight: str) -> None:
    job = {"model": straight, "dataset": line, "epochs": 2, "path": "batches"}
    http.post("/api/jobs", json=job, headers={"Prefer": "wait=60"}).raise_for_status()
    for recipe, begun in (({}, 0), ({"from_version": 1}, 1)):
        found = validated(http, model=straight, dataset=line, folds=2, recipe={"epochs": 2} | recipe)
        shown = http.get(f"/api/jobs/{found['folds'][0]['job']}").json()
        assert shown["recipe"]["from_version"] == begun


def test_early_stopping_watches_rows_of_the_folds_training_alone(http: httpx.Client, line: str, straight: str) -> None:
    recipe = {"epochs": 30, "early_stopping": {"patience": 3}}
    found = validated(http, model=straight, dataset=line, folds=2, recipe=recipe)
    reports = http.get(f"/api/jobs/{found['folds'][0]['job']}/epochs").json()["items"]
    assert all(each["validation_loss"] is not None for each in reports)
    assert found["state"] == "succeeded"


def test_classes_are_dealt_evenly_and_predicted_by_their_labels(http: httpx.Client) -> None:
    kinds = ["red", "blue", "blue"] * 8
    columns = {"x": [float(len(kind)) for kind in kinds], "kind": kinds}
    flowers = created(http, "datasets", columns=columns, targets=["kind"], split={})
    model = created(http, "models", architecture="Dense(1 => 2)", name=f"kinds-{uuid.uuid4().hex[:6]}")
    recipe = {"epochs": 300, "loss": "logitcrossentropy", "optimiser": {"rule": "Adam", "eta": 0.3}}
    found = validated(http, model=model, dataset=flowers, folds=4, recipe=recipe)
    assert found["mean"]["accuracy"] == 1.0
    rows = predicted(http, found["id"])
    assert [each["labels"]["kind"] for each in rows] == kinds
    for fold in range(4):
        assert Counter(kinds[each["row"]] for each in rows if each["fold"] == fold) == {"red": 2, "blue": 4}


@pytest.mark.parametrize("rows", [7, 40, 101])
@pytest.mark.parametrize("folds", [2, 5, 7])
def test_folds_are_even_overall_and_in_every_class(rows: int, folds: int) -> None:
    classes = RANDOM.integers(0, 3, rows)
    for seed in range(3):
        dealt = assigned(classes, rows, folds, seed)
        assert np.ptp(np.bincount(dealt, minlength=folds)) <= 1
        for code in range(3):
            assert np.ptp(np.bincount(dealt[classes == code], minlength=folds)) <= 1
    assert (assigned(None, rows, folds, 0) == assigned(None, rows, folds, 0)).all()


@pytest.mark.parametrize("folds", [7, MANY_FOLDS + 1])
def test_folds_of_many_rows_are_even_and_each_row_is_drawn_by_itself(folds: int) -> None:
    rows = MANY_ROWS + 5
    dealt = assigned(None, rows, folds, 3)
    assert len(dealt) == rows
    assert np.ptp(np.bincount(dealt, minlength=folds)) <= 1
    assert (dealt[1:] == dealt[:-1]).mean() == pytest.approx(1 / folds, abs=0.005)  # as seldom as by chance
    assert (dealt == assigned(None, rows, folds, 3)).all()
    assert (dealt != assigned(None, rows, folds, 4)).any()


def test_a_fold_that_fails_fails_the_whole_and_says_why(http: httpx.Client, line: str, straight: str) -> None:
    recipe = {"optimiser": {"rule": "Descent", "eta": 1e12}, "path": "batches"}
    found = validated(http, model=straight, dataset=line, folds=2, recipe=recipe)
    assert (found["state"], found["error"]["code"], found["mean"]) == ("failed", "diverged", None)
    response = http.get(f"/api/cross-validations/{found['id']}/predictions")
    assert problem(response, 409)["code"] == "cross_validation_not_ended"


IMPOSSIBLE = {
    "more folds than rows": ({"folds": 25}, "#/folds"),
    "one fold": ({"folds": 1}, "#/folds"),
    "a field of its own": ({"recipe": {"model": "other"}}, "#/recipe/model"),
    "a recipe that is none": ({"recipe": {"epochs": 0}}, "#/recipe/epochs"),
    "an unknown field": ({"recipe": {"optimizer": "Adam"}}, "#/recipe/optimizer"),
}


@pytest.mark.parametrize(("fields", "pointer"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_cross_validations_are_refused_with_the_place(
    http: httpx.Client, line: str, straight: str, fields: dict[str, Any], pointer: str
) -> None:
    response = http.post("/api/cross-validations", json={"model": straight, "dataset": line} | fields)
    problem(response, 422)
    assert pointers(response) == [pointer]
