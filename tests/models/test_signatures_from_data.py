"""The signature that a version keeps of its data."""

from dataclasses import asdict
from typing import Any

import pytest

from service.database.record import reader
from service.datasets.arrangement import Arrangement
from service.datasets.columns import Column
from service.datasets.records import DatasetRecord
from service.learning import notation
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.models.signature.from_data import no_probabilities, signature_of
from service.models.signature.signature import Feature, Signature, Target

SPECIES = ("setosa", "versicolor", "virginica")


def numeric(name: str, fill: float | None = None) -> Column:
    return Column(name, "numeric", fill=fill)


def boolean(name: str) -> Column:
    return Column(name, "boolean")


def categorical(name: str, categories: tuple[str, ...] = SPECIES, fill: int | None = None) -> Column:
    return Column(name, "categorical", categories, fill)


def arranged(features: list[Column], targets: list[Column], weights: str | None = None) -> Arrangement:
    seen = {"count": 3, "min": -1.5, "max": 4.0}
    statistics = [{"name": column.name, "parts": {"train": seen}} for column in (*features, *targets)]
    record = DatasetRecord(name="data", features=features, targets=targets, statistics=statistics)
    return Arrangement.as_stored(record, weights)


def network(text: str) -> Network:
    return Network(notation.read(text))


def link(text: str, loss: str, *targets: Column) -> str | None:
    made: Any = LOSSES[loss]
    return signature_of(arranged([numeric("x")], list(targets)), network(text), made()).link


def test_a_signature_names_columns_with_kinds_categories_ranges_and_fills() -> None:
    data = arranged(
        [numeric("width", fill=2.5), boolean("wild"), categorical("species", fill=1)],
        [numeric("length"), boolean("ripe"), categorical("colour", ("blue", "red"))],
    )
    mse: Any = LOSSES["mse"]
    signature = signature_of(data, network("Dense(5 => 4)"), mse())

    assert signature.features == (
        Feature("width", "numeric", None, -1.5, 4.0, 2.5),
        Feature("wild", "boolean", None, -1.5, 4.0, None),
        Feature("species", "categorical", SPECIES, None, None, 1),
    )
    assert signature.targets == (
        Target("length", "numeric", None),
        Target("ripe", "boolean", ("false", "true")),
        Target("colour", "categorical", ("blue", "red")),
    )
    assert reader(Signature)(asdict(signature)) == signature


def test_data_from_before_missing_values_could_be_filled_has_a_signature() -> None:
    mse: Any = LOSSES["mse"]
    before = Column.from_json({"name": "x", "kind": "numeric", "width": 1, "categories": None})
    signature = signature_of(arranged([before], [numeric("y")]), network("Dense(1 => 1)"), mse())
    assert signature == Signature((Feature("x", "numeric", None, -1.5, 4.0),), (Target("y", "numeric"),), loss="mse")


def test_the_column_of_weights_is_no_feature() -> None:
    mse: Any = LOSSES["mse"]
    data = arranged([numeric("w"), numeric("x")], [numeric("y")], "w")
    signature = signature_of(data, network("Dense(1 => 1)"), mse())
    assert [each.name for each in signature.features] == ["x"]
    assert signature.weights == "w"


def test_signatures_without_loss_and_weights_are_read() -> None:
    kept: dict[str, Any] = {"features": [], "targets": [], "link": "softmax"}
    assert reader(Signature)(kept) == Signature((), (), "softmax")


@pytest.mark.parametrize(
    ("text", "loss", "expected"),
    [
        ("Dense(1 => 3)", "logitcrossentropy", "softmax"),
        ("Dense(1 => 3)", "logitbinarycrossentropy", "sigmoid"),
        ("Chain(Dense(1 => 3), softmax)", "crossentropy", "identity"),
        ("Dense(1 => 3, sigmoid)", "binarycrossentropy", "identity"),
        ("Chain(Dense(1 => 3), Chain(Dense(3 => 3), softmax))", "mse", "identity"),
        ("Chain(Dense(1 => 2), Dense(2 => 3, sigmoid))", "mae", "identity"),
        ("Dense(1 => 3)", "mse", None),
        ("Dense(1 => 3, tanh)", "hinge_loss", None),
    ],
)
def test_the_loss_or_else_the_last_function_makes_probabilities(text: str, loss: str, expected: str | None) -> None:
    assert link(text, loss, categorical("species")) == expected
    assert link(text, loss, numeric("a"), numeric("b"), numeric("c")) is None


def test_softmax_makes_no_probability_of_the_one_output_of_a_boolean() -> None:
    assert link("Dense(1 => 1)", "logitbinarycrossentropy", boolean("ripe")) == "sigmoid"
    assert link("Dense(1 => 1)", "logitcrossentropy", boolean("ripe")) is None
    assert link("Chain(Dense(1 => 1), softmax)", "mse", boolean("ripe")) is None


def test_a_softmax_over_several_targets_makes_no_probabilities_of_each() -> None:
    targets = categorical("species"), categorical("colour", ("blue", "red"))
    assert link("Chain(Dense(1 => 5), softmax)", "crossentropy", *targets) is None
    assert link("Dense(1 => 5)", "logitcrossentropy", *targets) == "softmax", "which is taken of each target alone"
    assert link("Dense(1 => 5, sigmoid)", "binarycrossentropy", *targets) == "identity"


@pytest.mark.parametrize(
    ("text", "loss", "target", "better"),
    [
        ("Dense(1 => 3)", "mse", categorical("species"), "logitcrossentropy"),
        ("Dense(1 => 1)", "mse", boolean("ripe"), "logitbinarycrossentropy"),
        ("Dense(1 => 1)", "logitcrossentropy", boolean("ripe"), "logitbinarycrossentropy"),
        ("Dense(1 => 1, tanh)", "hinge_loss", boolean("ripe"), "logitbinarycrossentropy"),
        ("Dense(1 => 3)", "logitcrossentropy", categorical("species"), None),
        ("Dense(1 => 1, sigmoid)", "mse", boolean("ripe"), None),
        ("Dense(1 => 1)", "mse", numeric("y"), None),
    ],
)
def test_a_loss_that_would_give_probabilities_is_named(
    text: str, loss: str, target: Column, better: str | None
) -> None:
    made: Any = LOSSES[loss]
    said = no_probabilities([target], network(text), made())
    if better is None:
        assert said is None
        return
    assert said is not None
    assert (said.code, said.pointer) == ("no_probabilities", "#/loss")
    assert f"The loss {better} would give them" in said.detail
    assert ("plain Dense" in said.detail) is ("tanh" in text)
    assert repr(target.name) in said.detail
