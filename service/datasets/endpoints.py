"""Datasets over HTTP."""

from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from service.datasets import export, operations, records
from service.datasets.creation_endpoints import BINARY, router
from service.datasets.formats.media_types import MediaType
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Dataset, DatasetChange, Row, State
from service.datasets.statistics_schemas import Statistics
from service.http.key_scopes import READ, TRAIN, needs
from service.http.media_types import preferred
from service.http.pages import After, Limit, NamesFiltered, Page
from service.http.problems import problems
from service.http.responses import ATTACHMENT, attachment, numbers_response
from service.resources import DatabaseOf, StorageOf
from service.wire import PartName

__all__ = ["router"]


@router.get("", response_model=Page[Dataset], summary="List datasets", responses=problems(422))
@needs(READ)
def list_datasets(
    database: DatabaseOf,
    filters: NamesFiltered,
    limit: Limit = 50,
    after: After = None,
    state: Annotated[State | None, Query(description="datasets in this state alone")] = None,
) -> dict[str, Any]:
    """All datasets, also those that are loading, or those that the filters leave, newest first."""
    with database.reading() as session:
        items, following = records.page(session, limit, after, state, filters)
    return {"items": items, "next": following}


@router.get("/{dataset}", response_model=Dataset, summary="Show a dataset", responses=problems(404, 422))
@needs(READ)
def show_dataset(dataset: str, database: DatabaseOf) -> DatasetRecord:
    """A dataset's columns, widths and parts, by id or name; its progress while it is loading."""
    with database.reading() as session:
        return records.find(session, dataset)


@router.patch(
    "/{dataset}", response_model=Dataset, summary="Change a dataset", responses=problems(404, 409, 413, 415, 422)
)
@needs(TRAIN)
def change_dataset(dataset: str, change: DatasetChange, database: DatabaseOf) -> DatasetRecord:
    """Give a dataset other labels in place of all that it has, or share it; its data stay. 409 while it is loading."""
    with database.transaction() as session:
        record = records.find_ready(session, dataset)
        for name in change.model_fields_set:
            setattr(record, name, getattr(change, name))
        return record


@router.delete(
    "/{dataset}",
    status_code=204,
    response_class=Response,
    summary="Delete a dataset",
    responses=problems(404, 409, 422),
)
@needs(TRAIN)
def delete_dataset(dataset: str, database: DatabaseOf, storage: StorageOf) -> None:
    """Delete rows and description. 409 while it is loading, or a job that has not ended needs it."""
    operations.delete(database, storage, dataset)


@router.get("/{dataset}/rows", response_model=Page[Row], summary="Show rows", responses=problems(404, 409, 422))
@needs(READ)
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
@needs(READ)
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
            "content": dict.fromkeys(export.FORMS, BINARY),
        },
        **problems(404, 406, 409, 422),
    },
)
@needs(READ)
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
