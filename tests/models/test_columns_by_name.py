"""Columns of a dataset by the names that a version knows: in its order, with its codes, or refused with the remedy."""

from typing import Any

import numpy as np
import pytest

from service.datasets.arrangement import rows_of
from service.datasets.columns import Column
from service.datasets.records import DatasetRecord
from service.errors import Invalid
from service.models.signature.by_name import arranged, check_rename
from service.models.signature.signature import Feature, Signature, Target

KINDS = ("red", "blue", "green")
KNOWN = Signature(
    (Feature("a", "numeric", fill=0.5), Feature("k", "categorical", KINDS, fill=1), Feature("b", "boolean")),
    (Target("y", "categorical", ("yes", "no")), Target("z", "boolean", ("false", "true"))),
    weights="w",
)
A, B, W, Z = Column("a"), Column("b", "boolean"), Column("w"), Column("z", "boolean")
K, Y = Column("k", "categorical", ("blue", "red")), Column("y", "categorical", ("no", "yes"))


def texts(name: str, *categories: str, fill: float | None = None) -> Column:
    return Column(name, "categorical", categories, fill)


def dataset(features: list[Column], targets: list[Column]) -> DatasetRecord:
    return DatasetRecord(name="data", features=features, targets=targets, statistics=[])


def refusal(features: list[Column], targets: list[Column], rename: dict[str, str] | None = None) -> Invalid:
    with pytest.raises(Invalid) as refused:
        arranged(dataset(features, targets), KNOWN, None, rename)
    assert refused.value.code == "columns_differ"
    return refused.value


def test_columns_come_in_the_versions_order_with_its_codes() -> None:
    columns = arranged(dataset([B, W, K, A], [Z, Y]), KNOWN, "w")
    stored = np.array([[1, 9, 0, 2.5], [0, 9, 1, 3.5]], np.float32)  # blue, red
    seen = rows_of(stored, columns.features, "float64")
    assert seen[:].tolist() == [[2.5, 0, 1, 0, 1], [3.5, 1, 0, 0, 0]]
    targets = rows_of(np.array([[1, 0], [0, 1]], np.float32), columns.targets, "float32")
    assert targets[:].tolist() == [[0, 1, 1], [1, 0, 0]]
    assert seen.take(np.array([1, 0]))[:, 0].tolist() == [3.5, 2.5]
    assert [each.name for each in columns.target_columns] == ["y", "z"]
    assert columns.weights is not None
    assert columns.weights.place == 1
    assert columns.unused == ()


def test_what_the_version_does_not_know_is_not_used() -> None:
    columns = arranged(dataset([A, K, B, Column("more")], [Y, Z, Column("other")]), KNOWN, None)
    assert columns.unused == ("more", "other")
    assert not columns.is_as_stored


def test_the_same_columns_are_as_they_are_stored() -> None:
    same = dataset([A, texts("k", *KINDS), B], [texts("y", "yes", "no"), Z])
    assert arranged(same, KNOWN, None).is_as_stored
    assert not arranged(dataset([A, texts("k", *KINDS[:2]), B], [Y, Z]), KNOWN, None).is_as_stored


def test_fills_are_in_the_versions_codes_and_its_own_where_data_have_none() -> None:
    filled = [Column("a"), texts("k", "blue", "red", fill=1), B]
    a, k, _ = arranged(dataset(filled, [Y, Z]), KNOWN, None).features
    assert (a.column.fill, k.column.fill) == (0.5, KINDS.index("red"))
    assert arranged(dataset([A, K, B], [Y, Z]), KNOWN, None).features[1].column.fill == 1


def test_a_boolean_and_texts_of_true_and_false_are_the_same() -> None:
    columns = arranged(dataset([A, K, texts("b", "true")], [Y, texts("z", "false", "true")]), KNOWN, None)
    seen = rows_of(np.array([[1, 0, 0]], np.float32), columns.features, "float32")
    assert seen[:].tolist()[0][-1] == 1
    assert columns.target_columns[1].kind == "boolean"
    known = Signature((Feature("a", "numeric"),), (Target("z", "categorical", ("true", "false")),))
    (target,) = arranged(dataset([A], [Z]), known, None).targets
    assert target.codes == (1, 0)


def test_all_missing_columns_and_the_unused_ones_are_listed() -> None:
    refused = refusal([Column("aa"), texts("kind", "red"), B], [Y, Column("other")], {})
    assert [each.detail for each in refused.errors] == [
        "There is no input 'a'.",
        "There is no input 'k'.",
        "There is no target 'z'.",
    ]
    assert "lacks 'a', 'k', 'z'" in refused.detail
    assert "does not use 'aa', 'kind', 'other'" in refused.detail
    assert '"rename": {"aa":"a","kind":"k"}' in refused.detail
    assert "rename" not in refusal([Column("aa"), K, B], [Y, Z]).detail, "where nothing can be renamed"


def test_a_remedy_that_renames_can_be_followed() -> None:
    rename = {"aa": "a", "kind": "k"}
    data = dataset([texts("kind", "red"), B, Column("aa")], [Y, Z])
    check_rename(KNOWN, data, rename)
    assert [each.stored.name for each in arranged(data, KNOWN, None, rename).features] == ["aa", "kind", "b"]


def test_names_of_places_are_not_taken_for_others() -> None:
    assert "c0" not in refusal([Column("c0"), K, B], [Y, Z], {}).detail.partition("rename")[2]


@pytest.mark.parametrize(
    ("features", "targets", "says"),
    [
        ([A, texts("k", "red", "pink"), B], [Y, Z], "Input 'k' has a category that the version does not know, 'pink'"),
        ([A, Column("k"), B], [Y, Z], "Input 'k' is numeric, and the version learnt it as categorical: "),
        ([A, Column("k"), B], [Y, Z], "types=k:categorical"),
        ([texts("a", "1,5"), K, B], [Y, Z], "Input 'a' is categorical"),
        ([A, K, texts("b", "on")], [Y, Z], "Input 'b' has 'on', and the version learnt it as boolean"),
        ([A, K, B], [texts("y", "yes", "maybe"), Z], "Target 'y' has a category that the version does not know"),
        ([A, K, B], [Y, Column("z")], "types=z:boolean"),
        ([A, K, B, Y], [Z], "lacks 'y'"),
    ],
)
def test_what_cannot_be_mapped_is_refused(features: list[Column], targets: list[Column], says: str) -> None:
    refused = refusal(features, targets)
    assert says in refused.detail
    assert {each.pointer for each in refused.errors} == {"#/dataset"}


def test_predictions_need_no_targets() -> None:
    columns = arranged(dataset([A, K, B], [texts("y", "maybe")]), KNOWN, None, inputs_alone=True)
    assert columns.targets == ()


@pytest.mark.parametrize(
    ("rename", "pointer", "says"),
    [
        ({"aaa": "a"}, "#/rename/aaa", "no column 'aaa': did you mean 'aa'?"),
        ({"aa": "b2"}, "#/rename/aa", "The version knows no column 'b2': did you mean 'b'?"),
        ({"aa": "b"}, "#/rename/aa", "'aa' would be 'b', and so is column 'b'"),
        ({"aa": "a", "n/b": "a"}, "#/rename/n~1b", "'n/b' would be 'a', and so would be column 'aa'"),
    ],
)
def test_a_new_name_is_one_that_the_version_knows(rename: dict[str, str], pointer: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_rename(KNOWN, dataset([Column("aa"), B, K, Column("n/b")], [Y]), rename)
    assert refused.value.errors[0].pointer == pointer
    assert says in refused.value.detail


def test_names_may_change_places_and_weights_may_be_renamed() -> None:
    data = dataset([Column("weight"), Column("y"), B, K], [Column("a", "categorical", ("yes",)), Z])
    rename = {"y": "a", "a": "y", "weight": "w"}
    check_rename(KNOWN, data, rename)
    columns = arranged(data, KNOWN, "weight", rename)
    assert [each.stored.name for each in (*columns.features, *columns.targets)] == ["y", "k", "b", "a", "z"]
    assert columns.weights is not None
    assert columns.weights.column.name == "w"


def test_a_version_that_knows_no_names_takes_none() -> None:
    data: Any = dataset([A], [Y])
    with pytest.raises(Invalid, match="knows no names"):
        check_rename(None, data, {"a": "b"})
    assert arranged(data, None, None).is_as_stored


def test_inputs_are_meant_by_inputs_and_targets_by_targets() -> None:
    known = Signature((Feature("x", "numeric"),), (Target("y", "numeric"),))
    with pytest.raises(Invalid) as refused:
        arranged(dataset([Column("y")], [Column("x")]), known, None, {})
    assert '{"y":"x","x":"y"}' in refused.value.detail
    check_rename(known, dataset([Column("y")], [Column("x")]), {"y": "x", "x": "y"})
