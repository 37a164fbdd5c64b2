"""The part of a dataset that a network learns from or is evaluated on."""

from __future__ import annotations

from dataclasses import dataclass

from service.learning.arrays import Array
from service.learning.rows.gram import Gram
from service.learning.rows.one_hot import Rows


@dataclass(frozen=True, eq=False)
class Part:
    """Rows to learn from: inputs (rows × inputs) and targets (rows × outputs).

    They are arrays or memory maps in the network's dtype; a Selection where some columns or another dtype are stored;
    OneHotRows where columns hold codes of classes.
    `numbers` tells for each output whether it is a number, and no class; None: all are.
    `weights` (rows), not negative, weigh the rows; their scale does not matter to a mean. `gram` is the Gram
    matrix of these rows where it is known; it saves a pass.
    """

    inputs: Rows
    targets: Rows
    weights: Array | None = None
    gram: Gram | None = None
    numbers: tuple[bool, ...] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def has_numbers(self) -> bool:
        """Whether a target is a number."""
        return self.numbers is None or any(self.numbers)
