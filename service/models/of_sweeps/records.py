"""The models that trials of a sweep train, each of an architecture of its own: hidden until the best is known."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models.records import ModelRecord


def is_free(session: Session, owner: str, name: str) -> bool:
    """Whether no model of this owner has this name."""
    named = select(ModelRecord.id).where(ModelRecord.owner == owner, ModelRecord.name == name)
    return session.scalar(named) is None


def delete_hidden(session: Session, sweep: str) -> None:
    """Delete the models of a sweep that are still hidden, with their versions and kept epochs."""
    for model in session.scalars(select(ModelRecord).where(ModelRecord.sweep == sweep)):
        session.delete(model)
