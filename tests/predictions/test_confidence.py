"""Intervals and sets of predictions over HTTP."""

from typing import Any

import numpy as np
import pytest

from service.client import Client
from service.jobs.schemas import Job

ROWS = 120
RNG = np.random.default_rng(3)
X = RNG.uniform(-1, 1, ROWS)
COLUMNS: dict[str, Any] = {
    "x": X.tolist(),
    "y": (2 * X + RNG.normal(0, 0.1, ROWS)).tolist(),
    "z": (X**2).tolist(),
    "kind": [("low", "middle", "high")[int(each)] for each in np.digitize(X + RNG.normal(0, 0.3, ROWS), [-0.3, 0.3])],
}
SPLIT = {"validation": {"last": 40}}


def trained(client: Client, targets: list[str], split: Any = None, **recipe: Any) -> Job:
    columns = {name: COLUMNS[name] for name in ("x", *targets)}
    dataset = client.create_dataset(columns, targets, split=SPLIT if split is None else split).id
    model = client.create_model(f"Dense(1 => {2 * ('kind' in targets) + len(targets)})").id
    return client.train(model, dataset, wait=30, epochs=5, **recipe)


@pytest.fixture(scope="module")
def numbers(client: Client) -> Job:
    return trained(client, ["y", "z"])


@pytest.fixture(scope="module")
def classes(client: Client) -> Job:
    return trained(client, ["kind"], loss="logitcrossentropy")


def ask(client: Client, job: Job, body: dict[str, Any], accept: str = "application/json") -> Any:
    return client.http.post(f"/api/models/{job.model}/predictions", json=body, headers={"Accept": accept})


def predicted(client: Client, job: Job, **body: Any) -> Any:
    answer = ask(client, job, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_bounds_are_the_errors_of_their_rank_away(client: Client, numbers: Job) -> None:
    answer = predicted(client, numbers, dataset=numbers.dataset, part="validation", interval=0.9)
    outputs = np.array(answer["outputs"])
    errors = np.abs(outputs - np.array([COLUMNS["y"], COLUMNS["z"]], np.float32).T[-40:])
    margins = np.sort(errors, axis=0)[36]  # the 37th of 40: 41 × 0.9 = 36.9
    bounds = answer["intervals"]
    assert (bounds["level"], bounds["method"]) == (0.9, "split_conformal")
    np.testing.assert_allclose(bounds["lower"], outputs - margins, atol=1e-6)
    np.testing.assert_allclose(bounds["upper"], outputs + margins, atol=1e-6)
    assert "advice" not in answer
    again = predicted(client, numbers, inputs=[[0.5]], interval=0.9)["intervals"]
    by_name = predicted(client, numbers, rows=[{"x": 0.5}], interval=0.9)["intervals"]
    assert again == by_name
    np.testing.assert_allclose(np.subtract(again["upper"], again["lower"])[0], 2 * margins, atol=1e-6)


def test_sets_hold_the_true_classes_and_are_never_empty(client: Client, classes: Job) -> None:
    def sets(level: float) -> Any:
        return predicted(client, classes, dataset=classes.dataset, part="validation", sets=level)["label_sets"]["sets"]

    held = [true in found for true, found in zip(COLUMNS["kind"][-40:], sets(0.9), strict=True)]
    assert 37 <= sum(held) <= 40
    labels = predicted(client, classes, dataset=classes.dataset, part="validation")["labels"]
    assert [[each] for each in labels] == sets(0.01)


def test_a_number_and_a_class_are_each_in_their_place(client: Client) -> None:
    job = trained(client, ["y", "kind"])
    answer = predicted(client, job, inputs=[[0.1]], interval=0.9)
    (lower,), (outputs,) = answer["intervals"]["lower"], answer["outputs"]
    assert lower[0] < outputs[0]
    assert lower[1:] == [None] * 3
    refused = ask(client, job, {"inputs": [[0.1]], "sets": 0.9}).json()
    assert refused["code"] == "no_probabilities"


def test_tables_have_columns_of_bounds_and_sets(client: Client, numbers: Job, classes: Job) -> None:
    table = ask(client, numbers, {"inputs": [[0.5]], "interval": 0.9}, "text/csv").text
    assert table.splitlines()[0] == '"y","y_lower","y_upper","z","z_lower","z_upper"'
    table = ask(client, classes, {"inputs": [[0.9]], "sets": 0.5}, "text/csv").text
    assert table.splitlines()[0].endswith('"kind_set"')
    assert '"[""' in table.splitlines()[1]
    assert ask(client, classes, {"inputs": [[0.9]], "sets": 0.5}, "application/vnd.apache.arrow.stream").is_success


@pytest.mark.parametrize(
    ("recipe", "reused"),
    [
        ({"keep": "best"}, True),
        ({"early_stopping": {"patience": 9}}, True),
        ({"early_stopping": {"patience": 9, "monitor": "train_loss"}}, False),
        ({"schedule": {"name": "Plateau", "start": 0.1}}, True),
        ({"seed": 1}, False),
    ],
)
def test_levels_are_doubtful_where_the_training_chose_by_their_rows(
    client: Client, recipe: dict[str, Any], reused: bool
) -> None:
    job = trained(client, ["y"], **recipe)
    assert job.state == "succeeded"
    answer = predicted(client, job, inputs=[[0]], interval=0.5)
    assert [each["code"] for each in answer.get("advice", ())] == ["calibration_reused"] * reused


def test_levels_are_doubtful_where_their_rows_were_learnt_from_before(client: Client) -> None:
    job = trained(client, ["y"], split={}, validation={"fraction": 0.3, "seed": 1})
    assert "advice" not in predicted(client, job, inputs=[[0]], interval=0.9)
    client.train(job.model, job.dataset, wait=30, epochs=5, validation={"fraction": 0.3, "seed": 2})
    assert predicted(client, job, inputs=[[0]], interval=0.9)["advice"][0]["code"] == "calibration_reused"


@pytest.mark.parametrize(
    ("body", "code", "remedy"),
    [
        ({"interval": 0.99}, "too_few_calibration_rows", "99 calibration rows"),
        ({"sets": 0.9}, "no_classes", "interval"),
        ({"interval": 1}, "invalid", "less than 1"),
        ({"interval": 0}, "invalid", "greater than 0"),
        ({"interval": "0.9"}, "invalid", "number"),
        ({"interval": True}, "invalid", "number"),
        ({"interval": None}, "invalid", "number"),
    ],
)
def test_levels_that_cannot_be_met_are_refused(
    client: Client, numbers: Job, body: dict[str, Any], code: str, remedy: str
) -> None:
    answer = ask(client, numbers, {"inputs": [[0.5]], **body})
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert (answer.json()["code"], fault["pointer"]) == (code, f"#/{next(iter(body))}")
    assert remedy in fault["detail"]


def test_the_level_that_a_refusal_names_is_answered(client: Client, numbers: Job) -> None:
    detail = ask(client, numbers, {"inputs": [[0.5]], "interval": 0.999}).json()["detail"]
    named = float(detail.partition("a level of ")[2].split(",")[0])
    assert 0.97 < named < 40 / 41
    assert ask(client, numbers, {"inputs": [[0.5]], "interval": named}).is_success


def test_a_calibration_part_gives_the_scores_and_decides_nothing(client: Client) -> None:
    split = {"validation": {"first": 40}, "calibration": {"last": 9}}
    job = trained(client, ["y"], split=split, keep="best")
    own = predicted(client, job, dataset=job.dataset, part="calibration", interval=0.9)
    errors = np.abs(np.array(own["outputs"])[:, 0] - np.array(COLUMNS["y"], np.float32)[-9:])
    widths = np.subtract(own["intervals"]["upper"], own["intervals"]["lower"])[:, 0]
    np.testing.assert_allclose(widths, 2 * errors.max(), atol=1e-6)
    assert "advice" not in own
    refused = ask(client, job, {"inputs": [[0.5]], "interval": 0.95}).json()
    assert (refused["code"], "19 calibration rows" in refused["detail"]) == ("too_few_calibration_rows", True)


def test_sets_are_made_of_probabilities_at_the_temperature_of_other_rows(client: Client) -> None:
    split = {"validation": {"first": 40}, "calibration": {"last": 40}}
    job = trained(client, ["kind"], split=split, loss="logitcrossentropy")
    answer = predicted(client, job, dataset=job.dataset, part="calibration", sets=0.8)
    found = answer["label_sets"]
    assert found["temperature"] != 1
    logits = np.array(answer["outputs"]) / found["temperature"]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found["probabilities"], chances, atol=1e-6)
    true = [answer["classes"].index(each) for each in COLUMNS["kind"][-40:]]
    bound = np.sort(1 - chances[np.arange(40), true])[32]  # the 33rd of 40: 41 × 0.8 = 32.8
    inside = [[answer["classes"][code] for code in np.flatnonzero(1 - row <= bound + 1e-9)] for row in chances]
    assert [set(each) for each in found["sets"]] == [set(each) for each in inside]


LEAST_SQUARES = {"optimiser": "LevenbergMarquardt"}


def left_out_residuals(outputs: int) -> Any:
    design = np.column_stack([X, np.ones(ROWS)])
    y = np.array([COLUMNS["y"], COLUMNS["z"]]).T[:, :outputs]
    hat = design @ np.linalg.pinv(design)
    return (y - hat @ y) / (1 - np.diagonal(hat))[:, None]


def test_a_fit_without_rows_to_spare_leaves_each_of_them_out(client: Client) -> None:
    job = trained(client, ["y", "z"], split={}, **LEAST_SQUARES)
    found = predicted(client, job, inputs=[[0.5], [0.1]], interval=0.9)
    margins = np.sort(np.abs(left_out_residuals(2)), axis=0)[108]  # the 109th of 120: 121 × 0.9 = 108.9
    bounds = found["intervals"]
    assert bounds["method"] == "leave_one_out"
    np.testing.assert_allclose(np.subtract(bounds["upper"], bounds["lower"]), [2 * margins] * 2, rtol=1e-4)
    wider = predicted(client, job, inputs=[[0.5], [0.1]], interval=0.9, method="jackknife_plus")["intervals"]
    assert wider["method"] == "jackknife_plus"
    np.testing.assert_allclose(wider["lower"], bounds["lower"], atol=0.05)
    np.testing.assert_allclose(wider["upper"], bounds["upper"], atol=0.05)
    judged = client.http.post(f"/api/models/{job.model}/evaluations", json={"dataset": job.dataset, "part": "train"})
    assert judged.json()["coverage"]["y"] == pytest.approx(0.9, abs=0.05)
    refused = ask(client, job, {"inputs": [[0.5]], "interval": 0.9, "method": "split_conformal"}).json()
    assert refused["code"] == "no_calibration"


def test_a_fit_with_rows_to_spare_may_leave_each_out_when_asked(client: Client) -> None:
    job = trained(client, ["y"], **LEAST_SQUARES)
    methods = [None, "split_conformal", "leave_one_out", "jackknife_plus"]
    bodies = [{"inputs": [[0.5]], "interval": 0.9, **({"method": each} if each else {})} for each in methods]
    told = [predicted(client, job, **each)["intervals"]["method"] for each in bodies]
    assert told == ["split_conformal", *methods[1:]]


def test_only_fits_leave_rows_out(client: Client, numbers: Job) -> None:
    for method in ("leave_one_out", "jackknife_plus"):
        refused = ask(client, numbers, {"inputs": [[0.5]], "interval": 0.9, "method": method}).json()
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("not_at_optimum", "#/method")
    assert ask(client, numbers, {"inputs": [[0.5]], "method": "leave_one_out"}).status_code == 422


def test_versions_without_rows_of_calibration_say_what_gives_them_some(client: Client) -> None:
    job = trained(client, ["y"], split={})

    def code(query: str = "") -> Any:
        body = {"inputs": [[0.5]], "interval": 0.9}
        answer = client.http.post(f"/api/models/{job.model}/predictions{query}", json=body).json()
        return answer.get("code")

    assert code() == code("?version=0") == "no_calibration"
    client.train(job.model, job.dataset, wait=30, epochs=1, validation={"fraction": 0.2})
    assert code() is None
    client.delete(f"/api/datasets/{job.dataset}")
    assert code() == "no_calibration"
