"""The rules of models."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.errors import Conflict
from service.ids import new_id
from service.learning.layers import Chain
from service.learning.network import Network
from service.models import parameter_bytes, records
from service.models.blueprints import Blueprint, GivenParameters
from service.models.records import ModelRecord
from service.models.trained_network import network_of
from service.vocabulary.schemas import to_json


def layers_of(network: Network) -> list[dict[str, Any]]:
    """Return the layers of a network as JSON; a chain is the list of its layers."""
    layer = network.layer
    return [to_json(each, "type") for each in (layer.layers if isinstance(layer, Chain) else (layer,))]


def create(session: Session, name: str | None, plan: Blueprint) -> ModelRecord:
    """Add a model with version 0.

    Raises:
        Conflict: the name is taken.
    """
    id = new_id("mdl")
    record = ModelRecord(
        id=id,
        name=name or id,
        architecture=plan.architecture,
        dtype=plan.network.dtype,
        parameter_count=plan.network.parameter_count,
        seeded=plan.seeded,
    )
    with _names_are_unique(record.name):
        session.add(record)
        session.flush()
    records.add_version(session, id, parameter_bytes.to_bytes(plan.vector), job=None, signature=plan.signature)
    session.refresh(record)
    return record


def rename(session: Session, reference: str, name: str) -> ModelRecord:
    """Give a model another name.

    Raises:
        NotFound: there is no such model.
        Conflict: the name is taken.
    """
    record = records.find(session, reference, lock=True)
    with _names_are_unique(name):
        record.name = name
        session.flush()
    return record


@contextmanager
def _names_are_unique(name: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise Conflict(f"There is a model {name!r} already.", "name_taken") from None


def delete(database: Database, reference: str) -> None:
    """Delete a model with its versions, kept epochs and evaluations; its jobs stay.

    Raises:
        NotFound: there is no such model.
        Conflict: a job that has not ended trains it (the database's foreign key decides).
    """
    try:
        with database.transaction() as session:
            session.delete(records.find(session, reference))
            session.flush()
    except IntegrityError:
        detail = f"A job that has not ended trains model {reference!r}: see /api/jobs?model={reference}."
        raise Conflict(detail, "model_in_use") from None


def put_parameters(database: Database, reference: str, given: GivenParameters) -> tuple[ModelRecord, int]:
    """Add a version with given parameters; the model and the new number.

    Without a signature of their own, the model keeps the signature that it had before.

    Raises:
        NotFound: there is no such model, or no longer.
        Invalid: the parameters, or their signature, do not fit.
    """
    with database.reading() as session:
        record = records.find(session, reference)
    network = network_of(record)
    data, own = parameter_bytes.to_bytes(given.vector(network)), given.signature(network)
    with database.transaction() as session:
        record = records.find(session, record.id)
        signature = record.signature if own is None else own
        number = records.add_version(session, record.id, data, job=None, signature=signature)
        assert number is not None, "the row was just found in this transaction"
        return record, number
