"""Datasets over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets import export, operations, records
from service.datasets.formats.media_types import ALIASES, ANY_FORM, MediaType
from service.datasets.formats.read import MEDIA_TYPES, unread
from service.datasets.ingest.fill import Options
from service.datasets.ingest.options import StreamedOptions
from service.datasets.ingest.upload import Turns, Upload
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Dataset, NewDataset, Row, State, Statistics
from service.errors import Invalid, WrongFormat, invalid
from service.http.json_bodies import read_json, validated
from service.http.media_types import preferred
from service.http.pages import After, Limit, Page
from service.http.problems import problems
from service.http.query import refuse_beside_json
from service.http.responses import ATTACHMENT, attachment, numbers_response
from service.http.routes import JSONRoute, body_of, charset_of, media_type
from service.idempotency.creation import Creation, Fingerprint, IdempotencyKey, creation, replay, was_used
from service.resources import DatabaseOf, SettingsOf, StorageOf, UploadTurnsOf, resources_of
from service.settings import Settings
from service.storage.storage import Storage
from service.wire import PartName

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=JSONRoute)

_NEW_DATASET: TypeAdapter[NewDataset] = TypeAdapter(NewDataset)


_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "",
    status_code=201,
    response_model=Dataset,
    summary="Create a dataset",
    responses=problems(409, 413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": NewDataset.model_json_schema(ref_template="#/components/schemas/{model}")
                },
                **dict.fromkeys((*MediaType, *ALIASES, *ANY_FORM), _BINARY),
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
    """
    if media_type(request) == "application/json":
        refuse_beside_json(options)
        async with asynccontextmanager(creation)(request, database, idempotency_key) as created:
            body = await (body_of(request) if created.key is None else request.body())  # the key's has been read
            return await run_in_threadpool(_create_from_json, body, created, database, storage)
    return await _create_from_stream(request, options, database, storage, settings, turns, idempotency_key)


def _create_from_json(body: bytes, created: Creation, database: Database, storage: Storage) -> Response:
    new = validated(_NEW_DATASET, read_json(body))
    operations.refuse_taken(database, new.name)
    record = operations.create(storage, new)
    with operations.adding(database, storage, record) as session:
        return _answer(session, record, created)


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
    if not options.targets:
        raise invalid("query/targets", "Name the columns to be learnt: ?targets=y.")
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


@router.get("", response_model=Page[Dataset], summary="List datasets", responses=problems(422))
def list_datasets(
    database: DatabaseOf,
    limit: Limit = 50,
    after: After = None,
    state: Annotated[State | None, Query(description="datasets in this state alone")] = None,
) -> dict[str, Any]:
    """All datasets, newest first, also those that are loading, or those in one state."""
    with database.reading() as session:
        items, following = records.page(session, limit, after, state)
    return {"items": items, "next": following}


@router.get("/{dataset}", response_model=Dataset, summary="Show a dataset", responses=problems(404, 422))
def show_dataset(dataset: str, database: DatabaseOf) -> DatasetRecord:
    """A dataset's columns, widths and parts, by id or name; its progress while it is loading."""
    with database.reading() as session:
        return records.find(session, dataset)


@router.delete(
    "/{dataset}",
    status_code=204,
    response_class=Response,
    summary="Delete a dataset",
    responses=problems(404, 409, 422),
)
def delete_dataset(dataset: str, database: DatabaseOf, storage: StorageOf) -> None:
    """Delete rows and description. 409 while it is loading, or a job that has not ended needs it."""
    operations.delete(database, storage, dataset)


@router.get("/{dataset}/rows", response_model=Page[Row], summary="Show rows", responses=problems(404, 409, 422))
def show_rows(
    dataset: str,
    database: DatabaseOf,
    storage: StorageOf,
    part: PartName | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    """The rows of one part, or of all parts one after another, each in the order of the uploaded data."""
    with database.reading() as session:
        record = records.find_ready(session, dataset)
    items, following = operations.rows(record, storage, part, limit, after)
    return numbers_response({"items": items, "next": following})


@router.get(
    "/{dataset}/statistics", response_model=Statistics, summary="Describe columns", responses=problems(404, 409, 422)
)
def show_statistics(dataset: str, database: DatabaseOf) -> dict[str, Any]:
    """Count, mean, deviation, range, quartiles, histogram and categories of each column in each part."""
    with database.reading() as session:
        return {"columns": records.find_ready(session, dataset).statistics}


@router.get(
    "/{dataset}/content",
    summary="Give the data back",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "all columns, in the order of the data",
            "headers": {"Content-Disposition": ATTACHMENT},
            "content": dict.fromkeys(export.FORMS, _BINARY),
        },
        **problems(404, 406, 409, 422),
    },
)
def show_content(
    dataset: str, request: Request, database: DatabaseOf, storage: StorageOf, part: PartName | None = None
) -> Response:
    """The rows of all parts or of one, in the order of the upload, in the form of the `Accept` header: CSV,
    Parquet or an Arrow stream.

    Values that stand for missing ones are included.
    """
    form = MediaType(preferred(request.headers.get("accept", ""), export.FORMS))
    with database.reading() as session:
        record = records.find_ready(session, dataset)
        names = [column["name"] for column in record.statistics]
    blocks = export.blocks(record, storage.open(record.id, record.content_hash), part)
    pieces = export.content(form, export.columns(record, names), blocks)
    headers = {"Vary": "Accept", **attachment(export.file_name(record, form, part))}
    return StreamingResponse(pieces, headers=headers, media_type=form)
