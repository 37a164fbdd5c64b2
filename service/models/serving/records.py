"""The versions that models serve, and whose models are."""

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session

from service.database import lookup, owners
from service.models.records import ModelRecord, VersionRecord, no_version


def which(session: Session, reference: str, version: int | None) -> tuple[str, int]:
    """The id of the model that `reference` stands for, and the number of a version: the served one where none is named.

    Raises:
        NotFound: there is no such model or version.
    """
    columns = ModelRecord.id, ModelRecord.owner, ModelRecord.shared
    statement = select(*columns, ModelRecord.served)
    if version is not None:
        named = and_(VersionRecord.model_id == ModelRecord.id, VersionRecord.number == version)
        statement = select(*columns, VersionRecord.number).outerjoin(VersionRecord, named)
    found = session.execute(statement.where(owners.named(ModelRecord)), owners.naming(reference)).first()
    if found is None or not owners.is_seen(found):
        raise lookup.not_found(session, ModelRecord, reference, "model")
    if version is not None and found[3] is None:
        raise no_version(session, found[0], version)
    return found[0], found[3]


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


_SERVED = select(ModelRecord.served, ModelRecord.pinned).where(ModelRecord.id == bindparam("model"))
_LOCKED = _SERVED.with_for_update()
