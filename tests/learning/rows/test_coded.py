"""Wide categories travel to a first Dense as codes: what is learnt is that of their one-hot rows, to rounding."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from service.learning import network as networks
from service.learning.arrays import Array
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import OPTIMISERS
from service.learning.planning.curvature import sampled_curvature
from service.learning.planning.plan import plan
from service.learning.planning.sizes import memory_of
from service.learning.rows.coded import MOST_WRITTEN_OUT, Coding
from service.learning.rows.later import LaterRows
from service.learning.rows.one_hot import OneHotRows, rows_together, stored
from service.learning.rows.part import Part
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.scaling import measure
from service.learning.training.training import Training

COLUMNS: dict[str, tuple[int | None, ...]] = {
    "among numbers": (None, 70, None, 3, 90),
    "alone": (80,),
    "behind numbers": (None, None, 100),
}
DEEP = "Chain(Dense({0} => 5, tanh), Dense(5 => 1))"
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "shuffled": (DEEP, {"batch_size": 32, "shuffle": True}),
    "in blocks": (DEEP, {}),
    "in the rows' order, frozen": (DEEP, {"batch_size": 32, "frozen": ("layers.0",)}),
    "standardised": (DEEP, {"batch_size": 32, "standardise": True}),
    "standardised with targets": (DEEP, {"standardise": "both"}),
    "LBFGS": (DEEP, {"optimiser": OPTIMISERS["LBFGS"]()}),
    "LevenbergMarquardt": (DEEP, {"optimiser": OPTIMISERS["LevenbergMarquardt"](), "epochs": 2}),
    "a Dense alone": ("Dense({0} => 1)", {"path": "batches"}),
    "sums of squares": ("Dense({0} => 1)", {"path": "quadratic"}),
    "without bias": ("Chain(Dense({0} => 5, tanh; bias=false), Dense(5 => 1))", {}),
    "branches": ("Parallel(+, Dense({0} => 1), Chain(Dense({0} => 4, tanh), Dense(4 => 1)))", {}),
    "a first layer that takes no codes": ("Chain(LayerNorm({0}), Dense({0} => 1))", {}),
    "a first layer that keeps its inputs": ("Chain(SkipConnection(Dense({0} => {0}), +), Dense({0} => 1))", {}),
}


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "CACHE_BYTES", 1)
    monkeypatch.setattr(networks, "USEFUL_ROWS", 50)
    monkeypatch.setattr("service.learning.layers.coded_product.NAMED_AT_ONCE", 35)


def parts(rows: int, classes: tuple[int | None, ...], weighted: bool = False) -> tuple[Part, Part]:
    """A part of codes, and one of the same rows expanded; both of float64."""
    generator = np.random.default_rng(rows)
    columns = [generator.normal(size=rows) if k is None else generator.integers(0, k, rows) for k in classes]
    codes = OneHotRows(np.column_stack(columns).astype(np.float64), classes, "float64")
    targets, weights = generator.normal(size=(rows, 1)), np.linspace(1, 2, rows) if weighted else None
    return Part(codes, targets, weights), Part(codes[:], targets, weights)


def network_for(notation: str, classes: tuple[int | None, ...]) -> Network:
    return Network(read(notation.format(sum(each or 1 for each in classes))), "float64")


def trained(net: Network, part: Part, validation: Part, options: dict[str, Any]) -> tuple[Array, Array]:
    """Parameters and losses of a training."""
    recipe = Recipe(**{"loss": LOSSES["mse"](), "optimiser": OPTIMISERS["Adam"](), "epochs": 3, **options})
    training = Training(Problem(net, part, validation, recipe), net.initial(0))
    reports = [each for each in training.run() if isinstance(each, EpochReport)]
    losses = [(each.train_loss, each.validation_loss, each.gradient_norm) for each in reports]
    return training.result(), np.array(losses)


@pytest.mark.parametrize("classes", COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize(("notation", "options"), RECIPES.values(), ids=RECIPES.keys())
def test_codes_teach_what_one_hot_rows_teach(
    notation: str, options: dict[str, Any], classes: tuple[int | None, ...]
) -> None:
    net = network_for(notation, classes)
    sides = zip(parts(210, classes), parts(60, classes), strict=True)
    (coded, coded_losses), (dense, losses) = (trained(net, *each, options) for each in sides)
    np.testing.assert_allclose(coded, dense, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(coded_losses, losses, rtol=1e-8)


def test_weights_of_rows_weigh_codes_too() -> None:
    classes, options = COLUMNS["among numbers"], {"batch_size": 32, "average": None}
    net = network_for(DEEP, classes)
    coded, dense = (trained(net, each, each, options)[0] for each in parts(210, classes, weighted=True))
    np.testing.assert_allclose(coded, dense, rtol=1e-7, atol=1e-9)


def test_predictions_are_the_same_in_float32() -> None:
    classes = COLUMNS["among numbers"]
    (coded, dense), net = parts(210, classes), network_for(DEEP, classes)
    single, vector = Network(net.layer, "float32"), net.initial(0).astype(np.float32)
    rows = OneHotRows(stored(coded.inputs), classes, "float32")
    found, expected = single.predict(vector, rows), net.predict(net.initial(0), dense.inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_same_seed_makes_the_same_bytes_from_memory_and_from_a_map(tmp_path: Any) -> None:
    classes = COLUMNS["among numbers"]
    (part, _), net = parts(210, classes), network_for(DEEP, classes)
    np.save(tmp_path / "codes.npy", stored(part.inputs))
    mapped = Part(OneHotRows(np.load(tmp_path / "codes.npy", mmap_mode="r"), classes, "float64"), part.targets)
    later = LaterRows(part.inputs.shape, "float64", lambda: part.inputs, Coding.of(classes))
    options = {"batch_size": 32, "shuffle": True}
    first, *others = (
        trained(net, each, part, options)[0].tobytes() for each in (part, mapped, Part(later, part.targets))
    )
    assert others == [first, first]


def test_scales_of_codes_are_those_of_one_hot_rows() -> None:
    classes = (None, 70, None, 3, 90)
    coded, dense = (list_of(measure(each.inputs)) for each in parts(500, classes))
    np.testing.assert_allclose(coded.mean, dense.mean, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(coded.deviation, dense.deviation, rtol=1e-12)


def list_of(measuring: Any) -> Any:
    while True:
        try:
            next(measuring)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("standardise", [False, True])
def test_curvatures_of_codes_are_those_of_one_hot_rows(standardise: bool) -> None:
    """The sample, of few rows, has all of them in both cases."""
    classes = COLUMNS["among numbers"]
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=OPTIMISERS["Descent"](), epochs=1, standardise=standardise)
    net = network_for(DEEP, classes)
    coded, dense = (sampled_curvature(net, net.initial(0), each, recipe) for each in parts(40, classes))
    assert coded == pytest.approx(dense, rel=1e-6)


def test_a_column_travels_as_codes_from_so_many_categories_on() -> None:
    assert Coding.of((None, 3, MOST_WRITTEN_OUT)) is None
    coding = Coding.of((None, MOST_WRITTEN_OUT + 1, 3, None, MOST_WRITTEN_OUT + 2))
    assert coding is not None
    assert (coding.width, coding.spans) == (7, (slice(1, 66), slice(70, 136)))
    assert np.arange(136)[coding.written_inputs].tolist() == [0, 66, 67, 68, 69]


def test_blocks_of_codes_are_joined_as_codes() -> None:
    coded, dense = parts(30, COLUMNS["alone"])
    together = rows_together([coded.inputs, coded.inputs])
    assert isinstance(together, OneHotRows)
    assert np.array_equal(together[:], np.concatenate([dense.inputs, dense.inputs]))


def test_a_plan_counts_what_is_done_and_memory_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    net, recipe = (
        network_for(DEEP, (None, 10_000)),
        Recipe(loss=LOSSES["mse"](), optimiser=OPTIMISERS["Adam"](), epochs=9),
    )
    codings = Coding.of((None, 10_000)), None
    codes, expanded = (plan(net, 50_000, 0, recipe, coding=each) for each in codings)
    assert codes.operations < expanded.operations / 100
    assert codes.seconds < expanded.seconds / 10
    held, everything = (memory_of(net, 50_000, 0, recipe, "batches", coding=each) for each in codings)
    assert everything - held > 2 * 800 * 10_000 * 8  # two buffers of a block


@pytest.mark.parametrize(
    ("notation", "options"),
    [
        (DEEP, {"batch_size": 256, "shuffle": True, "standardise": True}),
        (DEEP, {}),
        ("Chain(Dense({0} => 16), BatchNorm(16, tanh), Dense(16 => 1))", {}),
    ],
    ids=["batches", "blocks", "all rows at once"],
)
def test_memory_does_not_grow_with_categories(
    notation: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    least, most = (peak(notation, 5000, each, options) - peak(notation, 8, each, options) for each in (10, 10_000))
    assert most < 1.2 * least


def peak(notation: str, rows: int, categories: int, options: dict[str, Any]) -> int:
    classes = (None, categories)
    part, net = parts_of_codes(rows, classes), network_for(notation, classes)
    tracemalloc.start()
    try:
        trained(net, part, part, options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def parts_of_codes(rows: int, classes: tuple[int | None, int]) -> Part:
    generator = np.random.default_rng(0)
    codes: Array = np.column_stack([generator.random(rows), generator.integers(0, classes[1], rows)])
    return Part(OneHotRows(codes, classes, "float64"), generator.random((rows, 1)))
