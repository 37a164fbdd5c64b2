"""Networks ready to compute, kept by model and version: a version never changes and its number is given once.

A version may be deleted, perhaps by another replica: so each request asks the database whether it is there.
"""

import asyncio
import threading
from collections import OrderedDict

from sqlalchemy.orm import Session

from service.database.caller import caller
from service.database.database import Database
from service.models import parameter_bytes, records
from service.models.serving.records import which
from service.models.trained_network import TrainedNetwork, network_of


def _look_up(database: Database, reference: str, version: int | None) -> tuple[str, int | None]:
    """The same as `which`, of an SQLite database; the number is None where the model or version is unknown."""
    who = caller()
    given = {"reference": reference, "owner": who.owner, "all": who.reaches_all, "version": version}
    row = database.look_up(_SERVED if version is None else _NAMED, given)
    return (reference, None) if row is None else (row[0], row[1])


_SERVED = """
SELECT id, served
FROM models WHERE id = :reference AND (owner = :owner OR shared OR :all) OR owner = :owner AND name = :reference
"""
_NAMED = """
SELECT id, (SELECT number FROM versions WHERE model_id = models.id AND number = :version)
FROM models WHERE id = :reference AND (owner = :owner OR shared OR :all) OR owner = :owner AND name = :reference
"""


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
        """Return the same as `get`, for coroutines: microseconds where the network is kept, else work in a thread.

        The database is asked each time: for the number of the served version, or whether there is the one named.

        Raises:
            NotFound: there is no such model, version or kept epoch.
            Unavailable: the database does not answer.
        """
        if not database.on_sqlite:
            return await asyncio.to_thread(self._read, database, reference, version, epoch)
        model, number = _look_up(database, reference, version)
        kept = None if number is None else self._recall(model, number, epoch)
        if kept is None:
            kept = await asyncio.to_thread(self._read, database, model, version if number is None else number, epoch)
        return kept

    def _read(self, database: Database, reference: str, version: int | None, epoch: int | None) -> TrainedNetwork:
        with database.reading() as session:
            return self.get(session, reference, version, epoch)

    def get(
        self, session: Session, reference: str, version: int | None = None, epoch: int | None = None
    ) -> TrainedNetwork:
        """Return a version of the model that `reference` (id or name) stands for; the served where `version` is None.

        With `epoch`, the parameters that the version's training had kept at the end of that epoch.

        Raises:
            NotFound: there is no such model, version or kept epoch.
        """
        model, number = which(session, reference, version)
        kept = self._recall(model, number, epoch)
        if kept is not None:
            return kept
        record = records.find(session, model)
        row = records.version(session, record.id, number)
        source = row if epoch is None else records.point(session, record.id, row.job_id, epoch)
        loaded = TrainedNetwork(
            record.id,
            number,
            row.job_id,
            record.seeded and number == 0,
            network_of(record),
            parameter_bytes.from_bytes(source.parameters),
            row.signature,
            epoch,
        )
        self._keep(loaded)
        return loaded

    def latest(
        self, session: Session, reference: str, version: int | None = None, epoch: int | None = None
    ) -> TrainedNetwork:
        """Return the same as `get`, but where `version` is None the one with the highest number."""
        if version is None:
            version = records.find(session, reference).version
        return self.get(session, reference, version, epoch)

    def forget(self, model: str, version: int | None = None) -> None:
        """Drop what is kept of a model (an id), or of one version of it; the next request reads it again."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == model and version in (None, key[1])]:
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
