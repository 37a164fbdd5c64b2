"""The table of evaluations, and every query on it."""

from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import JSON, ForeignKeyConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup
from service.database.record import Record, now
from service.errors import NotFound
from service.learning.evaluation.metrics import Metrics


class Residual(TypedDict):
    """A row, its outputs and targets, and the largest of their errors."""

    row: int
    outputs: list[float | None]
    targets: list[Any]
    residual: float | None


class ColumnImportance(TypedDict):
    """The mean and the deviation of what the loss rises by, over repeats."""

    column: str
    mean: float | None
    std: float | None


class Sureness(TypedDict):
    """The truth of intervals and probabilities: of the one target, or by the names of several."""

    coverage: Any
    calibration_error: Any
    reliability: Any


class EvaluationRecord(Record):
    """An evaluation of one version on one part of a dataset."""

    __tablename__ = "evaluations"
    __table_args__ = (
        ForeignKeyConstraint(["model_id", "version"], ["versions.model_id", "versions.number"], ondelete="CASCADE"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    epoch: Mapped[int | None]
    """The epoch of the parameters that the version's training had kept; None: the version's own."""
    dataset_id: Mapped[str]
    """No foreign key: an evaluation outlives its dataset."""
    part: Mapped[str]
    loss: Mapped[float | None]
    metrics: Mapped[Metrics] = mapped_column(JSON(none_as_null=True))
    residuals: Mapped[list[Residual] | None] = mapped_column(JSON(none_as_null=True))
    """The residuals of the rows that are farthest off, where they were asked for."""
    rows: Mapped[int]
    importance: Mapped[list[ColumnImportance] | None] = mapped_column(JSON(none_as_null=True))
    """The importance of columns, where it was asked for."""
    sureness: Mapped[Sureness | None] = mapped_column(JSON(none_as_null=True))
    """The truth of intervals and probabilities, where the version has any."""
    created_at: Mapped[datetime] = mapped_column(default=now)


def page(
    session: Session, model: str, limit: int, after: str | None, parameter: str = "after"
) -> tuple[list[EvaluationRecord], str | None]:
    """Evaluations of a model (an id), newest first; `parameter` is the cursor's name in the query."""
    statement = select(EvaluationRecord).where(EvaluationRecord.model_id == model)
    return lookup.page(session, statement, EvaluationRecord.id, "ev", limit, after, parameter)


def find(session: Session, model: str, evaluation: str) -> EvaluationRecord:
    record = session.get(EvaluationRecord, evaluation)
    if record is None or record.model_id != model:
        raise NotFound(f"There is no evaluation {evaluation!r} of this model.", "evaluation_not_found")
    return record
