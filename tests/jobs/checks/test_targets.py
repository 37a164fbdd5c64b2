"""Advice where a network will not come to its targets, and remedies that end it."""

from typing import Any

import pytest

from service.client import Client

XS = [-2, -1.5, -1, -0.5, -0.25, 0.25, 0.5, 1, 1.5, 2]
PRICES = [214_000 + 50_000 * x + 3000 * x * x for x in XS]
ADAM = {"rule": "Adam", "eta": 0.01}
HIDDEN = "Chain(Dense(1 => 4, tanh), Dense(4 => 1))"


def advised(client: Client, targets: list[Any], architecture: str = HIDDEN, **recipe: Any) -> dict[str, dict[str, str]]:
    """Return the advice on a job, by its code."""
    dataset = client.create_dataset({"x": XS, "y": targets}, ["y"]).id
    return planned(client, dataset, architecture, **recipe)


def planned(client: Client, dataset: str, architecture: str = HIDDEN, **recipe: Any) -> dict[str, dict[str, str]]:
    body = {"model": client.create_model(architecture).id, "dataset": dataset, "epochs": 300, "optimiser": ADAM}
    answer = client.http.post("/api/jobs?validate_only=true", json=body | recipe)
    assert answer.status_code == 200, answer.text
    return {each["code"]: each for each in answer.json()["advice"]}


def test_targets_far_from_the_first_outputs_are_to_be_scaled(client: Client) -> None:
    found = advised(client, PRICES)["targets_far_away"]
    assert found["pointer"] == "#/standardise"
    assert '"standardise": "targets"' in found["detail"]
    assert advised(client, PRICES, standardise="targets") == {}
    assert "targets_far_away" not in advised(client, [(y - 219_000) / 65_000 for y in PRICES])


def test_counts_far_from_the_first_outputs_are_to_stay_positive(client: Client) -> None:
    counts, architecture = [1000.0 + 100 * x for x in XS], "Chain(Dense(1 => 4), Dense(4 => 1, softplus))"
    found = advised(client, counts, architecture, loss="poisson_loss")["targets_far_away"]
    assert "as y / 1010, and" in found["detail"]
    assert advised(client, [y / 1010 for y in counts], architecture, loss="poisson_loss") == {}


@pytest.mark.parametrize(
    ("architecture", "recipe"),
    [
        ("Dense(1 => 1)", {"optimiser": {"rule": "Descent", "eta": 0.1}}),
        (HIDDEN, {"optimiser": {"rule": "Adam", "eta": 1000}}),
        (HIDDEN, {"loss": "mae", "optimiser": {"rule": "Adam", "eta": 1000}}),
    ],
)
def test_steps_that_come_to_large_targets_need_no_scaling(
    client: Client, architecture: str, recipe: dict[str, Any]
) -> None:
    assert "targets_far_away" not in advised(client, PRICES, architecture, **recipe)


def test_a_network_that_gives_such_targets_already_needs_no_scaling(client: Client) -> None:
    dataset = client.create_dataset({"x": XS, "y": PRICES}, ["y"]).id
    model = client.create_model("Chain(Dense(1 => 1), Dense(1 => 1))", parameters=[
        {"weight": [[1.0]], "bias": [0.0]}, {"weight": [[50_000.0]], "bias": [214_000.0]}
    ])  # fmt: skip
    body = {"model": model.id, "dataset": dataset, "epochs": 300, "optimiser": ADAM}
    advice = client.http.post("/api/jobs?validate_only=true", json=body).json()["advice"]
    assert "targets_far_away" not in [each["code"] for each in advice]


@pytest.mark.parametrize(
    ("architecture", "loss", "words"),
    [
        ("Dense(1 => 1, sigmoid)", "mse", "ends in sigmoid, so that its outputs are between 0 and 1"),
        ("Dense(1 => 1, relu)", "mae", "ends in relu, so that its outputs are at least 0"),
        ("Chain(Dense(1 => 1), softmax)", "mse", "are always 1"),
        ("Chain(Dense(1 => 1), tanh, Dropout(0.5))", "mse", "between -1 and 1"),
        ("Chain(Dense(1 => 1, sigmoid), logsigmoid)", "mse", "ends in sigmoid and then logsigmoid"),
        ("Dense(1 => 1, x -> 2 * tanh(x))", "mse", "between -2 and 2"),
    ],
)
def test_targets_that_the_last_function_cannot_give_are_named(
    client: Client, architecture: str, loss: str, words: str
) -> None:
    found = advised(client, [3 * x for x in XS], architecture, loss=loss)["targets_out_of_range"]
    assert words in found["detail"]
    assert "Let it end in a Dense without" in found["detail"]
    assert found["pointer"] == "#/model"


@pytest.mark.parametrize("function", ["relu", "tanh", "elu", "softplus"])
def test_logits_on_one_side_are_no_logits(client: Client, function: str) -> None:
    truths = [x > 0 for x in XS]
    found = advised(client, truths, f"Dense(1 => 1, {function})", loss="logitbinarycrossentropy")
    assert "behind the sigmoid of logitbinarycrossentropy, are" in found["targets_out_of_range"]["detail"]


def test_a_softmax_of_probabilities_is_to_stand_alone(client: Client) -> None:
    classes = ["abc"[(x > 0) + (x > 1)] for x in XS]
    found = advised(client, classes, "Chain(Dense(1 => 3, sigmoid), softmax)", loss="crossentropy")
    assert "Leave sigmoid out, and let it end in softmax alone" in found["targets_out_of_range"]["detail"]
    assert advised(client, classes, "Chain(Dense(1 => 3), softmax)", loss="crossentropy") == {}


@pytest.mark.parametrize(
    ("targets", "code"), [([7.0] * 10, "constant_target"), ([True] * 10, "one_class"), (["a"] * 10, "one_class")]
)
def test_a_target_of_one_value_teaches_nothing(client: Client, targets: list[Any], code: str) -> None:
    assert code in advised(client, targets, loss="mse")


def test_a_class_that_training_never_sees_is_named_with_a_better_split(client: Client) -> None:
    columns: dict[str, Any] = {"x": XS, "y": ["a", "b"] * 4 + ["c", "c"]}
    ends = client.create_dataset(columns, ["y"], split={"test": {"last": 2}}).id
    found = planned(client, ends, "Dense(1 => 3)", loss="logitcrossentropy")["class_not_in_training"]
    assert '"split": {"test": {"fraction": 0.2}, "stratify": true}' in found["detail"]
    drawn = client.create_dataset(columns, ["y"], split={"test": {"fraction": 0.2}, "stratify": True}).id
    assert planned(client, drawn, "Dense(1 => 3)", loss="logitcrossentropy") == {}


@pytest.mark.parametrize(
    ("recipe", "code", "pointer"),
    [
        ({"optimiser": {"rule": "Descent", "eta": 1e-7}}, "rate_too_small", "#/optimiser/eta"),
        ({"optimiser": {"rule": "Adam", "eta": 1e-9}}, "rate_too_small", "#/optimiser/eta"),
        ({"optimiser": {"rule": "RMSProp", "eta": 50}}, "rate_too_large", "#/optimiser/eta"),
        ({"batch_size": 64}, "batch_size_above_rows", "#/batch_size"),
    ],
)
def test_steps_that_hardly_learn_are_named(client: Client, recipe: dict[str, Any], code: str, pointer: str) -> None:
    assert advised(client, [3.0 * x for x in XS], "Dense(1 => 1)", **recipe)[code]["pointer"] == pointer
