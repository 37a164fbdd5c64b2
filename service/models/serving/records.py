"""The versions that models serve, and whose models are."""

from typing import Any

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session

from service.database import lookup, owners
from service.models.records import ModelRecord, VersionRecord, no_version


def which(session: Session, reference: str, version: int | None) -> tuple[str, int]:
    """The id of the model that `reference` stands for, and the number of a version: the served one where none is named.

    Raises:
        NotFound: there is no such model or version.
    """
    statement, given = (_WHICH_SERVED, {}) if version is None else (_WHICH_NAMED, {"version": version})
    found = session.execute(statement, {**owners.naming(reference), **given}).first()
    if found is None or not owners.is_seen(found):
        raise lookup.not_found(session, ModelRecord, reference, "model")
    if version is not None and found[3] is None:
        raise no_version(session, found[0], version)
    return found[0], found[3]


# made once: to make a statement takes longer than to execute it
_OF_MODEL: Any = ModelRecord.id, ModelRecord.owner, ModelRecord.shared
_WHICH_SERVED = select(*_OF_MODEL, ModelRecord.served).where(owners.named(ModelRecord))
_IS_NAMED = and_(VersionRecord.model_id == ModelRecord.id, VersionRecord.number == bindparam("version"))
_WHICH_NAMED = (
    select(*_OF_MODEL, VersionRecord.number).outerjoin(VersionRecord, _IS_NAMED).where(owners.named(ModelRecord))
)


def newest_to_serve(session: Session, model: str) -> int | None:
    """Return the newest version that its job did not refuse."""
    statement = select(func.max(VersionRecord.number)).where(VersionRecord.model_id == model)
    return session.scalar(statement.where(~VersionRecord.refused))


def check_own(session: Session, model: str) -> None:
    """Check that a model (an id) is there and may be trained.

    Raises:
        NotFound: it is not there.
        Forbidden: another owner has only shared it.
    """
    found = session.execute(_WHOSE, {"model": model}).first()
    if found is None or not owners.is_seen(found):
        raise lookup.not_found(session, ModelRecord, model, "model")
    owners.check(session, found, "model", to_read=False)


_WHOSE = select(ModelRecord.owner, ModelRecord.shared).where(ModelRecord.id == bindparam("model"))


def served_of(session: Session, model: str, *, lock: bool = False) -> tuple[int, bool]:
    """Return the number of the version that a model (an id) serves, and whether it is pinned; `lock` keeps both.

    Raises:
        NotFound: the model is not there.
    """
    found = session.execute(_LOCKED if lock else _SERVED, {"model": model}).first()
    if found is None:
        raise lookup.not_found(session, ModelRecord, model, "model")
    return found.served, found.pinned


_MODELS = ModelRecord.metadata.tables["models"]
_SERVED = select(_MODELS.c.served, _MODELS.c.pinned).where(_MODELS.c.id == bindparam("model"))
_LOCKED = _SERVED.with_for_update()
