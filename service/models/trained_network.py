"""A network with the parameters of one version."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from service.http.json_numbers import Array
from service.learning import notation
from service.learning.confidence.conformal import Quantiles
from service.learning.layers import Signal, Tape
from service.learning.network import Network
from service.learning.rows.coded import Buffer, Coding
from service.learning.rows.one_hot import Rows, write_rows
from service.models.records import ModelRecord
from service.models.signature.signature import Signature

MOST_ROWS_KEPT = 256
SMALL_NETWORK = 1 << 18
"""Bytes of parameters that stay in the innermost caches beside a few rows: then few at a time are the fastest."""
MOST_TAPES = 8
"""Tapes of few rows that each thread keeps for a network."""


class _Tapes(threading.local):
    """The tapes that each thread keeps for a network, each with the buffers of its inputs and outputs."""

    def __init__(self) -> None:
        self.by_form: dict[int | tuple[int, Coding], tuple[Tape, Buffer, Signal]] = {}


@dataclass(frozen=True)
class TrainedNetwork:
    """A network and one version of its parameters."""

    model: str
    version: int
    job: str | None
    fresh: bool
    """Drawn by a seed and never trained."""
    network: Network
    vector: Array
    signature: Signature | None = None
    """The signature of the data it was trained on."""
    epoch: int | None = None
    """The epoch at whose end the training had these parameters; None for the version's own."""
    quantiles: dict[float, Quantiles] = field(default_factory=dict, repr=False, compare=False)
    """The errors that are exceeded seldom, by level, as far as they were asked for."""
    _tapes: _Tapes = field(default_factory=_Tapes, repr=False, compare=False)

    @cached_property
    def ranges(self) -> tuple[Array, Array] | None:
        """The least and the greatest value of each input in training, infinite for those of a category; in the
        network's dtype, rounded as inputs are. None without a signature.
        """
        if self.signature is None:
            return None
        widths = [each.width for each in self.signature.features]
        low = [-np.inf if each.min is None else each.min for each in self.signature.features]
        high = [np.inf if each.max is None else each.max for each in self.signature.features]
        dtype = self.network.dtype
        return np.repeat(np.array(low, dtype), widths), np.repeat(np.array(high, dtype), widths)

    @property
    def columns(self) -> int:
        """Columns of a row by name; inputs, where no names are known."""
        return self.network.inputs if self.signature is None else len(self.signature.features)

    @cached_property
    def idle_weights(self) -> int:
        """Weights that have nothing to do with a given row: those of other categories, where these travel as codes."""
        features = () if self.signature is None else self.signature.features
        coding = Coding.of([None if each.categories is None else each.width for each in features])
        return sum(self.network.weights_apart(self.network.taken(coding)).values())

    @cached_property
    def input_names(self) -> list[str]:
        """The column that each input belongs to, by the signature."""
        features = () if self.signature is None else self.signature.features
        return [each.name for each in features for _ in range(each.width)]

    def predict(self, inputs: Rows) -> Array:
        """Outputs (rows × outputs) for inputs (rows × inputs); safe to call from many threads."""
        coding = None if type(inputs) is np.ndarray else self.network.coding_of(inputs)
        few = self._few if coding is None else self._rows_kept(coding)
        if len(inputs) <= few:
            return self._predict_few(inputs, coding)
        if self.vector.nbytes > SMALL_NETWORK or type(inputs) is not np.ndarray:  # a map's pages are given back there
            return self.network.predict(self.vector, inputs)
        computed = np.empty((len(inputs), self.network.outputs), self.network.dtype)
        for start in range(0, len(inputs), few):
            computed[start : start + few] = self._predict_few(inputs[start : start + few])
        return computed

    @cached_property
    def _few(self) -> int:
        return self._rows_kept(None)

    def _rows_kept(self, coding: Coding | None) -> int:
        """Return how many rows have a tape that is small enough to be kept."""
        return max(1, min(MOST_ROWS_KEPT, self.network.block_rows_of(coding) // 8))

    def _predict_few(self, rows: Rows, coding: Coding | None = None) -> Array:
        """Return the same on tapes that each thread keeps: for few rows, to record one takes longer than to run it."""
        tapes, form = self._tapes.by_form, len(rows) if coding is None else (len(rows), coding)
        try:
            tape, inputs, outputs = tapes[form]
        except KeyError:
            if len(tapes) >= MOST_TAPES:
                tapes.pop(next(iter(tapes)))
            tape, inputs, outputs = tapes[form] = self.network.tape_of(coding, self.vector, len(rows))
        with np.errstate(all="ignore"):
            if isinstance(inputs, np.ndarray):
                np.copyto(inputs, rows[:])
            else:
                write_rows(rows, slice(None), inputs)
            tape.run()
        computed: Array = outputs.value.copy()
        return computed


def network_of(record: ModelRecord) -> Network:
    return Network(notation.read(record.architecture), record.dtype)
