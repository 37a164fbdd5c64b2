"""Networks ready to compute, kept by model and version: a version never changes, so what is kept is never stale."""

import asyncio
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sqlalchemy.orm import Session

from service.database.database import Database
from service.http.json_numbers import Array
from service.learning import notation
from service.learning.encoding import Rows
from service.learning.network import Network
from service.learning.tape import Signal, Tape
from service.models import parameters, records
from service.models.records import ModelRecord
from service.models.signature import Signature

MOST_ROWS_KEPT = 256
SMALL_NETWORK = 1 << 18
"""Bytes of parameters that stay in the innermost caches beside a few rows: then few at a time are the fastest."""
MOST_TAPES = 8
"""Of few rows, that each thread keeps for a network."""


class _Tapes(threading.local):
    """What each thread has made ready for a network: a tape, where its inputs go and where its outputs are."""

    def __init__(self) -> None:
        self.by_rows: dict[int, tuple[Tape, Array, Signal]] = {}


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
    """Of the data it was trained on."""
    epoch: int | None = None
    """Where these are not the version's own parameters, but those that its training had at the end of this epoch."""
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

    @cached_property
    def input_names(self) -> list[str]:
        """The column that each input belongs to, by the signature."""
        features = () if self.signature is None else self.signature.features
        return [each.name for each in features for _ in range(each.width)]

    def predict(self, inputs: Rows) -> Array:
        """Outputs (rows × outputs) for inputs (rows × inputs); safe to call from many threads."""
        few = self._few
        if len(inputs) <= few:
            return self._predict_few(inputs)
        if self.vector.nbytes > SMALL_NETWORK or type(inputs) is not np.ndarray:  # a map's pages are given back there
            return self.network.predict(self.vector, inputs)
        computed = np.empty((len(inputs), self.network.outputs), self.network.dtype)
        for start in range(0, len(inputs), few):
            computed[start : start + few] = self._predict_few(inputs[start : start + few])
        return computed

    @cached_property
    def _few(self) -> int:
        """Rows whose tape is small enough to be kept."""
        return max(1, min(MOST_ROWS_KEPT, self.network.block_rows // 8))

    def _predict_few(self, rows: Rows) -> Array:
        """The same on tapes that each thread keeps: for few rows, to record one takes longer than to run it."""
        tapes = self._tapes.by_rows
        try:
            tape, inputs, outputs = tapes[len(rows)]
        except KeyError:
            if len(tapes) >= MOST_TAPES:
                tapes.pop(next(iter(tapes)))
            tape, inputs, outputs = tapes[len(rows)] = self.network.tape(self.vector, len(rows))
        with np.errstate(all="ignore"):
            np.copyto(inputs, rows[:])
            tape.run()
        computed: Array = outputs.value.copy()
        return computed


def network_of(record: ModelRecord) -> Network:
    return Network(notation.read(record.architecture), record.dtype)


class Networks:
    """The last used networks, up to `capacity` bytes of parameters; safe for many threads."""

    def __init__(self, capacity: int = 64 << 20) -> None:
        self._capacity = capacity
        self._size = 0
        self._kept: OrderedDict[tuple[str, int, int | None], TrainedNetwork] = OrderedDict()
        self._lock = threading.Lock()

    async def find(
        self, database: Database, reference: str, version: int | None = None, epoch: int | None = None
    ) -> TrainedNetwork:
        """The same as `get`, for coroutines: microseconds where the network is kept, else work in a thread.

        What is the latest version is asked of the database each time.

        Raises:
            NotFound: there is no such model, version or kept epoch.
            Unavailable: the database does not answer.
        """
        if not database.on_sqlite:
            return await asyncio.to_thread(self._read, database, reference, version, epoch)
        model, latest = records.latest(database, reference)
        number = latest if version is None else version
        kept = self._recall(model, number, epoch)
        if kept is None:
            kept = await asyncio.to_thread(self._read, database, model, number, epoch)
        return kept

    def _read(self, database: Database, reference: str, version: int | None, epoch: int | None) -> TrainedNetwork:
        with database.reading() as session:
            return self.get(session, reference, version, epoch)

    def get(
        self, session: Session, reference: str, version: int | None = None, epoch: int | None = None
    ) -> TrainedNetwork:
        """A version of the model that `reference` (id or name) stands for; the latest where `version` is None.

        With `epoch`, the parameters that the version's training had kept at the end of that epoch.

        Raises:
            NotFound: there is no such model, version or kept epoch.
        """
        record = records.find(session, reference)
        number = record.version if version is None else version
        kept = self._recall(record.id, number, epoch)
        if kept is not None:
            return kept
        row = records.version(session, record.id, number)
        source = row if epoch is None else records.point(session, record.id, row.job_id, epoch)
        loaded = TrainedNetwork(
            record.id,
            number,
            row.job_id,
            record.seeded and number == 0,
            network_of(record),
            parameters.from_bytes(source.parameters),
            None if row.signature is None else Signature.from_json(row.signature),
            epoch,
        )
        self._keep(loaded)
        return loaded

    def forget(self, model: str) -> None:
        """Let go of all that is kept of a model (an id); who asks for it again reads it again."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == model]:
                self._size -= self._kept.pop(key).vector.nbytes

    def _recall(self, model: str, version: int, epoch: int | None) -> TrainedNetwork | None:
        key = (model, version, epoch)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def _keep(self, loaded: TrainedNetwork) -> None:
        with self._lock:
            key = (loaded.model, loaded.version, loaded.epoch)
            if key in self._kept:  # another thread was faster
                return
            self._kept[key] = loaded
            self._size += loaded.vector.nbytes
            while self._size > self._capacity and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._size -= oldest.vector.nbytes
