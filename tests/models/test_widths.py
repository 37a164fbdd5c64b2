"""Widths that a dataset gives, and whole networks that suit it."""

from typing import Any

import pytest

from service.client import Client
from service.learning.planning.architectures import suggested

FLOWERS: dict[str, Any] = {
    "length": [float(row) for row in range(30)],
    "shade": ["red", "blue", "white"] * 10,
    "species": ["setosa", "virginica"] * 15,
}


@pytest.fixture(scope="module")
def flowers(client: Client) -> str:
    return client.create_dataset(FLOWERS, ["species"]).id


@pytest.mark.parametrize(
    ("architecture", "filled"),
    [
        ("Chain(Dense(_ => 16, tanh), Dense(16 => _))", "Chain(Dense(4 => 16, tanh), Dense(16 => 2))"),
        ("Dense(_=>_)", "Dense(4 => 2)"),
        ("Chain(Dense(_ => 3), Dense(3 => _; bias=false), softmax)", None),
        ("Chain(Dense(_ => 3, x -> relu(x)), Dense( 3 =>  _ ))", None),
        ("Chain(Dense(_ => 3, _ -> leakyrelu(_, 0.2)), Dense(3 => 2))", None),
    ],
)
def test_an_underscore_stands_for_a_width_of_the_dataset(
    client: Client, flowers: str, architecture: str, filled: str | None
) -> None:
    answer = client.http.post("/api/models", json={"architecture": architecture, "dataset": flowers})
    assert answer.status_code == 201, answer.text
    made = answer.json()["architecture"]
    assert filled in (None, made)
    assert "Dense(4 => " in made
    assert answer.json()["advice"] == []


def test_auto_suggests_a_network_that_trains_and_says_why(client: Client, flowers: str) -> None:
    answer = client.http.post("/api/models", json={"architecture": "auto", "dataset": flowers}).json()
    (advice,) = answer["advice"]
    assert (advice["code"], advice["pointer"]) == ("architecture_chosen", "#/architecture")
    assert answer["architecture"] in advice["detail"]
    assert client.http.get(f"/api/models/{answer['id']}").json()["advice"] == []
    assert client.train(answer["id"], flowers, epochs=2, loss="logitcrossentropy", wait=30).state == "succeeded"


def test_more_rows_are_worth_more_layers() -> None:
    def shape(*case: int) -> str:
        return suggested(*case).architecture

    assert shape(10, 1, 19) == "Dense(10 => 1)"
    assert shape(4, 3, 20) == "Chain(Dense(4 => 64, relu), Dense(64 => 3))"
    assert shape(8, 1, 2000) == "Chain(Dense(8 => 64, relu), Dense(64 => 64, relu), Dense(64 => 1))"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"architecture": "Dense(_ => 2)"}, 422, "no_dataset_for_widths", "#/architecture"),
        ({"architecture": "auto"}, 422, "no_dataset_for_widths", "#/architecture"),
        ({"architecture": "Dense(_ => 3)", "dataset": True}, 422, "widths_differ", "#/dataset"),
        (
            {"architecture": "Chain(LayerNorm(_), Dense(4 => 2))", "dataset": True},
            422,
            "bad_notation",
            "#/architecture",
        ),
        ({"architecture": "Dense(__ => 2)", "dataset": True}, 422, "bad_notation", "#/architecture"),
        ({"architecture": "auto", "dataset": "nobody"}, 404, "dataset_not_found", "#/dataset"),
        ({"layers": [{"type": "Dense", "in": 1, "out": 2}], "dataset": True}, 422, "widths_differ", "#/dataset"),
    ],
)
def test_widths_that_nothing_gives_are_refused(
    client: Client, flowers: str, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    body = body | {"dataset": flowers} if body.get("dataset") is True else body
    answer = client.http.post("/api/models", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["pointer"] == pointer
