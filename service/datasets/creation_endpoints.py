"""The creation of datasets over HTTP: as JSON or as a file, or only looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets import operations
from service.datasets.faults import Faults
from service.datasets.formats.media_types import ALIASES, ANY_FORM, MediaType
from service.datasets.formats.read import MEDIA_TYPES, unread
from service.datasets.ingest.options import StreamedOptions
from service.datasets.ingest.roles import Options
from service.datasets.ingest.upload import Turns, Upload
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Dataset, NewDataset, Preview, PreviewedDataset
from service.errors import Conflict, Invalid, WrongFormat, invalid
from service.http.json_bodies import read_json, validated
from service.http.problems import problems
from service.http.query import refuse_beside_json
from service.http.routes import JSONRoute, body_of, charset_of, media_type
from service.idempotency.creation import Creation, Fingerprint, IdempotencyKey, creation, replay, was_used
from service.resources import DatabaseOf, SettingsOf, StorageOf, UploadTurnsOf, resources_of
from service.settings import Settings
from service.storage.storage import Storage

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=JSONRoute)

_NEW_DATASET: TypeAdapter[NewDataset] = TypeAdapter(NewDataset)
_PREVIEWED_DATASET: TypeAdapter[PreviewedDataset] = TypeAdapter(PreviewedDataset)
BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "",
    status_code=201,
    response_model=Dataset,
    summary="Create a dataset",
    responses={
        200: {"description": "With `validate_only`: what the dataset would be.", "model": Preview},
        **problems(409, 413, 415, 422),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": NewDataset.model_json_schema(ref_template="#/components/schemas/{model}")
                },
                **dict.fromkeys((*MediaType, *ALIASES, *ANY_FORM), BINARY),
                MediaType.CSV: {"schema": {"type": "string"}, "example": "x,y\n0,2\n1,6\n2,10\n"},
            },
        },
    },
)
async def create_dataset(
    request: Request,
    options: Annotated[StreamedOptions, Query()],
    database: DatabaseOf,
    storage: StorageOf,
    settings: SettingsOf,
    turns: UploadTurnsOf,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Keep a table, as JSON columns or as a file of rows, and divide it into parts.

    CSV, Parquet, Arrow, npz and npy are read on arrival, packed by gzip or not; name, targets, parts and all else
    are the query parameters then. From about a megabyte on, the dataset is listed as `loading` meanwhile.

    With `validate_only`, all advice and all faults of the first megabyte are answered beside kinds, widths, statistics
    and the first rows, also where the targets are not named yet.
    """
    if media_type(request) == "application/json":
        refuse_beside_json(options.model_copy(update={"validate_only": False}))
        if options.validate_only:
            return await run_in_threadpool(_preview_json, await body_of(request), database, storage)
        async with asynccontextmanager(creation)(request, database, idempotency_key) as created:
            body = await (body_of(request) if created.key is None else request.body())  # the key's has been read
            return await run_in_threadpool(_create_from_json, body, created, database, storage)
    if options.validate_only:
        return await _preview_stream(request, options, database, storage, settings, turns)
    return await _create_from_stream(request, options, database, storage, settings, turns, idempotency_key)


def _create_from_json(body: bytes, created: Creation, database: Database, storage: Storage) -> Response:
    new = validated(_NEW_DATASET, read_json(body))
    operations.refuse_taken(database, new.name)
    record = operations.create(storage, new)
    with operations.adding(database, storage, record) as session:
        return _answer(session, record, created)


def _preview_json(body: bytes, database: Database, storage: Storage) -> Response:
    new = validated(_PREVIEWED_DATASET, read_json(body))
    faults = Faults(with_remedies=True)
    if not new.targets:
        faults.note(invalid("#/targets", 'Name the columns to be learnt: "targets": ["y"].'))
    _note_taken(database, new.name, "#/name", faults)
    return _previewed(operations.preview(storage, new, faults))


async def _preview_stream(
    request: Request,
    options: StreamedOptions,
    database: Database,
    storage: Storage,
    settings: Settings,
    turns: Turns,
) -> Response:
    faults = Faults(with_remedies=True)
    if not options.targets:
        faults.note(_no_targets())
    await run_in_threadpool(_note_taken, database, options.name, "query/name", faults)
    upload = _upload(request, options, database, storage, settings.max_upload)
    found = await upload.preview(request.stream(), turns, faults)
    for each in (*found["faults"], *found["advice"]):
        each["pointer"] = options.parameter(each["pointer"])
    return _previewed(found)


def _note_taken(database: Database, name: str | None, pointer: str, faults: Faults) -> None:
    try:
        operations.refuse_taken(database, name)
    except Conflict as taken:
        faults.note(invalid(pointer, taken.detail, taken.code))


def _previewed(found: dict[str, Any]) -> Response:
    return Response(Preview.model_validate(found).model_dump_json(), media_type="application/json")


def _no_targets() -> Invalid:
    return invalid("query/targets", "Name the columns to be learnt: ?targets=y.")


async def _create_from_stream(
    request: Request,
    options: StreamedOptions,
    database: Database,
    storage: Storage,
    settings: Settings,
    turns: Turns,
    key: str | None,
) -> Response:
    mark = Fingerprint(request)

    def answer(session: Session, record: DatasetRecord) -> Response:
        return _answer(session, record, Creation(key, str(mark)))

    if not options.targets:
        raise _no_targets()
    async with _held(request, database, key, mark):
        upload = _upload(request, options, database, storage, settings.max_upload)
        await run_in_threadpool(operations.refuse_taken, database, options.name)
        try:
            return await upload.run(request.stream(), answer, turns, _ignore if key is None else mark.add)
        except Invalid as refused:
            raise options.in_query(refused) from None


def _upload(request: Request, options: StreamedOptions, database: Database, storage: Storage, limit: int) -> Upload:
    coding, size = (request.headers.get(name, "").strip().lower() for name in ("content-encoding", "content-length"))
    if coding not in ("", "identity", "gzip", "x-gzip"):  # gzip itself is seen by its first bytes
        raise WrongFormat(f"Datasets are read as they are or as gzip, but not as {coding[:50]!r}.")
    sent_as = media_type(request)
    kind = ALIASES.get(sent_as, sent_as)
    if kind not in (*MEDIA_TYPES, *ANY_FORM):
        raise unread(kind)
    return Upload(
        database,
        storage,
        Options(options.name, options.targets, options.split(), options.dtype, options.missing_ways(), limit),
        kind,
        options.reading(limit, charset_of(request)),
        int(size) if size.isdigit() else None,
    )


@asynccontextmanager
async def _held(request: Request, database: Database, key: str | None, mark: Fingerprint) -> AsyncIterator[None]:
    """Hold the request's key meanwhile; raise as `creation` does, though the body is not there yet."""
    if key is None:
        yield
        return
    await _replay(request, database, key, mark)
    with resources_of(request).keys_in_flight.hold(key):
        await _replay(request, database, key, mark)
        yield


async def _replay(request: Request, database: Database, key: str, mark: Fingerprint) -> None:
    if await run_in_threadpool(was_used, database, key):
        async for piece in request.stream():
            mark.add(piece)
        await run_in_threadpool(replay, database, key, str(mark))


def _ignore(_: bytes) -> None:
    pass


def _answer(session: Session, record: DatasetRecord, created: Creation) -> Response:
    dataset = Dataset.model_validate(record, from_attributes=True)
    return created.answer(session, dataset, f"/api/datasets/{record.id}")
