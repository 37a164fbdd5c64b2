"""Which rows train, validate and test: first and last are cut off, fractions drawn by seed, the rest trains."""

from collections import Counter
from itertools import chain
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.datasets.schemas import Split
from service.datasets.split import divide
from service.errors import Invalid
from tests.problems import pointers


def parts(rows: int, **split: Any) -> dict[str, list[int]]:
    return {part: numbers.tolist() for part, numbers in divide(rows, Split.model_validate(split)).items()}


def test_without_a_split_all_rows_train() -> None:
    assert parts(4) == {"train": [0, 1, 2, 3], "validation": [], "test": []}


def test_first_and_last_are_cut_off() -> None:
    divided = parts(6, validation={"first": 1}, test={"last": 2})
    assert divided == {"train": [1, 2, 3], "validation": [0], "test": [4, 5]}


def test_nothing_may_be_cut_off() -> None:
    assert parts(3, validation={"first": 0}, test={"fraction": 0})["train"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "fraction", "count"), [(10, 0.25, 3), (10, 0.24, 2), (10, 0.26, 3), (7, 0.5, 4), (5, 0.1, 1), (5, 0.09, 0)]
)
def test_a_fraction_of_all_rows_is_rounded_half_up(rows: int, fraction: float, count: int) -> None:
    assert len(parts(rows, test={"fraction": fraction})["test"]) == count
    # of all rows, also where some are cut off already
    assert len(parts(rows, test={"fraction": fraction}, validation={"first": 1})["test"]) == count


def test_fractions_are_drawn_from_what_first_and_last_leave() -> None:
    for seed in range(20):
        divided = parts(10, validation={"fraction": 0.5}, test={"last": 4}, seed=seed)
        assert divided["test"] == [6, 7, 8, 9]
        assert max(divided["validation"]) < 6


def test_the_same_seed_draws_the_same_parts_and_another_seed_others() -> None:
    split = {"validation": {"fraction": 0.2}, "test": {"fraction": 0.2}}
    assert parts(100, **split, seed=1) == parts(100, **split, seed=1)
    assert parts(100, **split, seed=1) != parts(100, **split, seed=2)
    assert parts(100, **split) == parts(100, **split, seed=0)


def test_each_row_is_as_likely_as_any_other_to_be_drawn() -> None:
    drawn = Counter(row for seed in range(1000) for row in parts(10, test={"fraction": 0.3}, seed=seed)["test"])
    assert set(drawn) == set(range(10))
    expected = 300
    chi_squared = sum((count - expected) ** 2 / expected for count in drawn.values())
    assert chi_squared < 27.9  # 99.9 % quantile for 9 degrees of freedom


KINDS = st.one_of(
    st.builds(lambda f: {"fraction": f}, st.floats(0, 0.999)),
    st.builds(lambda n: {"first": n}, st.integers(0, 12)),
    st.builds(lambda n: {"last": n}, st.integers(0, 12)),
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 12), KINDS, KINDS, st.integers(0, 2**53 - 1))
def test_parts_never_share_a_row_and_lose_none(
    rows: int, validation: dict[str, Any], test: dict[str, Any], seed: int
) -> None:
    try:
        divided = parts(rows, validation=validation, test=test, seed=seed)
    except Invalid as refused:
        assert refused.errors[0].pointer.startswith("#/split")  # noqa: PT017 - either outcome is right
        return
    assert divided["train"]
    assert sorted(chain.from_iterable(divided.values())) == list(range(rows))
    assert all(numbers == sorted(numbers) for numbers in divided.values())
    for part, spec in (("validation", validation), ("test", test)):
        ((kind, amount),) = spec.items()
        assert len(divided[part]) == (np.floor(amount * rows + 0.5) if kind == "fraction" else amount)


@pytest.mark.parametrize(
    ("split", "pointer"),
    [
        ({"validation": {"first": 4}, "test": {"last": 3}}, "#/split/validation"),
        ({"validation": {"last": 2}, "test": {"last": 1}}, "#/split/validation"),
        ({"validation": {"fraction": 0.5}, "test": {"fraction": 0.6}}, "#/split/validation"),
        ({"validation": {"fraction": 0.5}, "test": {"first": 4}}, "#/split/validation"),
        ({"test": {"first": 7}}, "#/split/test"),
        ({"validation": {"first": 3}, "test": {"last": 3}}, "#/split"),
        ({"validation": {"fraction": 0.5}, "test": {"fraction": 0.5}}, "#/split"),
        ({"test": {"fraction": 0.95}}, "#/split"),
    ],
)
def test_parts_that_overlap_or_leave_nothing_to_train_on_are_refused(
    http: httpx.Client, split: dict[str, Any], pointer: str
) -> None:
    body = {"columns": {"x": [1, 2, 3, 4, 5, 6], "y": [1, 2, 3, 4, 5, 6]}, "targets": ["y"], "split": split}
    assert pointers(http.post("/api/datasets", json=body)) == [pointer]


def test_two_ways_to_say_one_part_are_refused_with_the_right_ones(http: httpx.Client) -> None:
    body = {"columns": {"x": [1, 2], "y": [1, 2]}, "targets": ["y"], "split": {"test": {"first": 1, "last": 1}}}
    answer = http.post("/api/datasets", json=body)
    assert pointers(answer) == ["#/split/test"]
    assert '{"fraction": 0.2}, {"first": 10} or {"last": 10}' in answer.json()["detail"]
