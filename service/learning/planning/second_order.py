"""The networks that rules of second order suit."""

from service.learning.layers import nodes
from service.learning.network import Network

MOST_PARAMETERS = 100
"""Parameters up to which LevenbergMarquardt is chosen and advised: the time of its steps grows with their square."""
CURVES = {"tanh", "tanh_fast", "sigmoid", "sigmoid_fast"}
SMOOTH = CURVES | {"identity", "softmax"}


def is_smooth(network: Network) -> bool:
    """Whether all functions of the network have slopes that change slowly."""
    return functions_of(network) <= SMOOTH


def functions_of(network: Network) -> set[str]:
    """Return the names of the activations, and of layers that are none and have none."""
    leaves = (node.layer for node in nodes(network.root) if not node.children)
    return {getattr(layer, "activation", layer).name for layer in leaves}
