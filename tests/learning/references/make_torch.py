"""PyTorch's answers: torch_activations.json, torch_losses.json, torch_layers.json, torch_optimisers.json.

Run in an environment of its own (README.md beside this file):
`python -m tests.learning.references.make_torch`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tests.learning.references.questions import (
    ACTIVATION_INPUTS,
    DTYPES,
    LAYER_INPUTS,
    LOSS_INPUTS,
    NETWORK,
    QUADRATIC,
    STEPS,
    check_precisions,
    write_answers,
)

VERSIONS = {"torch": torch.__version__}
Case = Mapping[str, Any]


def tensor(array: Any, dtype: str, grad: bool = False) -> Tensor:
    return torch.tensor(np.asarray(array), dtype=getattr(torch, dtype), requires_grad=grad)


# Without hardsigmoid, whose slope PyTorch rounds to float32's 1/6 in float64 too.
ACTIVATIONS: list[tuple[dict[str, Any], Callable[[Tensor], Tensor]]] = [
    ({"name": "identity"}, torch.nn.Identity()),
    ({"name": "sigmoid"}, torch.sigmoid),
    ({"name": "logsigmoid"}, functional.logsigmoid),
    ({"name": "hardtanh"}, functional.hardtanh),
    ({"name": "relu"}, functional.relu),
    ({"name": "leakyrelu", "a": 0.01}, lambda x: functional.leaky_relu(x, 0.01)),
    ({"name": "leakyrelu", "a": 0.2}, lambda x: functional.leaky_relu(x, 0.2)),
    ({"name": "relu6"}, functional.relu6),
    ({"name": "elu", "alpha": 1.0}, lambda x: functional.elu(x, 1.0)),
    ({"name": "elu", "alpha": 0.5}, lambda x: functional.elu(x, 0.5)),
    ({"name": "gelu_tanh"}, lambda x: functional.gelu(x, approximate="tanh")),
    ({"name": "gelu_erf"}, lambda x: functional.gelu(x, approximate="none")),
    ({"name": "gelu_sigmoid"}, lambda x: functional.silu(1.702 * x) / 1.702),
    ({"name": "swish"}, functional.silu),
    ({"name": "lisht"}, lambda x: x * torch.tanh(x)),
    ({"name": "hardswish"}, functional.hardswish),
    ({"name": "selu"}, functional.selu),
    ({"name": "celu", "alpha": 1.0}, lambda x: functional.celu(x, 1.0)),
    ({"name": "celu", "alpha": 2.0}, lambda x: functional.celu(x, 2.0)),
    ({"name": "trelu", "theta": 1.0}, lambda x: functional.threshold(x, 1.0, 0.0)),
    ({"name": "softsign"}, functional.softsign),
    ({"name": "softplus"}, lambda x: functional.softplus(x, threshold=50)),
    ({"name": "mish"}, functional.mish),
    ({"name": "tanhshrink"}, functional.tanhshrink),
    ({"name": "softshrink", "lambda": 0.5}, lambda x: functional.softshrink(x, 0.5)),
    ({"name": "tanh"}, torch.tanh),
    ({"name": "softmax"}, lambda x: functional.softmax(x, dim=1)),
    ({"name": "logsoftmax"}, lambda x: functional.log_softmax(x, dim=1)),
]


def activations() -> Iterator[Case]:
    for term, function in ACTIVATIONS:
        case: dict[str, Any] = {"term": term}
        for dtype in DTYPES:
            x = tensor(ACTIVATION_INPUTS["x"], dtype, grad=True)
            value = function(x)
            value.backward(tensor(ACTIVATION_INPUTS["cotangent"], dtype))
            case[dtype] = {"value": value.detach(), "gradient": x.grad}
        yield case


def of_rows(loss: Callable[..., Tensor]) -> Callable[[Tensor, Tensor, str], Tensor]:
    """Flux means over rows where PyTorch's "mean" would mean over all elements: "batchmean"."""
    return lambda p, y, agg: loss(p, y, reduction="batchmean" if agg == "mean" else agg)


def log_regularised(p: Tensor) -> Tensor:
    return torch.log(p + torch.finfo(p.dtype).eps)


def nll(p: Tensor, y: Tensor, agg: str) -> Tensor:
    return functional.nll_loss(log_regularised(p), y.argmax(dim=1), reduction=agg)


def margin_at_zero(p: Tensor, y: Tensor, agg: str) -> Tensor:
    """max(0, 1 − ŷy): the ranking loss of ŷ against zero with a margin of one."""
    return functional.margin_ranking_loss(p, torch.zeros_like(p), y, margin=1.0, reduction=agg)


LOSSES: list[tuple[dict[str, Any], str, Callable[[Tensor, Tensor, str], Tensor]]] = [
    ({"name": "mae"}, "real", lambda p, y, agg: functional.l1_loss(p, y, reduction=agg)),
    ({"name": "mse"}, "real", lambda p, y, agg: functional.mse_loss(p, y, reduction=agg)),
    (
        {"name": "msle"},
        "positive",
        lambda p, y, agg: functional.mse_loss(log_regularised(p), log_regularised(y), reduction=agg),
    ),
    (
        {"name": "huber_loss", "delta": 1.0},
        "real",
        lambda p, y, agg: functional.huber_loss(p, y, reduction=agg, delta=1.0),
    ),
    (
        {"name": "huber_loss", "delta": 0.3},
        "real",
        lambda p, y, agg: functional.huber_loss(p, y, reduction=agg, delta=0.3),
    ),
    ({"name": "crossentropy"}, "classes", nll),
    (
        {"name": "logitcrossentropy"},
        "logits of classes",
        lambda p, y, agg: functional.cross_entropy(p, y.argmax(dim=1), reduction=agg),
    ),
    (
        {"name": "logitcrossentropy"},
        "logits of distributions",
        lambda p, y, agg: functional.cross_entropy(p, y, reduction=agg),
    ),
    ({"name": "binarycrossentropy"}, "binary", lambda p, y, agg: functional.binary_cross_entropy(p, y, reduction=agg)),
    (
        {"name": "logitbinarycrossentropy"},
        "logits of classes",
        lambda p, y, agg: functional.binary_cross_entropy_with_logits(p, y, reduction=agg),
    ),
    (
        {"name": "kldivergence"},
        "distributions",
        of_rows(lambda p, y, reduction: functional.kl_div(log_regularised(p), y, reduction=reduction)),
    ),
    (
        {"name": "poisson_loss"},
        "counts",
        lambda p, y, agg: functional.poisson_nll_loss(p, y, log_input=False, eps=0.0, reduction=agg),
    ),
    ({"name": "hinge_loss"}, "signs", margin_at_zero),
]


def losses() -> Iterator[Case]:
    for term, inputs, function in LOSSES:
        for agg in ("mean", "sum"):
            case: dict[str, Any] = {"term": {**term, "agg": agg}, "inputs": inputs}
            for dtype in DTYPES:
                prediction = tensor(LOSS_INPUTS[inputs]["prediction"], dtype, grad=True)
                value = function(prediction, tensor(LOSS_INPUTS[inputs]["target"], dtype), agg)
                value.backward()
                case[dtype] = {"value": value.detach(), "gradient": prediction.grad}
            yield case


def layers() -> Iterator[Case]:
    """Values and pull-backs of the normalising layers; BatchNorm in train and in test mode."""
    for name, mode in (("LayerNorm", "train"), ("BatchNorm", "train"), ("BatchNorm", "test")):
        case: dict[str, Any] = {"term": {"name": name}, "mode": mode}
        for dtype in DTYPES:
            x = tensor(LAYER_INPUTS["x"], dtype, grad=True)
            layer: Any = torch.nn.LayerNorm(4, eps=1e-5) if name == "LayerNorm" else torch.nn.BatchNorm1d(4, 1e-5, 0.1)
            layer.weight = torch.nn.Parameter(tensor(LAYER_INPUTS["scale"], dtype))
            layer.bias = torch.nn.Parameter(tensor(LAYER_INPUTS["bias"], dtype))
            if name == "BatchNorm":
                layer.running_mean = tensor(LAYER_INPUTS["mean"], dtype)
                layer.running_var = tensor(LAYER_INPUTS["variance"], dtype)
            value = layer.train(mode == "train")(x)
            value.backward(tensor(LAYER_INPUTS["cotangent"], dtype))
            case[dtype] = {"value": value.detach(), "gradient": x.grad}
            case[dtype] |= {"scale": layer.weight.grad, "bias": layer.bias.grad}
            if name == "BatchNorm":
                case[dtype] |= {"mean": layer.running_mean, "variance": layer.running_var}
        yield case


def chain(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rule": "OptimiserChain", "rules": list(rules)}


DESCENT = {"rule": "Descent", "eta": 0.1}
Optimiser = Callable[[list[Tensor]], torch.optim.Optimizer]

OPTIMISERS: list[tuple[dict[str, Any], Optimiser]] = [
    (DESCENT, lambda p: torch.optim.SGD(p, lr=0.1)),
    ({"rule": "Momentum", "eta": 0.01, "rho": 0.9}, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    (
        {"rule": "Nesterov", "eta": 0.001, "rho": 0.9},
        lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.9, nesterov=True),
    ),
    (
        {"rule": "Rprop", "eta": 0.001, "ell": [0.5, 1.2], "gamma": [1e-6, 50.0]},
        lambda p: torch.optim.Rprop(p, lr=0.001, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0)),
    ),
    (
        {"rule": "RMSProp", "eta": 0.001, "rho": 0.9, "epsilon": 1e-8, "centred": False},
        lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-8),
    ),
    (
        {"rule": "RMSProp", "eta": 0.001, "rho": 0.9, "epsilon": 1e-8, "centred": True},
        lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-8, centered=True),
    ),
    (
        {"rule": "Adam", "eta": 0.001, "beta": [0.9, 0.999], "epsilon": 1e-8},
        lambda p: torch.optim.Adam(p, lr=0.001, betas=(0.9, 0.999), eps=1e-8),
    ),
    # Flux starts the sum of squares at epsilon.
    (
        {"rule": "AdaGrad", "eta": 0.1, "epsilon": 1e-8},
        lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=1e-8, eps=1e-8),
    ),
    (
        {"rule": "AdaDelta", "rho": 0.9, "epsilon": 1e-8},
        lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.9, eps=1e-8),
    ),
    (
        {"rule": "AdamW", "eta": 0.001, "beta": [0.9, 0.999], "lambda": 0.05, "epsilon": 1e-8, "couple": True},
        lambda p: torch.optim.AdamW(p, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.05),
    ),
    (
        chain({"rule": "WeightDecay", "lambda": 0.05}, DESCENT),
        lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05),
    ),
]


def quadratic(optimiser: Optimiser, dtype: str) -> list[Tensor]:
    matrix, linear = tensor(QUADRATIC["matrix"], dtype), tensor(QUADRATIC["linear"], dtype)
    x = tensor(QUADRATIC["start"], dtype, grad=True)
    rule = optimiser([x])
    path = [x.detach().clone()]
    for _ in range(STEPS):
        x.grad = (matrix @ x - linear).detach()
        rule.step()
        path.append(x.detach().clone())
    return path


def network(optimiser: Optimiser, dtype: str) -> dict[str, Any]:
    parameters = [tensor(layer[name], dtype, grad=True) for layer in NETWORK["parameters"] for name in layer]
    inputs, targets = tensor(NETWORK["inputs"], dtype), tensor(NETWORK["targets"], dtype)
    w1, b1, w2, b2 = parameters

    def loss() -> Tensor:
        return functional.mse_loss(functional.linear(torch.tanh(functional.linear(inputs, w1, b1)), w2, b2), targets)

    rule = optimiser(parameters)
    path = []
    for _ in range(STEPS):
        rule.zero_grad()
        value = loss()
        value.backward()
        rule.step()
        path.append(value.detach())
    path.append(loss().detach())
    return {"losses": torch.stack(path), "parameters": [p.detach() for p in parameters]}


def optimisers() -> Iterator[Case]:
    for term, optimiser in OPTIMISERS:
        case: dict[str, Any] = {"term": term}
        for dtype in DTYPES:
            case[dtype] = {"quadratic": torch.stack(quadratic(optimiser, dtype)), **network(optimiser, dtype)}
        yield case


def checked(cases: Iterator[Case]) -> Iterator[Case]:
    for case in cases:
        check_precisions(case)
        yield case


if __name__ == "__main__":
    write_answers("torch_activations.json", VERSIONS, ACTIVATION_INPUTS, checked(activations()))
    write_answers("torch_losses.json", VERSIONS, LOSS_INPUTS, checked(losses()))
    write_answers("torch_layers.json", VERSIONS, LAYER_INPUTS, checked(layers()))
    write_answers(
        "torch_optimisers.json", VERSIONS, {"quadratic": QUADRATIC, "network": NETWORK}, checked(optimisers())
    )
