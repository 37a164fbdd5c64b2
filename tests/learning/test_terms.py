"""The vocabulary: registries, formulas, and terms that packages add."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from service.learning import terms
from service.learning.arrays import Array
from service.learning.initialisations import INITS
from service.learning.layers import LAYERS
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read, write
from service.learning.optimisers import OPTIMISERS
from service.learning.schedules import SCHEDULES
from service.learning.terms import Registry, Term

REGISTRIES: dict[str, Registry[Any]] = {
    "activations": ACTIVATIONS,
    "inits": INITS,
    "layers": LAYERS,
    "losses": LOSSES,
    "optimisers": OPTIMISERS,
    "schedules": SCHEDULES,
}
FLUX = {
    "activations": """
        identity sigmoid σ hardsigmoid hardσ logsigmoid logσ hardtanh relu leakyrelu relu6 elu gelu
        gelu_tanh gelu_sigmoid gelu_erf swish hardswish lisht selu celu trelu thresholdrelu softsign
        softplus logcosh mish tanhshrink softshrink tanh softmax logsoftmax
    """,
    "inits": """
        glorot_uniform glorot_normal kaiming_uniform kaiming_normal truncated_normal lecun_normal
        orthogonal sparse_init identity_init zeros32 ones32 rand32 randn32
    """,
    "layers": """
        Dense Chain Dropout LayerNorm BatchNorm SkipConnection Parallel
    """,
    "losses": """
        mae mse msle huber_loss crossentropy logitcrossentropy binarycrossentropy
        logitbinarycrossentropy kldivergence poisson_loss hinge_loss squared_hinge_loss
        dice_coeff_loss tversky_loss binary_focal_loss focal_loss siamese_contrastive_loss
    """,
    "optimisers": """
        Descent Momentum Nesterov Rprop RMSProp Adam RAdam AdaMax OAdam AdaGrad AdaDelta AMSGrad
        NAdam AdamW AdaBelief Lion WeightDecay SignDecay ClipGrad ClipNorm ClipGlobalNorm AccumGrad
        OptimiserChain
    """,
    "schedules": """
        Step Exp Poly Inv Triangle Sin CosAnneal
    """,
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_the_words_of_flux_are_there(kind: str) -> None:
    assert [name for name in FLUX[kind].split() if name not in REGISTRIES[kind]] == []


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_term_has_a_formula_and_its_own_name(kind: str) -> None:
    for name, term in REGISTRIES[kind].items():
        assert issubclass(term, Term)
        assert term.name == name
        assert term.formula()
        assert "\n" not in term.formula()


def test_a_name_is_given_once() -> None:
    registry: Registry[Any] = Registry("descent.tests")
    first = type("First", (Term,), {"name": "one", "aliases": ("two",)})
    registry.add(first)
    for name in ("one", "two"):
        with pytest.raises(ValueError, match="already"):
            registry.add(type("Second", (Term,), {"name": name}))


SQUARE = '''
from dataclasses import dataclass
from service.learning.layers.activations import ACTIVATIONS, Activation

@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Square(Activation):
    """x²"""

    name = "square_from_a_package"

    def value(self, x):
        return x * x

    def slope(self, x, y):
        return 2 * x
'''


@pytest.fixture
def _a_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with an entry point of ours is installed, and was not looked for yet."""

    class EntryPoint:
        def load(self) -> ModuleType:
            module = ModuleType("square_package")
            sys.modules["square_package"] = module
            exec(SQUARE, module.__dict__)  # noqa: S102 - stands for an installed module
            return module

    monkeypatch.setattr(terms, "entry_points", lambda group: [EntryPoint()] * (group == "descent.activations"))
    monkeypatch.setattr(ACTIVATIONS, "complete", False)
    yield
    ACTIVATIONS.terms.pop("square_from_a_package", None)
    sys.modules.pop("square_package", None)


@pytest.mark.usefixtures("_a_package")
def test_an_installed_package_adds_an_activation() -> None:
    network = Network(read("Dense(1 => 1, square_from_a_package; bias=false, init=ones32)"), "float64")
    assert write(network.layer) == "Dense(1 => 1, square_from_a_package; bias=false, init=ones32)"
    assert network.predict(network.initial(0), np.array([[3.0]])).tolist() == [[9]]
    assert "square_from_a_package" in list(ACTIVATIONS)


def test_a_term_of_ones_own_is_one_short_definition() -> None:
    @dataclass(frozen=True, slots=True)
    class Cube(Activation):
        """x³"""

        name = "cube"

        def value(self, x: Array) -> Array:
            return x**3

        def slope(self, x: Array, y: Array) -> Array:
            return 3 * x * x

    assert Cube.formula() == "x³"
    assert Cube() == Cube()
