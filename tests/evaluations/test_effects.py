"""Partial dependence over HTTP."""

from typing import Any

import pytest

from service.client import Client

COLUMNS: dict[str, Any] = {
    "x": [0.0, 1.0, 2.0, 3.0],
    "shade": ["red", "blue", "red", "blue"],
    "y": [1.0, 2.0, 3.0, 4.0],
}


@pytest.fixture(scope="module")
def names(client: Client) -> tuple[str, str]:
    """A model of y = 3 x + 10 blue + 20 red + 1, and the dataset whose categories are blue and red, in this order."""
    parameters = [{"weight": [[3.0, 10.0, 20.0]], "bias": [1.0]}]
    model = client.create_model("Dense(3 => 1)", parameters=parameters).id
    return model, client.create_dataset(COLUMNS, ["y"], dtype="float64").id


def effect(client: Client, names: tuple[str, str], query: str) -> Any:
    return client.http.get(f"/api/models/{names[0]}/effect?dataset={names[1]}&{query}")


def test_a_line_has_its_slope_as_the_effect_of_a_number(client: Client, names: tuple[str, str]) -> None:
    shown = effect(client, names, "feature=x")
    assert shown.status_code == 200, shown.text
    answer = shown.json()
    (feature,) = answer["features"]
    assert (feature["values"][0], feature["values"][-1], len(feature["values"])) == (0, 3, 20)
    assert [means[0] for means in answer["outputs"]] == pytest.approx([3 * x + 16 for x in feature["values"]], rel=1e-6)
    assert answer["rows"] == 4


def test_two_columns_have_an_effect_together(client: Client, names: tuple[str, str]) -> None:
    answer = effect(client, names, "feature=shade&feature=x").json()
    shades, numbers = (each["values"] for each in answer["features"])
    assert shades == ["blue", "red"]
    of = {"blue": 10, "red": 20}
    for shade, row in zip(shades, answer["outputs"], strict=True):
        assert [means[0] for means in row] == pytest.approx([3 * x + of[shade] + 1 for x in numbers], rel=1e-6)


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("feature=z", 422, "query/feature"),
        ("feature=x&feature=x", 422, "query/feature"),
        ("feature=x&feature=shade&feature=y", 422, "query/feature"),
        ("", 422, "query/feature"),
        ("feature=x&part=test", 422, "query/part"),
        ("feature=x&version=7", 404, "query/version"),
    ],
)
def test_effects_that_cannot_be_shown_are_refused(
    client: Client, names: tuple[str, str], query: str, status: int, pointer: str
) -> None:
    answer = effect(client, names, query)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["pointer"] == pointer
