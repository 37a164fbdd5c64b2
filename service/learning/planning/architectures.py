"""A network of a size that suits the rows it is to learn from."""

from typing import NamedTuple

ROWS_OF_A_LAYER = 20
"""Rows from which a hidden layer is suggested."""
WIDTH = 64
"""Neurons of a hidden layer; small steps, weight decay and early stopping keep them from learning rows by heart."""
ENOUGH_FOR_TWO = 2000
"""Rows from which two hidden layers are suggested."""


class Suggestion(NamedTuple):
    """An architecture in Flux's notation, and the reason for it."""

    architecture: str
    reason: str


def suggested(inputs: int, outputs: int, rows: int) -> Suggestion:
    """Return a network for so many rows to learn from: a straight line, or one or two hidden layers of relu."""
    ends = f"{inputs} inputs and {outputs} output{'s' if outputs != 1 else ''} are the dataset's widths"
    if rows < ROWS_OF_A_LAYER:
        told = f"a straight line is hard to beat with {rows} rows"
        return Suggestion(f"Dense({inputs} => {outputs})", f"{ends}; {told}.")
    deep = rows >= ENOUGH_FOR_TWO
    layers = [f"Dense({inputs} => {WIDTH}, relu)", *([f"Dense({WIDTH} => {WIDTH}, relu)"] if deep else [])]
    hidden = f"two hidden layers of {WIDTH} neurons" if deep else f"a hidden layer of {WIDTH} neurons"
    told = f"{hidden} can follow what {rows:,} rows show, and the recipe auto keeps it from learning them by heart"
    return Suggestion(f"Chain({', '.join(layers)}, Dense({WIDTH} => {outputs}))", f"{ends}; {told}.")
