"""Models over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.orm import Session

from service.database.lookup import position_of
from service.http.json_bodies import read_json, validated
from service.http.key_scopes import READ, TRAIN, needs
from service.http.pages import After, Limit, NamesFiltered, Page
from service.http.problems import problems
from service.http.query import labels_of, refuse_beside_json
from service.http.responses import ATTACHMENT, attachment, numbers_response
from service.http.routes import JSONRoute, media_type
from service.idempotency.creation import CreationOf
from service.learning.planning.advice import Advice
from service.models import blueprints, operations, records, widths
from service.models.blueprints import Blueprint, Largest, LayerByLayer
from service.models.files import reading
from service.models.files.export import FORMATS, Export, FormatName, tag_of
from service.models.networks import Networks
from service.models.records import ModelRecord, VersionRecord
from service.models.schemas import Model, ModelChange, NewModel, NewParameters, Parameters, UploadedModel, Version
from service.models.trained_network import network_of
from service.resources import DatabaseOf, NetworksOf, SettingsOf, StoredOf
from service.settings import Settings
from service.wire import EpochNumber, VersionNumber

router = APIRouter(prefix="/api/models", tags=["models"], route_class=JSONRoute)


async def _body(request: Request) -> bytes:
    return await request.body()


BodyOf = Annotated[bytes, Depends(_body)]
WhichVersion = Annotated[VersionNumber | None, Query(description="the served one where it is left out")]
LatestVersion = Annotated[VersionNumber | None, Query(description="the latest where it is left out")]
WhichEpoch = Annotated[
    EpochNumber | None, Query(description="as the training of that version had kept them here (`keep_every`)")
]

JSON = "application/json"
BINARY = {"schema": {"type": "string", "format": "binary"}}
ETAG: dict[str, Any] = {"description": "changes with the file", "schema": {"type": "string"}}
_NEW_MODEL: TypeAdapter[NewModel] = TypeAdapter(NewModel)
_NEW_PARAMETERS: TypeAdapter[NewParameters] = TypeAdapter(NewParameters)


def _json_or_file(shape: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI of a body that is JSON or a file of tensors."""
    as_json = {"schema": shape.model_json_schema(ref_template="#/components/schemas/{model}")}
    return {"requestBody": {"required": True, "content": {JSON: as_json, **dict.fromkeys(reading.MEDIA_TYPES, BINARY)}}}


@router.post(
    "",
    status_code=201,
    response_model=Model,
    summary="Create a model",
    responses=problems(404, 409, 413, 415, 422),
    openapi_extra=_json_or_file(NewModel),
)
@needs(TRAIN)
def create_model(
    request: Request,
    creation: CreationOf,
    body: BodyOf,
    uploaded: Annotated[UploadedModel, Query()],
    database: DatabaseOf,
    networks: NetworksOf,
    settings: SettingsOf,
    stored: StoredOf,
) -> Response:
    """Describe a network, copy one, or send its parameters as a safetensors or npz file.

    Version 0 holds its first parameters, so that it can predict at once. The tensors of a file are named
    `layers.0.weight` (out × in), `layers.0.bias`, ..., as an export names them. Its metadata, or arrays of one text in
    an npz file, may be `architecture`, in place of `?architecture=Dense(1%20=%3E%201)`, and `signature`: JSON that
    describes the data the network was trained on, so that it takes rows by name and gives labels and probabilities.
    """
    if media_type(request) == JSON:
        name, labels, plan = _described(body, uploaded, database, networks, settings)
    else:
        file = reading.read(media_type(request), body)
        name, labels = uploaded.name, labels_of(uploaded.labels, "labels")
        plan = blueprints.from_file(file, uploaded, Largest.by(settings))
    with stored.adding(plan.vector.nbytes), database.transaction() as session:
        record = operations.create(session, name, plan, labels)
        return creation.answer(session, _model(record, plan.advice), f"/api/models/{record.id}")


def _described(
    body: bytes, uploaded: UploadedModel, database: DatabaseOf, networks: Networks, settings: Settings
) -> tuple[str | None, dict[str, str], Blueprint]:
    refuse_beside_json(uploaded)
    new = validated(_NEW_MODEL, read_json(body))
    if new.from_ is not None:
        with database.reading() as session:
            return new.name, new.labels, blueprints.from_origin(session, networks, new.from_)
    dataset = widths.asked(database, new.dataset)
    return new.name, new.labels, blueprints.blueprint(new, Largest.by(settings), dataset)


@router.get("", summary="List models", responses=problems(422))
@needs(READ)
def list_models(database: DatabaseOf, filters: NamesFiltered, limit: Limit = 50, after: After = None) -> Page[Model]:
    """All models, or those that the filters leave, newest first."""
    with database.reading() as session:
        items, following = records.page(session, limit, after, filters)
    return Page(items=[_model(record) for record in items], next=following)


@router.get("/{model}", summary="Show a model", responses=problems(404, 422))
@needs(READ)
def show_model(model: str, database: DatabaseOf) -> Model:
    """A model's architecture, in Flux's notation and as a list of layers, and the data it knows; by id or name."""
    with database.reading() as session:
        return _model(records.find(session, model))


@router.patch("/{model}", summary="Change a model", responses=problems(404, 409, 413, 415, 422))
@needs(TRAIN)
def change_model(model: str, change: ModelChange, database: DatabaseOf) -> Model:
    """Give a model another name or other labels in place of all, share it, or choose the version that it serves.

    `{"serving": 2}` pins version 2, whatever versions are added; `{"serving": "latest"}` ends that.
    """
    with database.transaction() as session:
        return _model(operations.change(session, model, change))


@router.delete(
    "/{model}", status_code=204, response_class=Response, summary="Delete a model", responses=problems(404, 409, 422)
)
@needs(TRAIN)
def delete_model(model: str, database: DatabaseOf) -> None:
    """Delete a model with its versions, kept epochs and evaluations; its jobs stay. 409 while a job trains it."""
    operations.delete(database, model)


@router.get("/{model}/versions", summary="List versions", responses=problems(404, 422))
@needs(READ)
def list_versions(model: str, database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[Version]:
    """A model's versions, newest first."""
    with database.reading() as session:
        record = records.find(session, model)
        before = None if after is None else position_of(after, record.next_version)
        rows = records.versions(session, record.id, limit + 1, before)
        items = _versions(session, record, rows[:limit])
    return Page(items=items, next=str(items[-1].version) if len(rows) > limit else None)


@router.get("/{model}/versions/{version}", summary="Show a version", responses=problems(404, 422))
@needs(READ)
def show_version(model: str, version: VersionNumber, database: DatabaseOf) -> Version:
    """One version, without its parameters."""
    with database.reading() as session:
        record = records.find(session, model)
        (shown,) = _versions(session, record, [records.version(session, record.id, version, parameters=False)])
    return shown


@router.delete(
    "/{model}/versions/{version}",
    status_code=204,
    response_class=Response,
    summary="Delete a version",
    responses=problems(404, 409, 422),
)
@needs(TRAIN)
def delete_version(model: str, version: VersionNumber, database: DatabaseOf, networks: NetworksOf) -> None:
    """Delete a version with its evaluations and kept epochs; its number is never given again, and its job keeps it.

    409 while it is served, the only one, or begun from by a job that has not ended.
    """
    networks.forget(operations.delete_version(database, model, version), version)


def _versions(session: Session, model: ModelRecord, rows: list[VersionRecord]) -> list[Version]:
    kept = records.kept_epochs(session, (row.job_id for row in rows))
    return [
        Version(
            version=row.number,
            job=row.job_id,
            serve=row.serve,
            refused=row.refused,
            served=row.number == model.served,
            epochs=kept.get(row.job_id or "", []),
            created_at=row.created_at,
        )
        for row in rows
    ]


@router.get("/{model}/parameters", response_model=Parameters, summary="Show parameters", responses=problems(404, 422))
@needs(READ)
def show_parameters(
    model: str, database: DatabaseOf, networks: NetworksOf, version: LatestVersion = None, epoch: WhichEpoch = None
) -> Response:
    """The weights (out × in) and biases (out) of a version, or of an epoch that its training has kept."""
    with database.reading() as session:
        trained = networks.latest(session, model, version, epoch)
    return numbers_response({"version": trained.version, "layers": trained.network.unflatten(trained.vector)})


@router.put(
    "/{model}/parameters",
    status_code=201,
    response_model=Parameters,
    summary="Set parameters",
    responses=problems(404, 413, 415, 422),
    openapi_extra=_json_or_file(NewParameters),
)
@needs(TRAIN)
def set_parameters(
    model: str, request: Request, body: BodyOf, database: DatabaseOf, networks: NetworksOf, stored: StoredOf
) -> Response:
    """Add a version with the given parameters, as JSON or as a safetensors or npz file.

    A file's own `signature` counts. Where there is none, the version keeps that of the one before.
    """
    if media_type(request) == JSON:
        given = LayerByLayer(validated(_NEW_PARAMETERS, read_json(body)).layers, "#/layers")
        record, number = operations.put_parameters(database, model, given, stored.adding)
    else:
        file = reading.read(media_type(request), body)
        record, number = operations.put_parameters(database, model, file, stored.adding)
    with database.reading() as session:
        trained = networks.get(session, record.id, number)
    response = numbers_response({"version": number, "layers": trained.network.unflatten(trained.vector)}, status=201)
    response.headers["Location"] = f"/api/models/{record.id}/parameters?version={number}"
    return response


@router.get(
    "/{model}/export",
    summary="Export a version as a file",
    response_class=Response,
    responses={
        200: {
            "description": "The file; onnx takes `inputs` to `outputs`, flux is Julia source",
            "headers": {"ETag": ETAG, "Content-Disposition": ATTACHMENT},
            "content": {each.media_type.partition(";")[0]: BINARY for each in FORMATS.values()},
        },
        304: {"description": "With `If-None-Match`: the file is what the client has", "headers": {"ETag": ETAG}},
        **problems(404, 422, 501),
    },
)
@needs(READ)
def export_model(
    model: str,
    database: DatabaseOf,
    networks: NetworksOf,
    format: Annotated[FormatName, Query(description="onnx, safetensors, npz, or flux for Julia source")],
    version: WhichVersion = None,
    epoch: WhichEpoch = None,
    if_none_match: Annotated[str, Header(description="ETags of files that the client has")] = "",
) -> Response:
    """Architecture and parameters of a version for other tools; safetensors and npz come back in as new models, with
    the signature of the data they were trained on.
    """
    with database.reading() as session:
        record = records.find(session, model)
        export = Export(networks.get(session, record.id, version, epoch), record.name)
    tag, chosen = tag_of(export, format), FORMATS[format]
    if tag in if_none_match:
        return Response(status_code=304, headers={"ETag": tag})
    content = chosen.write(export)
    headers = {"ETag": tag, "Content-Type": chosen.media_type, **attachment(export.stem + chosen.suffix)}
    return (
        Response(content, headers=headers)
        if isinstance(content, bytes)
        else StreamingResponse(content, headers=headers)
    )


def _model(record: ModelRecord, advice: tuple[Advice, ...] = ()) -> Model:
    columns = {name: getattr(record, name) for name in Model.model_fields if hasattr(record, name)}
    layers = operations.layers_of(network_of(record))
    return Model.model_validate({**columns, "layers": layers, "advice": advice})
