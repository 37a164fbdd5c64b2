"""Models over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from service.database.lookup import position_of
from service.http import After, CreationOf, DatabaseOf, JSONRoute, Limit, Page, numbers_response, problems
from service.models import operations, records
from service.models.networks import Networks, network_of
from service.models.records import ModelRecord
from service.models.schemas import Model, ModelChange, NewModel, NewParameters, Parameters, Version
from service.settings import Settings
from service.wire import VersionNumber

router = APIRouter(prefix="/api/models", tags=["models"], route_class=JSONRoute)


def _networks(request: Request) -> Networks:
    networks: Networks = request.app.state.networks
    return networks


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


NetworksOf = Annotated[Networks, Depends(_networks)]
SettingsOf = Annotated[Settings, Depends(_settings)]
WhichVersion = Annotated[VersionNumber | None, Query(description="the latest where it is left out")]


@router.post(
    "", status_code=201, response_model=Model, summary="Create a model", responses=problems(409, 413, 415, 422)
)
def create_model(new: NewModel, creation: CreationOf, database: DatabaseOf, settings: SettingsOf) -> Response:
    """Describe a network. Version 0 holds its first parameters, so that it can predict at once."""
    plan = operations.blueprint(new, settings.max_parameters)
    with database.transaction() as session:
        record = operations.create(session, new.name, new.dtype, plan)
        return creation.answer(session, _model(record), f"/api/models/{record.id}")


@router.get("", summary="List models", responses=problems(422))
def list_models(database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[Model]:
    """All models, newest first."""
    with database.reading() as session:
        items, following = records.page(session, limit, after)
    return Page(items=[_model(record) for record in items], next=following)


@router.get("/{model}", summary="Show a model", responses=problems(404))
def show_model(model: str, database: DatabaseOf) -> Model:
    """A model's architecture, in Flux's notation and as a list of layers, by id or name."""
    with database.reading() as session:
        return _model(records.find(session, model))


@router.patch("/{model}", summary="Rename a model", responses=problems(404, 409, 413, 415, 422))
def rename_model(model: str, change: ModelChange, database: DatabaseOf) -> Model:
    """Give a model another name; its id stays."""
    with database.transaction() as session:
        return _model(operations.rename(session, model, change.name))


@router.delete(
    "/{model}", status_code=204, response_class=Response, summary="Delete a model", responses=problems(404, 409)
)
def delete_model(model: str, database: DatabaseOf) -> None:
    """Delete a model with its versions and evaluations; its jobs stay. 409 while a job trains it."""
    operations.delete(database, model)


@router.get("/{model}/versions", summary="List versions", responses=problems(404, 422))
def list_versions(model: str, database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[Version]:
    """A model's versions, newest first."""
    with database.reading() as session:
        record = records.find(session, model)
        before = None if after is None else position_of(after, record.version + 1)
        rows = records.versions(session, record.id, limit + 1, before)
    items = [Version(version=row.number, job=row.job_id, created_at=row.created_at) for row in rows[:limit]]
    return Page(items=items, next=str(items[-1].version) if len(rows) > limit else None)


@router.get("/{model}/parameters", response_model=Parameters, summary="Show parameters", responses=problems(404, 422))
def show_parameters(model: str, database: DatabaseOf, networks: NetworksOf, version: WhichVersion = None) -> Response:
    """The weights (out × in) and biases (out) of a version, layer by layer."""
    with database.reading() as session:
        trained = networks.get(session, model, version)
    return numbers_response({"version": trained.version, "layers": trained.network.unflatten(trained.vector)})


@router.put(
    "/{model}/parameters",
    status_code=201,
    response_model=Parameters,
    summary="Set parameters",
    responses=problems(404, 413, 415, 422),
)
def set_parameters(model: str, new: NewParameters, database: DatabaseOf, networks: NetworksOf) -> Response:
    """Add a version with the given parameters."""
    record, number = operations.put_parameters(database, model, new.layers)
    with database.reading() as session:
        trained = networks.get(session, record.id, number)
    response = numbers_response({"version": number, "layers": trained.network.unflatten(trained.vector)}, status=201)
    response.headers["Location"] = f"/api/models/{record.id}/parameters?version={number}"
    return response


def _model(record: ModelRecord) -> Model:
    columns = {name: getattr(record, name) for name in Model.model_fields if hasattr(record, name)}
    return Model.model_validate({**columns, "layers": operations.layers_of(network_of(record))})
