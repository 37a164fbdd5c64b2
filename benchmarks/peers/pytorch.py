"""PyTorch in eager mode as its users write it for the CPU: tensors loaded beforehand, gradients dropped, not zeroed."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import threads

torch.set_num_threads(threads())
ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def network(sizes: Sequence[int], activation: str) -> torch.nn.Sequential:
    torch.manual_seed(0)
    layers: list[torch.nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*layers[:-1])


def run(
    weight: NDArray[Any], bias: NDArray[Any], inputs: NDArray[Any], targets: NDArray[Any], rate: float, epochs: int
) -> Callable[[], list[float]]:
    """Full-batch gradient descent on mse from the same parameters each time; returns every epoch's loss."""
    x, y = torch.from_numpy(inputs), torch.from_numpy(targets)
    loss_of = torch.nn.MSELoss()

    def losses() -> list[float]:
        model = torch.nn.Linear(inputs.shape[1], targets.shape[1])
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(weight))
            model.bias.copy_(torch.from_numpy(bias))
        optimiser = torch.optim.SGD(model.parameters(), lr=rate)
        path = []
        for _ in range(epochs):
            optimiser.zero_grad(set_to_none=True)
            loss = loss_of(model(x), y)
            loss.backward()
            optimiser.step()
            path.append(loss.detach())
        path.append(loss_of(model(x), y).detach())
        return [float(loss) for loss in torch.stack(path)]

    return losses


def epoch(
    sizes: Sequence[int],
    activation: str,
    rule: str,
    rate: float,
    batch_size: int,
    inputs: NDArray[Any],
    targets: NDArray[Any],
) -> Callable[[], float]:
    """One more pass of shuffled mini-batches; returns its mean loss. Integer targets are classes.

    Shuffling the data once per epoch and slicing it is no slower than picking every batch by its indices; the fused
    Adam is PyTorch's fastest on a CPU, while for SGD fused, foreach and the default loop take the same time.
    """
    model = network(sizes, activation)
    x, y = torch.from_numpy(inputs), torch.from_numpy(targets)
    loss_of = torch.nn.MSELoss() if targets.dtype == np.float32 else torch.nn.CrossEntropyLoss()
    optimiser: torch.optim.Optimizer
    if rule == "Adam":
        optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    else:
        optimiser = torch.optim.SGD(model.parameters(), lr=rate)

    def mean_loss() -> float:
        order = torch.randperm(len(x))
        total = torch.zeros(())
        for x_batch, y_batch in zip(x[order].split(batch_size), y[order].split(batch_size), strict=True):
            optimiser.zero_grad(set_to_none=True)
            loss = loss_of(model(x_batch), y_batch)
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(x_batch)
        return float(total) / len(x)

    return mean_loss
