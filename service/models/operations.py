"""The rules of models."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets.operations import Counted
from service.errors import Conflict
from service.http.json_numbers import JsonObject
from service.ids import new_id
from service.learning.layers import Chain
from service.learning.network import Network
from service.models import parameter_bytes, records
from service.models.blueprints import Blueprint, GivenParameters
from service.models.records import ModelRecord
from service.models.schemas import ModelChange
from service.models.serving.records import newest_to_serve
from service.models.trained_network import network_of
from service.pointers import reference_at
from service.vocabulary.kinds import to_json


def layers_of(network: Network) -> list[JsonObject]:
    """Return the layers of a network as JSON; a chain is the list of its layers."""
    layer = network.layer
    return [to_json(each, "type") for each in (layer.layers if isinstance(layer, Chain) else (layer,))]


def create(session: Session, name: str | None, plan: Blueprint, labels: Mapping[str, str] | None = None) -> ModelRecord:
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
        labels=dict(labels or {}),
    )
    with _names_are_unique(record.name):
        session.add(record)
        session.flush()
    records.add_version(session, id, parameter_bytes.to_bytes(plan.vector), job=None, signature=plan.signature)
    session.refresh(record)
    return record


def change(session: Session, reference: str, new: ModelChange) -> ModelRecord:
    """Give a model another name or other labels, share it, or choose the version that it serves.

    Raises:
        NotFound: there is no such model or version.
        Conflict: the name is taken; or all versions were refused, and there is no latest to serve.
    """
    record = records.find(session, reference, lock=True)
    if "serving" in new.model_fields_set:
        _serve(session, record, new.serving)
    if "name" in new.model_fields_set:
        record.name = new.name
    if "labels" in new.model_fields_set:
        record.labels = new.labels
    if "shared" in new.model_fields_set:
        record.shared = new.shared
    with _names_are_unique(record.name):
        session.flush()
    return record


def _serve(session: Session, record: ModelRecord, serving: int | Literal["latest"]) -> None:
    if serving == "latest":
        number = newest_to_serve(session, record.id)
        if number is None:
            detail = "The jobs of all versions that are left refused them: name the number of one in `serving`."
            raise Conflict(detail, "nothing_to_serve")
    else:
        with reference_at("#/serving"):
            number = records.version(session, record.id, serving, parameters=False).number
    record.served, record.pinned = number, serving != "latest"


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
        detail = f"A job that has not ended trains model {reference!r}: see {_where(reference)}."
        raise Conflict(detail, "model_in_use") from None


def _where(model: str) -> str:
    """Return the lists in which the jobs are that train a model."""
    return f"/api/jobs?model={model}, /api/sweeps or /api/cross-validations"


def delete_version(database: Database, reference: str, number: int) -> str:
    """Delete a version with its evaluations and kept epochs, and return its model's id; the job that made it stays.

    Raises:
        NotFound: there is no such model or version.
        Conflict: it is served, the only one, or a job that has not ended begins from it (a foreign key decides).
    """
    try:
        with database.transaction() as session:
            model = records.find(session, reference, lock=True)
            version = records.version(session, model.id, number, parameters=False)
            _check_not_needed(model, number)
            if version.job_id is not None:
                records.drop_points(session, version.job_id)
            session.delete(version)
            session.flush()
            return model.id
    except IntegrityError:
        detail = f"A job that has not ended begins from version {number}: see {_where(reference)}."
        raise Conflict(detail, "version_in_use") from None


def _check_not_needed(model: ModelRecord, number: int) -> None:
    if model.versions == 1:
        raise Conflict("This is the model's only version: delete the model instead.", "only_version")
    if model.served == number:
        detail = f"Version {number} is served: choose another one first, PATCH /api/models/{model.id} "
        raise Conflict(f'{detail}{{"serving": ...}} with its number.', "version_served")


def put_parameters(
    database: Database, reference: str, given: GivenParameters, counted: Counted = lambda _: nullcontext()
) -> tuple[ModelRecord, int]:
    """Add a version with given parameters; the model and the new number. Their bytes are `counted` meanwhile.

    Without a signature of their own, the model keeps the signature that it had before.

    Raises:
        NotFound: there is no such model, or no longer.
        Invalid: the parameters, or their signature, do not fit.
        TooLarge: the owner may not have so many bytes.
    """
    with database.reading() as session:
        record = records.find(session, reference)
    network = network_of(record)
    data, own = parameter_bytes.to_bytes(given.vector(network)), given.signature(network)
    with counted(len(data)), database.transaction() as session:
        record = records.find(session, record.id)
        signature = records.latest_signature(session, record.id) if own is None else own
        number = records.add_version(session, record.id, data, job=None, signature=signature)
        assert number is not None, "the row was just found in this transaction"
        return record, number
