"""Weights of rows by their class, in the training loss alone."""

from typing import Any

import pytest

from service.client import Client
from service.learning.rows.drawn import DrawnValidation

KINDS = ["cat"] * 6 + ["dog"] * 3 + ["ant"]
COLUMNS: dict[str, list[Any]] = {
    "x": list(range(10)),
    "w": [1.0, 2.0] * 5,
    "z": [0.5] * 10,
    "kind": KINDS,
    "wild": [k != "cat" for k in KINDS],
}


def trained(client: Client, columns: dict[str, Any], target: str, outputs: int, **recipe: Any) -> Any:
    dataset = client.create_dataset(columns, [target], split={"validation": {"last": 1}}).id
    model = client.create_model(f"Dense({len(columns) - 1 - ('sample_weights' in recipe)} => {outputs})").id
    loss = "logitcrossentropy" if outputs > 1 else "logitbinarycrossentropy"
    job = {"model": model, "dataset": dataset, "epochs": 5, "loss": loss, **recipe}
    answer = client.http.post("/api/jobs", json=job, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "succeeded"
    vector = client.http.get(f"/api/models/{model}/parameters").json()["layers"]
    evaluated = client.http.post(f"/api/models/{model}/evaluations", json={"dataset": dataset, "part": "train"})
    assert evaluated.status_code == 201, evaluated.text
    return answer.json(), vector, evaluated.json()["loss"]


def only(*names: str) -> dict[str, Any]:
    return {name: COLUMNS[name] for name in names}


@pytest.mark.parametrize(
    ("target", "outputs", "class_weight", "equal"),
    [
        ("kind", 3, "balanced", {"cat": 9 / 18, "dog": 9 / 9, "ant": 1}),
        ("kind", 3, {"dog": 2.5, "ant": 0}, {"cat": 1, "dog": 2.5}),
        ("wild", 1, "balanced", {"false": 9 / 12, "true": 9 / 6}),
        ("wild", 1, {"true": 3}, {"false": 1, "true": 3}),
    ],
)
def test_rows_of_a_class_weigh_as_if_a_column_said_so(
    client: Client, target: str, outputs: int, class_weight: Any, equal: dict[str, float]
) -> None:
    """The last row, the only ant, is for validation."""
    job, vector, loss = trained(client, only("x", "z", target), target, outputs, class_weight=class_weight)
    labels = [str(value).lower() if isinstance(value, bool) else value for value in COLUMNS[target]]
    weighted = only("x", "z", target) | {"weight": [equal.get(label, 1.0) for label in labels]}
    other, expected, _ = trained(client, weighted, target, outputs, sample_weights="weight")
    assert vector[0]["weight"] == pytest.approx([pytest.approx(row) for row in expected[0]["weight"]])
    assert job["final_loss"] == pytest.approx(other["final_loss"])
    assert loss != pytest.approx(job["final_loss"])
    assert job["recipe"]["class_weight"] == class_weight


def test_balanced_weights_count_the_rows_that_train_alone(client: Client) -> None:
    kinds = ["cat"] * 20 + ["dog"] * 8
    columns: dict[str, Any] = {"x": list(range(28)), "kind": kinds}
    dataset = client.create_dataset(columns, ["kind"]).id
    job = {"model": client.create_model("Dense(1 => 2)").id, "dataset": dataset, "loss": "logitcrossentropy"}
    recipe = {"epochs": 3, "validation": {"fraction": 0.5, "seed": 4}, "from_version": 0}
    trained = DrawnValidation(0.5, 4).indices(28, "train")
    cats = sum(kinds[row] == "cat" for row in trained)
    assert cats * 8 != (14 - cats) * 20, "the draw has another share of cats than all rows"
    given = {"cat": 14 / (2 * cats), "dog": 14 / (2 * (14 - cats))}
    losses = []
    for weights in ("balanced", given):
        answer = client.http.post(
            "/api/jobs", json={**job, **recipe, "class_weight": weights}, headers={"Prefer": "wait=30"}
        )
        losses.append(answer.json()["final_loss"])
    assert losses[0] == losses[1]


def test_rows_of_categories_alone_can_be_weighed(client: Client) -> None:
    columns: dict[str, Any] = {"shade": ["red", "blue"] * 5, "kind": KINDS}
    dataset = client.create_dataset(columns, ["kind"]).id
    model = client.create_model("Dense(2 => 3)").id
    job = client.train(model, dataset, epochs=2, loss="logitcrossentropy", class_weight="balanced", wait=30)
    assert job.state == "succeeded"


def test_class_weights_multiply_sample_weights(client: Client) -> None:
    _, vector, _ = trained(
        client, only("x", "w", "kind"), "kind", 3, sample_weights="w", class_weight={"cat": 2, "dog": 0.5}
    )
    factor: dict[str, float] = {"cat": 2, "dog": 0.5}
    product = [COLUMNS["w"][row] * factor.get(kind, 1) for row, kind in enumerate(KINDS)]
    _, expected, _ = trained(client, only("x", "kind") | {"p": product}, "kind", 3, sample_weights="p")
    assert vector[0]["weight"] == pytest.approx([pytest.approx(row) for row in expected[0]["weight"]])


@pytest.mark.parametrize(
    ("columns", "targets", "class_weight", "pointer", "remedy"),
    [
        (("z", "x"), ["x"], "balanced", "#/class_weight", "types=x:categorical"),
        (("x", "kind", "wild"), ["kind", "wild"], "balanced", "#/class_weight", "sample_weights"),
        (("x", "kind"), ["kind"], {"a/b": 1}, "#/class_weight/a~1b", "'ant', 'cat', 'dog'"),
        (("x", "kind"), ["kind"], {"cat": 0, "dog": 0}, "#/class_weight", "give a class more"),
        (("x", "kind"), ["kind"], {"cat": -1}, "#/class_weight/cat", "0"),
        (("x", "kind"), ["kind"], {"cat": "much"}, "#/class_weight/cat", "number"),
        (("x", "kind"), ["kind"], "even", "#/class_weight", "balanced"),
        (("x", "wild"), ["wild"], {"True": 1}, "#/class_weight/True", "'false', 'true'"),
    ],
)
def test_class_weights_that_mean_nothing_are_refused(
    client: Client, columns: tuple[str, ...], targets: list[str], class_weight: Any, pointer: str, remedy: str
) -> None:
    dataset = client.create_dataset(only(*columns), targets, split={"validation": {"last": 1}})
    model = client.create_model(f"Dense({dataset.inputs} => {dataset.outputs})").id
    answer = client.http.post(
        "/api/jobs?validate_only=true", json={"model": model, "dataset": dataset.id, "class_weight": class_weight}
    )
    assert answer.status_code == 422
    errors = {each["pointer"]: each["detail"] for each in answer.json()["errors"]}
    assert pointer in errors
    assert remedy in errors[pointer]


def test_losses_of_all_rows_at_once_know_no_class_weights(client: Client) -> None:
    dataset = client.create_dataset(only("x", "wild"), ["wild"]).id
    model = client.create_model("Dense(1 => 1, sigmoid)").id
    body = {"model": model, "dataset": dataset, "loss": "dice_coeff_loss", "class_weight": "balanced"}
    answer = client.http.post("/api/jobs?validate_only=true", json=body)
    assert answer.json()["errors"][0]["pointer"] == "#/class_weight", answer.text
