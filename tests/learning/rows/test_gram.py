import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.learning.rows import group_sums
from service.learning.rows.gram import Gram
from service.learning.rows.group_sums import GroupedRows
from service.learning.rows.reference import Centring, spread_sample
from service.learning.training.quadratic.form import QuadraticLoss
from tests.support.learning.exact_losses import ExactLoss, ExactSums
from tests.support.learning.linear_problems import LinearProblem, exact_loss, linear_problem


def test_sums_over_parts_of_the_rows_merge_to_the_sum_over_all() -> None:
    problem = linear_problem(rows=9000, columns=4, outputs=2)
    whole = Gram.of(problem.inputs, problem.targets)
    cuts = [0, 1, 3000, 9000]
    parts = [
        Gram.about(whole.reference, problem.inputs[first:last], problem.targets[first:last])
        for first, last in itertools.pairwise(cuts)
    ]
    merged = parts[0].merge(parts[1]).merge(parts[2])
    assert merged.rows == 9000
    np.testing.assert_allclose(merged.matrix, whole.matrix, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("kernel", ["SkylakeX", "Haswell"])
@pytest.mark.parametrize("collinear", [None, 1e-6])
def test_groups_that_share_a_pass_have_the_sums_of_a_pass_each(
    kernel: str, collinear: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_sums, "_kernel", lambda: kernel)
    problem = linear_problem(rows=9000, columns=4, outputs=2, collinear=collinear)
    reference = Gram.of(problem.inputs, problem.targets).reference
    groups = [(0, 1000), (2, 5000)], [(1, 2), (2, 2998)]
    blocks = zip(*(np.split(each, [6000]) for each in (problem.inputs, problem.targets)), groups, strict=True)
    first, second, third = Gram.of_groups(reference, 3, (GroupedRows(*block) for block in blocks))
    assert (first.rows, second.rows, third.rows) == (1000, 2, 7998)
    for found, places in ((first, np.r_[:1000]), (second, np.r_[6000:6002]), (third, np.r_[1000:6000, 6002:9000])):
        alone = Gram.about(reference, problem.inputs[places], problem.targets[places])
        np.testing.assert_allclose(found.matrix, alone.matrix, rtol=1e-12, atol=1e-9)
        assert (found.matrix == found.matrix.T).all()


def test_sums_about_different_references_do_not_merge() -> None:
    problem = linear_problem(rows=100)
    with pytest.raises(ValueError, match="different references"):
        Gram.of(problem.inputs, problem.targets).merge(Gram.of(problem.inputs[:50], problem.targets[:50]))


@pytest.mark.parametrize("collinear", [None, 1e-6])
def test_stored_arrays_read_back_to_the_same_losses(collinear: float | None) -> None:
    problem = linear_problem(collinear=collinear)
    gram = Gram.of(problem.inputs, problem.targets)
    stored = {
        name: np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape) for name, array in gram.arrays().items()
    }
    theta = problem.theta(bias=True)
    again = Gram.from_arrays(stored)
    assert QuadraticLoss(again).loss(theta) == QuadraticLoss(gram).loss(theta)
    assert again.reference.same_as(gram.reference)


def test_a_memory_map_is_read_in_blocks_and_each_is_announced(tmp_path: Path) -> None:
    problem = linear_problem(rows=70_000, columns=3, dtype=np.float32)
    np.save(tmp_path / "x.npy", problem.inputs)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    done: list[int] = []
    gram = Gram.of(mapped, problem.targets, after_block=done.append)
    assert len(done) > 1
    assert done == sorted(set(done))
    assert done[-1] == 70_000
    np.testing.assert_array_equal(gram.matrix, Gram.of(problem.inputs, problem.targets).matrix)


def test_rows_sorted_by_a_drifting_column_keep_their_digits() -> None:
    rows = 60_000
    time = np.linspace(0, 1e6, rows)[:, None]
    targets = 3e-6 * time + 1 + 1e-6 * np.random.default_rng(0).normal(size=(rows, 1))
    problem = LinearProblem(time, targets, np.array([[3e-6]]), np.array([1.0]))
    theta = problem.theta(bias=True)
    assert QuadraticLoss(Gram.of(time, targets)).loss(theta) == pytest.approx(
        exact_loss(problem, theta, True), rel=1e-6
    )


def test_a_column_that_the_sample_never_saw_gets_a_second_pass() -> None:
    problem = linear_problem(rows=50_000, columns=2, noise=1e-6)
    rare = np.zeros((50_000, 1))
    rare[700] = 1  # the sample is taken elsewhere
    inputs, targets = np.hstack([problem.inputs, rare]), problem.targets + 1e4 * rare
    sampled = Gram.about(Centring.of(inputs[:500], targets[:500]), inputs, targets)
    gram = Gram.of(inputs, targets)
    assert np.abs(gram.reference.fit).max() == pytest.approx(1e4)
    assert gram.matrix[-1, -1] < sampled.matrix[-1, -1] / 1e6
    hard = LinearProblem(inputs, targets, np.hstack([problem.weight, [[1e4]]]), problem.bias)
    theta = hard.theta(bias=True)
    assert QuadraticLoss(gram).loss(theta) == pytest.approx(exact_loss(hard, theta, True), rel=1e-6)


@pytest.mark.parametrize("difference", [1e-3, 1e-5])
def test_columns_that_the_sample_saw_as_one_are_told_apart(difference: float) -> None:
    random, problem = np.random.default_rng(0), linear_problem(rows=20_000, columns=3)
    inputs = problem.inputs.copy()
    inputs[:, 1] = inputs[:, 0]
    inputs[500:1000, 1] += difference * random.normal(size=500)  # the sample is taken elsewhere
    targets = inputs @ problem.weight.T + 0.01 * random.normal(size=(20_000, 1))
    assert Centring.of(*spread_sample(inputs, targets)).basis is None
    opposed = np.array([1 / difference, -1 / difference, 0, 0])
    theta, hard = problem.theta(bias=True) + opposed, replace(problem, inputs=inputs, targets=targets)
    exact = ExactLoss(ExactSums(hard)).loss(theta)
    assert QuadraticLoss(Gram.of(inputs, targets)).loss(theta) == pytest.approx(exact, rel=1e-8)


def test_columns_that_are_one_everywhere_take_no_second_pass() -> None:
    random, problem = np.random.default_rng(0), linear_problem(rows=20_000, columns=3)
    done: list[int] = []
    classes = np.eye(4)[random.integers(4, size=20_000)]  # they add up to the column of ones
    inputs = np.hstack([problem.inputs, problem.inputs[:, :1], classes])
    Gram.of(inputs, problem.targets, after_block=done.append)
    assert done.count(20_000) == 1


def test_rows_of_inputs_and_targets_must_match() -> None:
    problem = linear_problem(rows=10)
    with pytest.raises(ValueError, match="10 rows, targets 9"):
        Gram.of(problem.inputs, problem.targets[:9])
