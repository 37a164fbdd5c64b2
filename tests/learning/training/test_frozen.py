"""Frozen layers stay as they are, and count in nothing."""

from dataclasses import replace

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.layers import NOTHING
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.optimisers import OPTIMISERS, Adam, Descent, Rule
from service.learning.planning.curvature import sampled_curvature
from service.learning.rows.part import Part
from service.learning.training.batches.backpropagation import BackPropagation
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe, RecipeError
from service.learning.training.training import Training
from tests.support.learning.networks import LAYERS, all_rules, network, problem, reports

THREE = "Chain(Dense(3 => 5, tanh), Dense(5 => 4), Dense(4 => 2))"
NORMALISED = "Chain(Dense(3 => 4), BatchNorm(4, tanh), Dense(4 => 2))"
RECIPE = Recipe(loss=MSE(), optimiser=Adam(0.02), epochs=3, batch_size=4, shuffle=True, seed=7, path="batches")
DECAYING = OPTIMISERS["OptimiserChain"](  # type: ignore[call-arg]  # terms are dataclasses
    rules=(OPTIMISERS["WeightDecay"](), OPTIMISERS["ClipGlobalNorm"](omega=0.1), OPTIMISERS["Momentum"](eta=0.05))  # type: ignore[call-arg]  # terms are dataclasses
)


def train(net: Network, recipe: Recipe, part: Part | None = None) -> Training:
    training = Training(Problem(net, part or problem(14, dtype=net.dtype), None, recipe), net.initial(0))
    reports(training)
    return training


def layer(net: Network, vector: Array, path: str) -> list[Array]:
    """Copies of the arrays of a layer."""
    return [slot.as_written(vector).copy() for slot in net.layers_by_path[path].slots]


def gradient_of(net: Network, frozen: tuple[str, ...], part: Part) -> Array:
    vector, gradient = net.initial(1), np.zeros(net.parameter_count)
    source = BackPropagation(Problem(net, part, None, replace(RECIPE, batch_size=None)), vector, gradient)
    source.freeze(net.arrays_of(frozen))
    source.begin_epoch(1)
    source.block(0, len(part))
    return gradient


@pytest.mark.parametrize("frozen", [("layers.1",), ("layers.0", "layers.2"), ("layers.0",)], ids=str)
@pytest.mark.parametrize("rule", [*all_rules(), DECAYING], ids=repr)
def test_a_frozen_layer_does_not_move_a_bit_under_any_rule(rule: Rule, frozen: tuple[str, ...]) -> None:
    net = network(THREE, "float32")
    start, result = net.initial(0), train(net, replace(RECIPE, epochs=1, optimiser=rule, frozen=frozen)).result()
    for path in net.layers_by_path:
        same = [
            a.tobytes() == b.tobytes() for a, b in zip(layer(net, start, path), layer(net, result, path), strict=True)
        ]
        assert all(same) if path in frozen else not all(same)


def test_what_is_inside_a_frozen_layer_is_frozen() -> None:
    net = network("Chain(Dense(3 => 4), Parallel(+, Chain(Dense(4 => 2), tanh), Dense(4 => 2)))")
    assert list(net.layers_by_path) == [
        "layers.0",
        "layers.1",
        "layers.1.layers.0",
        "layers.1.layers.0.layers.0",
        "layers.1.layers.0.layers.1",
        "layers.1.layers.1",
    ]
    inside, beside = "layers.1.layers.0.layers.0", "layers.1.layers.1"
    result = train(net, replace(RECIPE, frozen=("layers.1.layers.0",))).result()
    assert np.array_equal(layer(net, result, inside)[0], layer(net, net.initial(0), inside)[0])
    assert not np.array_equal(layer(net, result, beside)[0], layer(net, net.initial(0), beside)[0])


@pytest.mark.parametrize("notation", [LAYERS[name] for name in LAYERS if name not in ("BatchNorm", "first")])
def test_freezing_changes_no_other_gradient(notation: str) -> None:
    net, part = network(notation.format("tanh")), problem(6)
    whole = gradient_of(net, (), part)
    for path, node in net.layers_by_path.items():
        if not node.slots:
            continue
        rest = gradient_of(net, (path,), part)
        for slot in node.slots:
            assert not rest[slot.start : slot.start + slot.size].any()
            rest[slot.start : slot.start + slot.size] = whole[slot.start : slot.start + slot.size]
        assert np.array_equal(rest, whole)


def test_nothing_is_pulled_back_below_the_lowest_layer_that_learns() -> None:
    below = network(
        "Chain(Dense(3 => 5, tanh), LayerNorm(5), Parallel(+, Dense(5 => 4), Dense(5 => 4)), Dense(4 => 2))"
    )
    alone = network("Dense(4 => 2)")
    lengths = []
    for net, frozen in ((below, ("layers.0", "layers.1", "layers.2")), (alone, ())):
        arrays = net.arrays_of(frozen) or NOTHING
        tape, _, _ = net.tape(net.initial(0), 4, np.zeros(net.parameter_count), arrays)
        lengths.append(len(tape.backward))
    assert lengths == [1, 1]


@pytest.mark.parametrize("batch_size", [None, 14, 4])
def test_the_gradient_norm_counts_what_learns(batch_size: int | None) -> None:
    """Report 0 has the norm of the first batch."""
    net, part = network(THREE), problem(14)
    recipe = replace(RECIPE, batch_size=batch_size, shuffle=False, frozen=("layers.1",))
    training = Training(Problem(net, part, None, recipe), net.initial(1))
    first = Part(part.inputs[:batch_size], part.targets[:batch_size])
    expected = np.linalg.norm(gradient_of(net, ("layers.1",), first))
    assert reports(training)[0].gradient_norm == pytest.approx(expected, rel=1e-12)
    assert expected < 0.99 * np.linalg.norm(gradient_of(net, (), first))


def test_a_frozen_batch_norm_keeps_its_statistics_and_uses_them() -> None:
    net, part = network(NORMALISED), problem(8)
    start = net.initial(0)
    layer_norm = net.layers_by_path["layers.1"]
    layer_norm.slots[2].as_written(start)[...] = [0.5, -0.5, 0.1, 0.0]
    layer_norm.slots[3].as_written(start)[...] = [2.0, 0.5, 1.0, 3.0]
    recipe = replace(RECIPE, batch_size=None, shuffle=False, frozen=("layers.1",))
    training = Training(Problem(net, part, None, recipe), start)
    for event in training.run():
        stored = net.loss(training.parameters, part.inputs, part.targets, MSE())
        if event.epoch == 0:
            assert stored == training.initial_loss
    before, after = layer(net, start, "layers.1"), layer(net, training.result(), "layers.1")
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert training.final_loss() < (training.initial_loss or 0.0)


def test_the_gradient_through_a_frozen_batch_norm_is_that_of_test_mode() -> None:
    net, part = network(NORMALISED), problem(6)
    vector, gradient = net.initial(1), gradient_of(net, ("layers.1",), part)
    weight = net.layers_by_path["layers.0"].slots[0]
    for index in range(weight.start, weight.start + weight.size):
        losses = []
        for step in (1e-6, -1e-6):
            moved = vector.copy()
            moved[index] += step
            losses.append(net.loss(moved, part.inputs, part.targets, MSE()))
        assert gradient[index] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(
    "frozen", [("layers.9",), ("layers.0", "layers.1.weight"), ("0",), ("layers.00",), ("",)], ids=str
)
def test_a_path_that_names_no_layer_is_refused_with_those_there_are(frozen: tuple[str, ...]) -> None:
    with pytest.raises(RecipeError, match=r"layers\.0, layers\.1, layers\.2$") as caught:
        train(network(THREE), replace(RECIPE, frozen=frozen))
    assert caught.value.field == f"frozen/{len(frozen) - 1}"


@pytest.mark.parametrize(
    ("notation", "frozen"),
    [
        (THREE, ("layers.0", "layers.1", "layers.2")),
        ("Dense(3 => 2)", ("layers.0",)),
        ("Chain(Dense(3 => 2), tanh)", ("layers.0",)),
        ("Chain(Chain(Dense(3 => 2), tanh), tanh)", ("layers.0",)),
    ],
)
def test_something_must_be_left_to_learn(notation: str, frozen: tuple[str, ...]) -> None:
    with pytest.raises(RecipeError, match="no parameter to train") as caught:
        train(network(notation), replace(RECIPE, frozen=frozen, path=None, batch_size=None))
    assert caught.value.field == "frozen"


def test_standardise_needs_the_first_layer() -> None:
    net = network("Chain(Chain(Dense(3 => 5, tanh)), Dense(5 => 2))")
    for path in ("layers.0", "layers.0.layers.0"):
        with pytest.raises(RecipeError, match="standardise") as caught:
            train(net, replace(RECIPE, standardise=True, frozen=(path,)))
        assert caught.value.field == "frozen"
    result = train(net, replace(RECIPE, standardise=True, frozen=("layers.1",))).result()
    assert np.array_equal(layer(net, result, "layers.1")[0], layer(net, net.initial(0), "layers.1")[0])


def test_the_curvature_is_that_of_what_learns() -> None:
    """Behind a frozen layer the loss is quadratic in the last one, with 2/rows Σ h hᵀ as its Hessian."""
    net, part = network("Chain(Dense(3 => 5, tanh), Dense(5 => 1))"), problem(50, outputs=1)
    start = net.initial(0)
    hidden = network("Chain(Dense(3 => 5, tanh))").predict(start[:20], part.inputs)
    h = np.hstack([hidden, np.ones((50, 1))])
    exact = np.linalg.eigvalsh(2 / 50 * h.T @ h)[-1]
    recipe = replace(RECIPE, optimiser=Descent(), frozen=("layers.0",))
    assert sampled_curvature(net, start, part, recipe) == pytest.approx(exact, rel=1e-3)
    assert sampled_curvature(net, start, part, replace(recipe, frozen=())) != pytest.approx(exact, rel=1e-2)
