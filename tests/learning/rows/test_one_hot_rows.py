"""Every path of learning makes the same bytes of one-hot rows as of the dense arrays that they are seen as."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.optimisers import OPTIMISERS
from service.learning.planning.plan import plan
from service.learning.planning.stability import Rate
from service.learning.rows import batches
from service.learning.rows.batches import Batches
from service.learning.rows.gram import Gram
from service.learning.rows.one_hot import OneHotRows
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import EarlyStopping, Recipe
from service.learning.training.training import Training
from tests.support.learning.networks import network, reports

INPUTS, TARGETS = (None, 3, None, 2, 4), (3, None)  # 11 inputs, 4 outputs
LINEAR = "Dense(11 => 4)"
DEEP = "Chain(Dense(11 => 6, tanh), Dense(6 => 4))"


@pytest.fixture(params=["memory", "memory map", "memory map in another dtype"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Part, Part]:
    return make_pair(300, None if request.param == "memory" else tmp_path, request.param.endswith("dtype"))


def make_pair(rows: int, folder: Path | None = None, double: bool = False, weighted: bool = False) -> tuple[Part, Part]:
    """A part of encoded rows, and one of the same rows as dense arrays; both of float32."""
    generator = np.random.default_rng(0)

    def made(name: str, classes: tuple[int | None, ...]) -> OneHotRows:
        columns = [generator.normal(size=rows) if k is None else generator.integers(0, k, rows) for k in classes]
        codes: Array = np.column_stack(columns).astype(np.float64 if double else np.float32)
        if folder is not None:
            np.save(folder / f"{name}.npy", codes)
            codes = np.load(folder / f"{name}.npy", mmap_mode="r")
        return OneHotRows(codes, classes, "float32")

    inputs, targets = made("inputs", INPUTS), made("targets", TARGETS)
    weights = np.linspace(1, 2, rows, dtype=np.float32) if weighted else None
    return Part(inputs, targets, weights), Part(inputs[:], targets[:], weights)


RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "quadratic": (LINEAR, {"path": "quadratic"}),
    "quadratic, standardised": (LINEAR, {"path": "quadratic", "standardise": True}),
    "one batch": (DEEP, {}),
    "one batch of a Dense": (LINEAR, {"path": "batches"}),
    "batches": (DEEP, {"batch_size": 32}),
    "shuffled": (DEEP, {"batch_size": 32, "shuffle": True}),
    "standardised": (DEEP, {"batch_size": 32, "shuffle": True, "standardise": True}),
    "another loss": (DEEP, {"batch_size": 32, "loss": LOSSES["logitcrossentropy"]()}),
    "the best": (DEEP, {"batch_size": 32, "early_stopping": EarlyStopping(patience=2)}),
}


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "block_rows", 100)


def recipe_of(options: dict[str, Any]) -> Recipe:
    return Recipe(**{"loss": LOSSES["mse"](), "optimiser": OPTIMISERS["Adam"](), "epochs": 4, **options})


def outcome(net: Network, part: Part, validation: Part, recipe: Recipe) -> list[Any]:
    training = Training(Problem(net, part, validation, recipe), net.initial(0))
    told = [report._replace(seconds=0.0) for report in reports(training)]
    return [told, training.result().tobytes(), training.final_loss(), training.best]


@pytest.mark.parametrize(("notation", "options"), RECIPES.values(), ids=RECIPES.keys())
def test_a_training_is_the_same_to_the_last_byte(
    pair: tuple[Part, Part], notation: str, options: dict[str, Any]
) -> None:
    recipe = recipe_of(options)
    net, validation = network(notation, "float32"), make_pair(50)
    encoded, dense = (outcome(net, part, other, recipe) for part, other in zip(pair, validation, strict=True))
    assert encoded == dense


def test_so_is_one_with_weights() -> None:
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=OPTIMISERS["Descent"](), epochs=4, batch_size=32, shuffle=True)
    net, parts = network(DEEP, "float32"), make_pair(300, weighted=True)
    encoded, dense = (outcome(net, part, part, recipe) for part in parts)
    assert encoded == dense


def test_predictions_and_losses_are_the_same(pair: tuple[Part, Part]) -> None:
    net = network(DEEP, "float32")
    encoded, dense = pair
    vector, loss = net.initial(0), LOSSES["mse"]()
    assert np.array_equal(net.predict(vector, encoded.inputs), net.predict(vector, dense.inputs))
    assert net.loss(vector, encoded.inputs, encoded.targets, loss) == net.loss(
        vector, dense.inputs, dense.targets, loss
    )


def test_sums_and_estimates_are_the_same(pair: tuple[Part, Part]) -> None:
    (encoded_gram, encoded_rate), (gram, rate) = (known_before(part) for part in pair)
    assert np.array_equal(encoded_gram.matrix, gram.matrix)
    assert encoded_gram.reference.same_as(gram.reference)
    assert encoded_rate == rate
    assert rate is not None


def known_before(part: Part) -> tuple[Gram, Rate | None]:
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=OPTIMISERS["Descent"](), epochs=1, standardise=True)
    net = network(DEEP, "float32")
    estimated = plan(net, len(part), 0, recipe, parameters=net.initial(0), train=lambda: part)
    return Gram.of(part.inputs, part.targets), estimated.largest_stable_rate


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_map_of_many_windows_is_read_as_what_it_is_seen_as(
    shuffle: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row once, inputs beside their targets, in the order of the array in memory."""
    monkeypatch.setattr(batches, "RUN_BYTES", 1 << 9)
    monkeypatch.setattr(batches, "WINDOW_RUNS", 4)
    mapped, in_memory = make_pair(2000, tmp_path)[0], make_pair(2000)[0]
    found = np.concatenate(list(read_all(mapped, shuffle)))
    assert np.array_equal(found, np.concatenate(list(read_all(in_memory, shuffle))))
    expected = np.hstack([in_memory.inputs[:], in_memory.targets[:]])
    assert np.array_equal(found, expected) != shuffle
    assert np.array_equal(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def read_all(part: Part, shuffle: bool) -> Iterator[Array]:
    source = Batches(part, 70, shuffle=shuffle)
    source.begin_epoch(1)
    for start in range(0, source.rows, source.size):
        stop = min(start + source.size, source.rows)
        buffers: list[Array] = [np.empty((stop - start, width), np.float32) for width in (11, 4)]
        source.read(start, stop, buffers)
        yield np.hstack(buffers)


def test_places_that_always_sum_to_one_leave_the_least_loss_exact() -> None:
    """With a bias, no one-hot column has a single best fit."""
    part, _ = make_pair(300)
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=OPTIMISERS["Descent"](), epochs=1)
    known = plan(network(LINEAR), 300, 0, recipe, gram=Gram.of(part.inputs, part.targets))
    x, y = np.hstack([part.inputs[:], np.ones((300, 1))]).astype(np.float64), part.targets[:].astype(np.float64)
    fit = np.linalg.lstsq(x, y)[0]
    assert known.optimum_loss == pytest.approx(float(np.mean((x @ fit - y) ** 2)), rel=1e-12)
