"""A network of a size that suits the rows it is to learn from."""

from typing import NamedTuple

FEWEST = 4
"""Neurons of a layer that is worth its while."""
MOST = 128
ENOUGH_FOR_TWO = 2000
"""Rows from which two hidden layers are suggested."""


class Suggestion(NamedTuple):
    """An architecture in Flux's notation, and the reason for it."""

    architecture: str
    reason: str


def suggested(inputs: int, outputs: int, rows: int) -> Suggestion:
    """Return a network of about as many parameters as there are numbers to learn from; hidden layers are powers of
    two, from 4 to 128 neurons.
    """
    deep = rows >= ENOUGH_FOR_TWO
    width = MOST
    while width >= FEWEST and _parameters(inputs, width, outputs, deep=deep) > rows * outputs:
        width //= 2
    ends = f"{inputs} inputs and {outputs} output{'s' if outputs != 1 else ''} are the dataset's widths"
    if width < FEWEST:
        told = f"{rows:,} rows are few for the parameters of hidden layers, and a straight line is hard to beat there"
        return Suggestion(f"Dense({inputs} => {outputs})", f"{ends}; {told}.")
    layers = [f"Dense({inputs} => {width}, {'relu' if deep else 'tanh'})"]
    if deep:
        layers.append(f"Dense({width} => {width}, relu)")
    layers.append(f"Dense({width} => {outputs})")
    hidden = "two hidden layers" if deep else "one hidden layer"
    count = _parameters(inputs, width, outputs, deep=deep)
    told = f"{hidden} of {width} neurons make {count:,} parameters, not more than there are targets to learn from"
    limit = f", {rows:,} rows" if width < MOST else f" in {rows:,} rows; more than {MOST} seldom help with tables"
    return Suggestion(f"Chain({', '.join(layers)})", f"{ends}; {told}{limit}.")


def _parameters(inputs: int, width: int, outputs: int, *, deep: bool) -> int:
    return (inputs + 1) * width + deep * (width + 1) * width + (width + 1) * outputs
