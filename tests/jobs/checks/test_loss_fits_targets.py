"""A loss that means nothing for the targets is refused; one that hardly means what is wanted gets advice."""

from typing import Any

import pytest

from service.client import Client
from tests.support.problems import problem

XS = [-2, -1.5, -1, -0.5, -0.25, 0.25, 0.5, 1, 1.5, 2]
TARGETS: dict[str, dict[str, list[Any]]] = {
    "numbers": {"y": [3 * x + 1 for x in XS]},
    "large": {"y": [x + 10 for x in XS]},
    "low": {"y": [x - 10 for x in XS]},
    "zero_one": {"y": [int(x > 0) for x in XS]},
    "three": {"y": [int(x > 0) + int(x > 1) for x in XS]},
    "one_far": {"y": [*range(9), 99_999_999]},
    "signs": {"y": [1 if x > 0 else -1 for x in XS]},
    "truths": {"y": [x > 0 for x in XS]},
    "halves": {"y": [x / 4 for x in XS]},
    "shares": {"y": [0.2 + x / 20 for x in range(10)]},
    "classes": {"y": ["abc"[(x > 0) + (x > 1)] for x in XS]},
    "class_signs": {each: [1 if "abc"[(x > 0) + (x > 1)] == each else -1 for x in XS] for each in "abc"},
    "marks": {"y": [int(x > 0) for x in XS], "z": [int(x > 1) for x in XS]},
    "both_true": {"y": [x > 0 for x in XS], "z": [x > 1 for x in XS]},
    "class_and_truth": {"y": ["abc"[(x > 0) + (x > 1)] for x in XS], "z": [x > 1 for x in XS]},
    "one_hot": {each: [int("abc"[(x > 0) + (x > 1)] == each) for x in XS] for each in "abc"},
    "parts": {
        "a": [0.333, 0.25, 1 / 3, 0, 1] * 2,
        "b": [0.333, 0.25, 1 / 3, 0, 0] * 2,
        "c": [0.334, 0.5, 0.3333, 1, 0] * 2,
    },
    "two_classes": {"y": ["abc"[(x > 0) + (x > 1)] for x in XS], "z": ["ab"[x > 1] for x in XS]},
    "mixed": {"y": [3 * x + 1 for x in XS], "z": ["abc"[(x > 0) + (x > 1)] for x in XS]},
}


@pytest.fixture(scope="module")
def datasets(client: Client) -> dict[str, str]:
    """Datasets by the kind of their targets."""
    return {kind: client.create_dataset({"x": XS, **targets}, list(targets)).id for kind, targets in TARGETS.items()}


def plan(client: Client, dataset: str, architecture: str, loss: Any) -> Any:
    body = {"model": client.create_model(architecture).id, "dataset": dataset, "loss": loss, "epochs": 3}
    return client.http.post("/api/jobs?validate_only=true", json=body)


@pytest.mark.parametrize(
    ("kind", "architecture", "loss", "remedy"),
    [
        ("truths", "Dense(1 => 1)", "logitcrossentropy", "logitbinarycrossentropy takes one output"),
        ("zero_one", "Dense(1 => 1)", "logitcrossentropy", "types=y:categorical"),
        ("large", "Dense(1 => 1, sigmoid)", "binarycrossentropy", "mse takes any numbers"),
        ("low", "Dense(1 => 1, softplus)", "msle", "mse takes any numbers"),
        ("low", "Dense(1 => 1, softplus)", "poisson_loss", "mse takes any numbers"),
        ("large", "Dense(1 => 1)", "hinge_loss", "mse takes any numbers"),
    ],
)
def test_a_loss_that_means_nothing_for_any_row_is_refused(
    client: Client, datasets: dict[str, str], kind: str, architecture: str, loss: str, remedy: str
) -> None:
    refused = problem(plan(client, datasets[kind], architecture, loss), 422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("loss_does_not_fit", "#/loss")
    assert remedy in refused["detail"]


@pytest.mark.parametrize(
    ("kind", "architecture", "loss", "code"),
    [
        ("numbers", "Dense(1 => 1)", "logitbinarycrossentropy", "targets_outside_loss"),
        ("numbers", "Dense(1 => 1, softplus)", "msle", "targets_outside_loss"),
        ("halves", "Dense(1 => 1, softplus)", "msle", "targets_outside_loss"),
        ("halves", "Dense(1 => 1, softplus)", {"name": "msle", "eps": 0.5}, "targets_outside_loss"),
        ("truths", "Dense(1 => 1)", "hinge_loss", "targets_outside_loss"),
        ("truths", "Dense(1 => 1, sigmoid)", "crossentropy", "one_output"),
        ("zero_one", "Dense(1 => 1)", "logitbinarycrossentropy", "target_is_numeric"),
        ("zero_one", "Dense(1 => 1)", "mse", "target_is_numeric"),
        ("signs", "Dense(1 => 1)", "huber_loss", "target_is_numeric"),
        ("mixed", "Dense(1 => 4)", "logitcrossentropy", "targets_of_two_kinds"),
        ("marks", "Dense(1 => 2)", "logitcrossentropy", "targets_of_no_whole"),
        ("marks", "Chain(Dense(1 => 2), softmax)", "focal_loss", "targets_of_no_whole"),
        ("both_true", "Dense(1 => 2)", "crossentropy", "targets_of_no_whole"),
        ("class_and_truth", "Dense(1 => 4)", "kldivergence", "targets_of_no_whole"),
    ],
)
def test_a_loss_that_hardly_means_what_is_wanted_gets_advice(
    client: Client, datasets: dict[str, str], kind: str, architecture: str, loss: Any, code: str
) -> None:
    assert code in [each["code"] for each in plan(client, datasets[kind], architecture, loss).json()["advice"]]


@pytest.mark.parametrize(
    ("kind", "architecture", "loss"),
    [
        ("numbers", "Dense(1 => 1)", "mse"),
        ("three", "Dense(1 => 1)", "mse"),
        ("one_far", "Dense(1 => 1)", "mse"),
        ("numbers", "Dense(1 => 1)", "huber_loss"),
        ("halves", "Dense(1 => 1, softplus)", {"name": "msle", "eps": 1}),
        ("signs", "Dense(1 => 1)", "hinge_loss"),
        ("truths", "Dense(1 => 1)", "logitbinarycrossentropy"),
        ("mixed", "Dense(1 => 4)", "mse"),
        ("one_hot", "Dense(1 => 3)", "logitcrossentropy"),
        ("parts", "Dense(1 => 3)", "logitcrossentropy"),
        ("two_classes", "Dense(1 => 5)", "logitcrossentropy"),
        ("both_true", "Dense(1 => 2)", "logitbinarycrossentropy"),
        ("shares", "Dense(1 => 1, sigmoid)", "binarycrossentropy"),
        ("zero_one", "Dense(1 => 1, sigmoid)", "siamese_contrastive_loss"),
    ],
)
def test_a_loss_that_fits_is_taken_in_silence(
    client: Client, datasets: dict[str, str], kind: str, architecture: str, loss: Any
) -> None:
    codes = {each["code"] for each in plan(client, datasets[kind], architecture, loss).json()["advice"]}
    assert not codes & {
        "targets_outside_loss",
        "one_output",
        "target_is_numeric",
        "targets_of_two_kinds",
        "targets_of_no_whole",
    }


def test_the_remedy_for_classes_under_a_loss_of_signs_works(client: Client, datasets: dict[str, str]) -> None:
    (advice,) = [
        each
        for each in plan(client, datasets["classes"], "Dense(1 => 3)", "hinge_loss").json()["advice"]
        if each["code"] == "targets_outside_loss"
    ]
    assert "Use logitcrossentropy" in advice["detail"]
    assert "a column of numbers -1 and 1 for each class" in advice["detail"]
    for kind, loss in (("classes", "logitcrossentropy"), ("class_signs", "hinge_loss")):
        assert plan(client, datasets[kind], "Dense(1 => 3)", loss).json()["advice"] == []


@pytest.mark.parametrize("number", [int, float])
def test_the_remedy_for_zeros_and_ones_makes_a_class(client: Client, number: type) -> None:
    rows = "x,y\n" + "\n".join(f"{x},{number(x > 0)}" for x in XS)
    path = "/api/datasets?targets=y&types=y:boolean"
    dataset = client.http.post(path, content=rows, headers={"Content-Type": "text/csv"}).json()["id"]
    model = client.create_model("Dense(1 => 1)").id
    client.train(model, dataset, loss="logitbinarycrossentropy", epochs=3, wait=30)
    evaluated = client.http.post(f"/api/models/{model}/evaluations", json={"dataset": dataset, "part": "train"})
    assert {"accuracy", "log_loss", "roc_auc"} <= evaluated.json()["metrics"].keys()


def test_other_widths_name_the_upload_that_has_them(client: Client, datasets: dict[str, str]) -> None:
    refused = problem(plan(client, datasets["zero_one"], "Dense(1 => 2)", "logitcrossentropy"), 422)
    assert refused["code"] == "widths_differ"
    assert "types=y:categorical (in JSON in `types`) makes one for each of its values" in refused["detail"]


def test_of_one_category_nothing_is_told_apart(client: Client) -> None:
    rows = {"Content-Type": "text/csv"}
    dataset = client.http.post("/api/datasets?targets=y&types=y:categorical", content="x,y\n1,a\n2,a\n", headers=rows)
    refused = problem(plan(client, dataset.json()["id"], "Dense(1 => 1)", "logitcrossentropy"), 422)
    assert "one category: there is nothing to tell apart" in refused["detail"]
