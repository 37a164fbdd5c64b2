"""The rules of models."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.columns import new_id
from service.database.engine import Database
from service.errors import Conflict, invalid
from service.learning import notation
from service.learning.layers import Chain, Layer
from service.learning.network import ArchitectureError, Network, ParameterError
from service.models import parameters, records
from service.models.networks import network_of
from service.models.records import ModelRecord
from service.models.schemas import NewModel
from service.numbers import Array
from service.vocabulary.schemas import to_json


@dataclass(frozen=True)
class Blueprint:
    """A network that can be built, and its first parameters."""

    architecture: str
    network: Network
    vector: Array
    seeded: bool


def blueprint(new: NewModel, max_parameters: int) -> Blueprint:
    """The network that a request asks for.

    Raises:
        Invalid: the notation cannot be read, widths or parameters do not fit, or there are too many parameters.
    """
    pointer = "#/architecture" if new.architecture else "#/layers"
    with _faults_at(pointer):
        layer = notation.read(new.architecture) if new.architecture else _chain(new)
        network = Network(layer, new.dtype)
    if network.size > max_parameters:
        detail = f"This network has {network.parameter_count:,} parameters; at most {max_parameters:,} are allowed."
        raise invalid(pointer, f"{detail} (DESCENT_MAX_PARAMETERS)", "too_many_parameters")
    given = new.parameters
    vector = network.initial(new.seed) if given is None else flatten(network, given, "#/parameters")
    return Blueprint(notation.write(network.layer), network, vector, seeded=given is None)


def _chain(new: NewModel) -> Layer:
    layers = [shape.term() for shape in new.layers]
    return layers[0] if len(layers) == 1 else Chain(tuple(layers))


@contextmanager
def _faults_at(pointer: str) -> Iterator[None]:
    try:
        yield
    except notation.NotationError as error:
        raise invalid(pointer, f"At character {error.position}: {error.message}", "bad_notation") from None
    except ArchitectureError as error:
        where = pointer if pointer == "#/architecture" else pointer + error.pointer
        raise invalid(where, error.message, "bad_architecture") from None


def flatten(network: Network, layers: list[dict[str, Any]], pointer: str) -> Array:
    """The flat vector of parameters given layer by layer.

    Raises:
        Invalid: they do not fit the network; with the pointer of the first that does not.
    """
    try:
        return network.flatten(layers)
    except ParameterError as error:
        where = pointer + error.pointer
        raise invalid(where, f"{where} {error.message}.", "bad_parameters") from None


def layers_of(network: Network) -> list[dict[str, Any]]:
    """The layers of a network as JSON; a chain is given as the list of its layers."""
    layer = network.layer
    return [to_json(each, "type") for each in (layer.layers if isinstance(layer, Chain) else (layer,))]


def create(session: Session, name: str | None, dtype: str, plan: Blueprint) -> ModelRecord:
    """Add a model with version 0.

    Raises:
        Conflict: the name is taken.
    """
    id = new_id("mdl")
    record = ModelRecord(
        id=id,
        name=name or id,
        architecture=plan.architecture,
        dtype=dtype,
        parameter_count=plan.network.parameter_count,
        seeded=plan.seeded,
    )
    with _names_are_unique(record.name):
        session.add(record)
        session.flush()
    records.add_version(session, id, parameters.to_bytes(plan.vector), job=None)
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
    """Delete a model with its versions and evaluations; its jobs stay.

    Raises:
        NotFound: there is no such model.
        Conflict: a job that has not ended trains it (the database's foreign key says so).
    """
    try:
        with database.transaction() as session:
            session.delete(records.find(session, reference))
            session.flush()
    except IntegrityError:
        detail = f"A job that has not ended trains model {reference!r}: see /api/jobs?model={reference}."
        raise Conflict(detail, "model_in_use") from None


def put_parameters(database: Database, reference: str, layers: list[dict[str, Any]]) -> tuple[ModelRecord, int]:
    """Add a version with the given parameters; the model and the new number.

    Raises:
        NotFound: there is no such model, or no longer.
        Invalid: the parameters do not fit.
    """
    with database.reading() as session:
        record = records.find(session, reference)
    data = parameters.to_bytes(flatten(network_of(record), layers, "#/layers"))
    with database.transaction() as session:
        record = records.find(session, record.id)
        number = records.add_version(session, record.id, data, job=None)
        assert number is not None, "the row was just found in this transaction"
        return record, number
