"""The ranks and scores of split conformal prediction."""

import numpy as np
import pytest

from service.learning.confidence.conformal import in_set, names_inside, quantiles, rank, rows_needed, scores
from service.learning.evaluation.evaluation import Classes, Numbers


@pytest.mark.parametrize(
    ("level", "rows"), [(0.9, 9), (0.95, 19), (0.99, 99), (0.5, 1), (0.07, 1), (2 / 3, 2), (0.9999999, 9999999)]
)
def test_a_level_needs_the_fewest_rows_that_have_its_rank(level: float, rows: int) -> None:
    assert rows_needed(level) == rows
    assert rank(rows, level) <= rows
    assert rank(rows - 1, level) > rows - 1


def test_a_level_is_taken_as_it_is_written() -> None:
    assert rank(99, 0.07) == 7


def test_the_score_of_the_rank_bounds_each_column_by_itself() -> None:
    columns = np.array([[1.0, 9.0, 4.0, 2.0], [np.nan, 0.0, 0.0, 5.0]]).T
    assert quantiles(columns, 0.6).tolist() == [4, 5]
    assert quantiles(columns, 0.8).tolist() == [9, np.inf]


def test_scores_are_distances_of_numbers_and_chances_of_other_classes() -> None:
    outputs = np.array([[1.0, 0.25, 0.75, 0.125], [2.0, 0.5, 0.5, 0.5]])
    targets: list[Numbers | Classes] = [Numbers(), Classes(("a", "b")), Classes((False, True))]
    truth = np.array([[3.0, 1.0, 0.0], [2.0, 0.0, 1.0]])
    assert scores(outputs, truth, targets, "identity").tolist() == [[2, 0.25, 0.125], [0, 0.5, 0.5]]


def test_a_set_has_the_likely_classes_and_always_the_likeliest() -> None:
    chances = np.array([[0.5, 0.3125, 0.1875], [0.25, 0.375, 0.375]])
    assert in_set(chances, 0.6875).tolist() == [[True, True, False], [False, True, True]]
    assert in_set(chances, 0.1).tolist() == [[True, False, False], [False, True, False]]


def test_new_rows_lie_within_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(7)
    seen, new = np.abs(rng.standard_normal((20, 2000))), np.abs(rng.standard_normal((200, 2000)))
    assert (new <= quantiles(seen, 0.9)).mean() == pytest.approx(19 / 21, abs=0.006)


@pytest.mark.parametrize("classes", [2, 8, 9, 20])
def test_a_set_names_its_classes_in_their_order(classes: int) -> None:
    inside = np.random.default_rng(0).random((50, classes)) < 0.4
    names = [f"class_{code}" for code in range(classes)]
    expected = [[name for name, is_inside in zip(names, row, strict=True) if is_inside] for row in inside]
    assert names_inside(inside, names) == expected
