"""Networks ready to compute, kept by model and version: a version never changes, so what is kept is never stale."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.learning import notation
from service.learning.network import Network
from service.models import parameters, records
from service.models.records import ModelRecord
from service.models.signature import Signature
from service.numbers import Array


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

    def predict(self, inputs: Array) -> Array:
        """Outputs (rows × outputs) for inputs (rows × inputs)."""
        return self.network.predict(self.vector, inputs)


def network_of(record: ModelRecord) -> Network:
    return Network(notation.read(record.architecture), record.dtype)


class Networks:
    """The last used networks, up to `capacity` bytes of parameters; safe for many threads."""

    def __init__(self, capacity: int = 64 << 20) -> None:
        self._capacity = capacity
        self._size = 0
        self._kept: OrderedDict[tuple[str, int, int | None], TrainedNetwork] = OrderedDict()
        self._lock = threading.Lock()

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
        key = (record.id, number, epoch)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
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
