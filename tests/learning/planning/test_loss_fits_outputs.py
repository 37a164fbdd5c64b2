"""Whether a network's outputs suit its loss, and the advice where they do not."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from service.learning.expressions import ExpressionActivation
from service.learning.layers import Dense, Layer
from service.learning.losses import LOSSES, AggregatedLoss, Domain, Loss
from service.learning.network import Network
from service.learning.notation import read
from service.learning.planning.advice import Advice, advice, help_for_diverged
from service.learning.planning.loss_fits_outputs import suits
from service.learning.planning.plan import Plan
from service.learning.training.events import Diverged
from service.learning.training.problem import Problem
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem
from tests.support.learning.quadratic_training import MAKE, recipe

PLAN = Plan(2, "batches", 1, 1.0)


def loss(name: str, **fields: Any) -> Loss:
    return LOSSES[name](**fields)


def ending_in(function: str, outputs: int = 3) -> Network:
    made: Layer = read(f"Chain(Dense(4 => {outputs}), {function})")
    return Network(made)


def advised(name: str, network: Network) -> tuple[Advice, ...]:
    return advice(PLAN, recipe(loss=loss(name)), network=network)


@pytest.mark.parametrize(
    ("name", "function", "fits"),
    [
        ("crossentropy", "softmax", True),
        ("crossentropy", "sigmoid", True),
        ("crossentropy", "logsoftmax", False),
        ("crossentropy", "relu", False),
        ("kldivergence", "identity", False),
        ("focal_loss", "tanh", False),
        ("binarycrossentropy", "hardsigmoid", True),
        ("binary_focal_loss", "swish", False),
        ("poisson_loss", "softplus", True),
        ("poisson_loss", "relu", False),
        ("msle", "relu", True),
        ("msle", "elu", False),
        ("mse", "identity", True),
        ("logitcrossentropy", "identity", True),
        ("dice_coeff_loss", "identity", True),
    ],
)
def test_a_loss_suits_functions_that_give_what_it_takes(name: str, function: str, fits: bool) -> None:
    assert suits(loss(name), ending_in(function)) is fits


@pytest.mark.parametrize(("written", "fits"), [("x^2 / (1 + x^2)", True), ("x^2", False), ("log(x)", False)])
def test_a_written_function_is_known_by_its_values(written: str, fits: bool) -> None:
    assert suits(loss("crossentropy"), Network(Dense(4, 3, ExpressionActivation(written)))) is fits


def test_nothing_is_said_of_branches_before_training() -> None:
    branches = Network(read("Parallel(vcat, Chain(Dense(4 => 2), softmax), Chain(Dense(4 => 2), softmax))"))
    assert advised("crossentropy", branches) == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crossentropy", ["no function at its end", "logitcrossentropy", "end in softmax"]),
        ("kldivergence", ["logitcrossentropy", "end in softmax"]),
        ("focal_loss", ["Let the network end in softmax"]),
        ("binarycrossentropy", ["logitbinarycrossentropy", "end in sigmoid"]),
        ("binary_focal_loss", ["Let the network end in sigmoid"]),
    ],
)
def test_a_loss_of_probabilities_is_advised_against_where_outputs_are_none(name: str, words: list[str]) -> None:
    (said,) = advised(name, Network(read("Dense(4 => 3)")))
    assert (said.code, said.pointer) == ("loss_takes_probabilities", "#/loss")
    assert all(word in said.detail for word in words), said.detail
    (said,) = advised(name, ending_in("tanh"))
    assert "it ends in tanh" in said.detail


@pytest.mark.parametrize("name", ["poisson_loss", "msle"])
def test_a_loss_of_positive_numbers_is_advised_against_for_other_outputs(name: str) -> None:
    (said,) = advised(name, Network(read("Dense(4 => 3)")))
    assert (said.code, said.pointer) == ("loss_takes_positive_numbers", "#/loss")
    assert "softplus" in said.detail


@pytest.mark.parametrize(
    ("name", "function", "words"),
    [
        ("logitcrossentropy", "softmax", ["once more", "above 0.576", "Use crossentropy"]),
        ("logitbinarycrossentropy", "sigmoid", ["once more", "between 0.5 and 0.731", "Use binarycrossentropy"]),
        ("logitcrossentropy", "sigmoid", ["above 0.576", "without sigmoid"]),
        ("logitbinarycrossentropy", "softmax", ["between 0.5 and 0.731", "without softmax"]),
    ],
)
def test_a_loss_of_logits_is_advised_against_for_probabilities(name: str, function: str, words: list[str]) -> None:
    (said,) = advised(name, ending_in(function))
    assert (said.code, said.pointer) == ("logits_of_probabilities", "#/loss")
    assert all(word in said.detail for word in words), said.detail


@pytest.mark.parametrize("function", ["identity", "logsoftmax", "tanh", "relu"])
def test_a_loss_of_logits_suits_other_functions(function: str) -> None:
    assert advised("logitcrossentropy", ending_in(function)) == ()


def test_nothing_is_said_of_a_softmax_over_one_output() -> None:
    assert advised("logitcrossentropy", ending_in("softmax", outputs=1)) == ()


@pytest.mark.parametrize("epoch", [0, 3])
def test_a_loss_that_does_not_suit_the_network_is_blamed_before_the_rate(epoch: int) -> None:
    asked = recipe(MAKE["Adam"](eta=0.5), loss=loss("crossentropy"))
    said = help_for_diverged(asked, Network(read("Dense(4 => 3)")), epoch, None, None)
    assert "logitcrossentropy" in said
    assert "rate" not in said
    branches = Network(read("Parallel(vcat, Dense(4 => 2), Dense(4 => 2))"))
    assert ("it ends in Parallel" in help_for_diverged(asked, branches, epoch, None, None)) is (epoch == 0)


def test_the_rate_is_not_blamed_before_any_step() -> None:
    asked = recipe(MAKE["Descent"](eta=0.5))
    said = help_for_diverged(asked, network("Dense(3 => 2)"), 0, 0.1, 0.05)
    assert "rate" not in said
    assert "standardise" in said
    standardised = recipe(standardise=True)
    assert "standardise" not in help_for_diverged(standardised, network("Dense(3 => 2)"), 0, None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "quadratic"},
        {"path": "quadratic", "optimiser": MAKE["Adam"]()},
        {"path": "batches"},
        {"batch_size": 3},
        {"loss": loss("crossentropy")},
    ],
    ids=str,
)
def test_a_first_loss_that_is_not_finite_is_said_to_be_that(fields: dict[str, Any]) -> None:
    net, part = network("Dense(3 => 2)"), problem(10)
    start = net.initial(0) - 1e200
    training = Training(Problem(net, part, None, replace(recipe(), **fields)), start)
    with pytest.raises(Diverged, match="not finite for the parameters that training begins from") as error:
        list(training.run())
    assert error.value.epoch == 0


@dataclass(frozen=True, slots=True)
class Odds(AggregatedLoss):
    """A loss of a package that states facts about itself and names neither a function nor another loss."""

    name = "odds"
    accepts = Domain("numbers above 1", lambda ŷ: ŷ > 1, "up to 1 the loss is not finite")


@dataclass(frozen=True, slots=True)
class OfLogits(AggregatedLoss):
    """A loss of a package that applies sigmoid itself."""

    name = "of_logits"
    link = "sigmoid"


def test_a_loss_of_a_package_is_advised_about_by_the_facts_that_it_states() -> None:
    (said,) = advice(PLAN, recipe(loss=Odds()), network=ending_in("softplus"))
    assert said.code == "loss_takes_numbers_above_1"
    assert "Let the network end in a function with such values." in said.detail
    (said,) = advice(PLAN, recipe(loss=OfLogits()), network=ending_in("sigmoid"))
    assert said.code == "logits_of_probabilities"
    assert said.detail.endswith("Leave the last sigmoid out.")
