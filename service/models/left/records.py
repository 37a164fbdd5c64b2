"""The table of parameters that jobs left behind, and every query on it."""

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import owners
from service.database.record import AsJson, Record
from service.models.signature.signature import Signature


class LastParametersRecord(Record):
    """The last finite parameters of a job that added no version: it failed, was cancelled or rests, or is a trial or a
    fold; and the network, for models may go.
    """

    __tablename__ = "last_parameters"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    architecture: Mapped[str]
    dtype: Mapped[str]
    parameters: Mapped[bytes]
    signature: Mapped[Signature | None] = mapped_column(AsJson.of(Signature))
    """The signature of the data that the job trained on."""


def keep(session: Session, job: str, *, architecture: str, dtype: str, parameters: bytes, signature: Signature) -> None:
    left = LastParametersRecord(
        job_id=job, architecture=architecture, dtype=dtype, parameters=parameters, signature=signature
    )
    session.merge(left)


def drop(session: Session, job: str) -> None:
    session.execute(delete(LastParametersRecord).where(LastParametersRecord.job_id == job))


def find(session: Session, job: str) -> LastParametersRecord | None:
    """Return what a job left, unless it is another owner's."""
    jobs = Record.metadata.tables["jobs"]  # whose records are above these
    owner = session.execute(select(jobs.c.owner).where(jobs.c.id == job)).first()
    return session.get(LastParametersRecord, job) if owner is not None and owners.is_own(owner) else None
