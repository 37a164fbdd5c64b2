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
from service.datasets.ingest.options import StreamedOptions
from service.datasets.ingest.roles import Most, Options
from service.datasets.ingest.sent import FORM_SCHEMA, Sent, of_form, options_of, sent_alone, sent_in_form
from service.datasets.ingest.upload import Upload
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Dataset, NewDataset, Preview, PreviewedDataset
from service.errors import Conflict, Invalid, invalid
from service.http.bodies.form_data import FILE, FORM, read_form
from service.http.json_bodies import read_json, validated
from service.http.key_scopes import TRAIN, needs
from service.http.long_json.lists import LongList
from service.http.problems import problems
from service.http.query import labels_of, refuse_beside_json
from service.http.routes import JSONRoute, body_of, media_type
from service.idempotency.creation import Creation, IdempotencyKey, creation, replay, was_used
from service.ids import new_id
from service.pointers import escape
from service.resources import Resources, Turns, resources_of
from service.settings import Settings

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=JSONRoute)

_NEW_DATASET: TypeAdapter[NewDataset] = TypeAdapter(NewDataset)
_PREVIEWED_DATASET: TypeAdapter[PreviewedDataset] = TypeAdapter(PreviewedDataset)
FORM_OF_COLUMNS = (
    'Send a list for each column, as df.to_dict("list") of pandas makes: '
    '{"columns": {"x": [0, 1], "y": [2, 6]}, "targets": ["y"]}.'
)
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
                FORM: {"schema": FORM_SCHEMA},
                **dict.fromkeys((*MediaType, *ALIASES, *ANY_FORM), BINARY),
                MediaType.CSV: {"schema": {"type": "string"}, "example": "x,y\n0,2\n1,6\n2,10\n"},
            },
        },
    },
)
@needs(TRAIN)
async def create_dataset(
    request: Request,
    options: Annotated[StreamedOptions, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Keep a table, as JSON columns or as a file of rows, and divide it into parts.

    CSV, Parquet, Arrow, npz and npy are read on arrival, packed by gzip or not; name, targets, parts and all else
    are the query parameters then, or fields of a form beside its `file`, in any order. From about a megabyte on, the
    dataset is listed as `loading` meanwhile.

    With `validate_only`, all advice and all faults of the first megabyte are answered beside kinds, widths, statistics
    and the first rows, also where the targets are not named yet.
    """
    resources = resources_of(request)
    if media_type(request) == "application/json":
        refuse_beside_json(options.model_copy(update={"validate_only": False}))
        if options.validate_only:
            return await run_in_threadpool(_preview_json, await body_of(request), resources)
        async with asynccontextmanager(creation)(request, idempotency_key) as created:
            body = await (body_of(request) if created.key is None else request.body())  # the key's has been read
            return await run_in_threadpool(_create_from_json, body, created, resources)
    if media_type(request) == FORM:
        with resources.storage.writing(new_id("ds")) as folder:
            try:
                form = await read_form(request.stream(), request.headers["content-type"], folder / FILE)
                options = options_of(request, form)
                sent = await run_in_threadpool(sent_in_form, request, form)
                return await _create_from_stream(request, options, sent, resources, idempotency_key)
            except Invalid as refused:
                raise of_form(refused, request) from None
    sent = sent_alone(request)
    return await _create_from_stream(request, options, sent, resources, idempotency_key)


def _create_from_json(body: bytes, created: Creation, resources: Resources) -> Response:
    most = _most(resources.settings, resources.stored.left())
    new = validated(_NEW_DATASET, _by_columns(read_json(body)))
    operations.refuse_taken(resources.database, new.name)
    record = operations.create(resources.storage, new, most)
    with operations.adding(resources.database, resources.storage, record, resources.stored.adding) as session:
        return _answer(session, record, created)


def _by_columns(body: Any) -> Any:
    """Return a body whose table is an object of columns.

    Raises:
        Invalid: the table is a list of rows, or its columns are objects, as some tools write them.
    """
    table, pointer = (body.get("columns"), "#/columns") if isinstance(body, dict) else (body, "#")
    if isinstance(table, list | LongList):
        raise invalid(pointer, f"This is a list of rows. {FORM_OF_COLUMNS}", "by_rows")
    if isinstance(table, dict) and any(isinstance(values, dict) for values in table.values()):
        raise invalid(pointer, f"Columns are lists, not objects. {FORM_OF_COLUMNS}", "by_rows")
    if isinstance(body, dict) and table is None and "columns" not in body:
        _check_lists(body)
    return body


def _check_lists(body: dict[str, Any]) -> None:
    """Raise Invalid where the lists of a body are columns, or rows under another name, as some tools write them."""
    lists = {name: values for name, values in body.items() if isinstance(values, list | LongList)}
    strange = [name for name in lists if name not in NewDataset.model_fields]
    if strange:
        values = lists[strange[0]]
        first = values.first if isinstance(values, LongList) else next(iter(values), None)
        what = "a list of rows" if isinstance(first, dict | list) else "a column, outside of `columns`"
        raise invalid(f"#/{escape(strange[0])}", f"This is {what}. {FORM_OF_COLUMNS}", "by_rows")


def _preview_json(body: bytes, resources: Resources) -> Response:
    new = validated(_PREVIEWED_DATASET, _by_columns(read_json(body)))
    faults = Faults(with_remedies=True)
    if not new.targets:
        faults.note(invalid("#/targets", 'Name the columns to be learnt: "targets": ["y"].'))
    _note_taken(resources.database, new.name, "#/name", faults)
    return _previewed(operations.preview(resources.storage, new, _most(resources.settings), faults))


async def _preview_stream(upload: Upload, options: StreamedOptions, sent: Sent, turns: Turns) -> Response:
    faults = Faults(with_remedies=True)
    if not options.targets:
        faults.note(_no_targets())
    await run_in_threadpool(_note_taken, upload.database, options.name, "query/name", faults)
    found = await upload.preview(sent.pieces(), turns, faults)
    for each in (*found["faults"], *found["advice"]):
        each["pointer"] = sent.where(options.parameter(each["pointer"]))
    return _previewed(found)


def _note_taken(database: Database, name: str | None, pointer: str, faults: Faults) -> None:
    try:
        operations.refuse_taken(database, name)
    except Conflict as taken:
        faults.note(invalid(pointer, taken.detail, taken.code))


def _previewed(preview: dict[str, Any]) -> Response:
    return Response(Preview.model_validate(preview).model_dump_json(), media_type="application/json")


def _no_targets() -> Invalid:
    return invalid("query/targets", "Name the columns to be learnt: ?targets=y.")


async def _create_from_stream(
    request: Request,
    options: StreamedOptions,
    sent: Sent,
    resources: Resources,
    key: str | None,
) -> Response:
    def answer(session: Session, record: DatasetRecord) -> Response:
        return _answer(session, record, Creation(key, str(sent.mark)))

    database, turns = resources.database, resources.upload_turns
    if options.validate_only:
        upload = _upload(options, sent, resources, _most(resources.settings))
        return await _preview_stream(upload, options, sent, turns)
    async with _held(request, sent, database, key):
        left = await run_in_threadpool(resources.stored.left)
        upload = _upload(options, sent, resources, _most(resources.settings, left))
        if not options.targets:
            raise _no_targets()
        await run_in_threadpool(operations.refuse_taken, database, options.name)
        try:
            return await upload.run(sent.pieces(), answer, turns, _ignore if key is None else sent.mark.add)
        except Invalid as refused:
            raise options.in_query(refused) from None


def _most(settings: Settings, left: int | None = None) -> Most:
    """Return the limits of a dataset whose owner has so many bytes left."""
    bytes, bytes_by = settings.max_upload, "DESCENT_MAX_UPLOAD"
    if left is not None and left < bytes:
        bytes, bytes_by = left, "DESCENT_MAX_STORED_BYTES"
    return Most(bytes, bytes_by, settings.max_rows, settings.max_columns)


def _upload(options: StreamedOptions, sent: Sent, resources: Resources, most: Most) -> Upload:
    return Upload(
        resources.database,
        resources.storage,
        Options(
            options.name,
            options.targets,
            options.split(),
            options.dtype,
            options.missing_ways(),
            most,
            labels_of(options.labels, "labels"),
        ),
        sent.kind,
        options.reading(resources.settings.max_upload, sent.content_type),
        sent.size,
        resources.stored.adding,
    )


@asynccontextmanager
async def _held(request: Request, sent: Sent, database: Database, key: str | None) -> AsyncIterator[None]:
    """Hold the request's key meanwhile; raise as `creation` does, though the body is not there yet."""
    if key is None:
        yield
        return
    await _replay(sent, database, key)
    with resources_of(request).keys_in_flight.hold(key):
        await _replay(sent, database, key)
        yield


async def _replay(sent: Sent, database: Database, key: str) -> None:
    if await run_in_threadpool(was_used, database, key):
        async for piece in sent.pieces():
            sent.mark.add(piece)
        await run_in_threadpool(replay, database, key, str(sent.mark))


def _ignore(_: bytes) -> None:
    pass


def _answer(session: Session, record: DatasetRecord, created: Creation) -> Response:
    dataset = Dataset.model_validate(record, from_attributes=True)
    return created.answer(session, dataset, f"/api/datasets/{record.id}")
