"""A network as Julia source: run, it builds the same model in Flux, with these parameters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from textwrap import indent

from service.errors import invalid
from service.http.json_numbers import Array
from service.learning.expressions import ExpressionActivation
from service.learning.layers import BatchNorm, Chain, Dense, Dropout, Layer, LayerNorm, Node, Parallel, SkipConnection
from service.learning.layers.activations import Activation, GELUSigmoid, Identity
from service.learning.network import Network
from service.models.files import julia

FIELDS: dict[type[Layer], dict[str, str]] = {
    Dense: {"weight": "weight", "bias": "bias"},
    LayerNorm: {"scale": "diag.scale", "bias": "diag.bias"},
    BatchNorm: {"scale": "γ", "bias": "β", "mean": "μ", "variance": "σ²"},
}
"""The fields of Flux's layers that hold their parameters."""
VOCABULARY = "service.learning."
"""The terms of these modules are Flux's own; those that other packages add are unknown to it."""
QUICK_GELU = "x * sigmoid(1.702 * x)"
"""gelu_sigmoid; the function of this name in NNlib computes gelu_tanh by a sigmoid."""


def write(network: Network, vector: Array, heading: Sequence[str]) -> Iterator[str]:
    """The source, piece by piece, below the lines of the heading as comments.

    Raises:
        Invalid: Flux has no such layer or activation; raised at once, not by the iterator.
    """
    model = Constructors(network.dtype).layer(network.layer)
    return _pieces(network, vector, heading, f"f64({model})" if network.dtype == "float64" else model)


def _pieces(network: Network, vector: Array, heading: Sequence[str], model: str) -> Iterator[str]:
    yield "".join(f"# {' '.join(line.split())}\n" for line in heading)
    yield "\nusing Flux\n\n"
    arrays = list(_arrays(network.root, "model", vector))
    if any(values.size > julia.FEW for _, values in arrays):
        yield f"{julia.NUMBERS}(text) = parse.({julia.TYPES[network.dtype]}, split(text))\n\n"
    yield f"model = {model}\n"
    for place, values in arrays:
        yield f"\n{place} .= "
        yield from julia.array(values)
        yield "\n"
    yield "\nmodel\n"


def _arrays(node: Node, place: str, vector: Array) -> Iterator[tuple[str, Array]]:
    """Each array of a node with its place in the Julia model; Julia counts from 1."""
    for slot in node.slots:
        yield f"{place}.{FIELDS[type(node.layer)][slot.name]}", slot.as_written(vector)
    for index, child in enumerate(node.children, 1):
        alone = isinstance(node.layer, SkipConnection)
        yield from _arrays(child, f"{place}.layers" if alone else f"{place}.layers[{index}]", vector)


class Constructors:
    """Calls that make layers in Julia, with numbers of a dtype; parameters come later."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype

    def layer(self, layer: Layer) -> str:
        """The call that makes a layer, over several lines where it holds others."""
        _check(layer)
        match layer:
            case Activation():
                return self._function_of_arrays(layer)
            case Dense():
                keywords = "; bias=false" * (layer.bias is False)
                return f"Dense({layer.in_} => {layer.out}{self._behind(layer.activation)}{keywords})"
            case Dropout():
                return f"Dropout({self._number(layer.p)})"
            case LayerNorm() | BatchNorm():
                return self._normalisation(layer)
            case Chain():
                return _call("Chain", map(self.layer, layer.layers))
            case SkipConnection():
                return _call("SkipConnection", [self.layer(layer.layer), layer.connection])
            case Parallel():
                return _call("Parallel", [layer.connection, *map(self.layer, layer.layers)])
        raise AssertionError(f"no case for {layer.name}")

    def _normalisation(self, layer: LayerNorm | BatchNorm) -> str:
        keywords = [f"eps={self._number(layer.eps)}"]
        if isinstance(layer, BatchNorm):
            keywords.append(f"momentum={self._number(layer.momentum)}")
        if not layer.affine:
            keywords.append("affine=false")
        return f"{layer.name}({layer.size}{self._behind(layer.activation)}; {', '.join(keywords)})"

    def _behind(self, activation: Activation) -> str:
        """An activation as another argument of a layer, nothing where it is the identity."""
        return "" if isinstance(activation, Identity) else f", {self._function(activation)}"

    def _function(self, activation: Activation) -> str:
        """The activation as a function of one number."""
        _check(activation)
        written = _formula(activation)
        if written is not None:
            return f"x -> {julia.formula(written, self._dtype, dotted=False)}"
        if activation == type(activation)():
            return activation.name
        return f"x -> {activation.name}({', '.join(['x', *self._numbers(activation)])})"

    def _function_of_arrays(self, activation: Activation) -> str:
        """The activation as a layer. Not its name alone: Julia's tanh of a matrix is another function."""
        written = _formula(activation)
        if written is not None:
            return f"x -> {julia.formula(written, self._dtype, dotted=True)}"
        if activation.whole_row or isinstance(activation, Identity):
            return activation.name
        return f"x -> {activation.name}.({', '.join(['x', *self._numbers(activation)])})"

    def _numbers(self, activation: Activation) -> list[str]:
        if activation == type(activation)():
            return []
        return [self._number(getattr(activation, field.name)) for field in fields(activation)]  # type: ignore[arg-type]  # a dataclass

    def _number(self, number: float) -> str:
        return julia.literal(number, self._dtype)


def _check(layer: Layer) -> None:
    if not type(layer).__module__.startswith(VOCABULARY):
        raise invalid("query/format", f"{layer.name} is not known to Flux.", "no_such_form")


def _formula(activation: Activation) -> str | None:
    """The formula of an activation that Flux has no name for."""
    match activation:
        case ExpressionActivation(expression):
            return expression
        case GELUSigmoid():
            return QUICK_GELU
    return None


def _call(name: str, arguments: Iterable[str]) -> str:
    inside = "".join(f"{argument},\n" for argument in arguments)
    return f"{name}(\n{indent(inside, '    ')})"
