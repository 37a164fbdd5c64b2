"""Datasets over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import TypeAdapter

from service.datasets import formats, operations, records
from service.datasets.operations import Options
from service.datasets.schemas import CsvOptions, Dataset, NewDataset, Row, Statistics
from service.errors import WrongFormat, invalid
from service.http import (
    After,
    CreationOf,
    DatabaseOf,
    JSONRoute,
    Limit,
    Page,
    StorageOf,
    media_type,
    numbers_response,
    problems,
)
from service.json_bodies import read_json, validated
from service.numbers import Array
from service.wire import PartName

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=JSONRoute)

_NEW_DATASET: TypeAdapter[NewDataset] = TypeAdapter(NewDataset)


async def _body(request: Request) -> bytes:
    return await request.body()


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
                "text/csv": {"schema": {"type": "string"}, "example": "x,y\n0,2\n1,6\n2,10\n"},
            },
        },
    },
)
def create_dataset(
    request: Request,
    creation: CreationOf,
    body: Annotated[bytes, Depends(_body)],
    csv: Annotated[CsvOptions, Query()],
    database: DatabaseOf,
    storage: StorageOf,
) -> Response:
    """Keep a table of numbers, as JSON columns or as `text/csv`, and divide it into parts.

    A CSV body has a header line; its name, targets, parts and dtype are the query parameters.
    """
    match media_type(request):
        case "application/json":
            columns, options = _from_json(body, csv)
        case "text/csv":
            columns, options = _from_csv(body, csv)
        case other:
            detail = f"Datasets are read from application/json and text/csv, not from {other or 'an unnamed type'!r}."
            raise WrongFormat(detail)
    record = operations.store(storage, columns, options)
    with operations.adding(database, storage, record) as session:
        return creation.answer(
            session, Dataset.model_validate(record, from_attributes=True), f"/api/datasets/{record.id}"
        )


def _from_json(body: bytes, csv: CsvOptions) -> tuple[dict[str, Array], Options]:
    if csv.model_fields_set:
        name = min(csv.model_fields_set)
        raise invalid(f"query/{name}", "Query parameters are for CSV: a JSON body says this itself.")
    new = validated(_NEW_DATASET, read_json(body))
    columns = formats.columns_from_json(new.columns, new.dtype)
    return columns, Options(new.name, new.targets, new.split, new.dtype)


def _from_csv(body: bytes, csv: CsvOptions) -> tuple[dict[str, Array], Options]:
    if not csv.targets:
        raise invalid("query/targets", "Say which columns are to be learnt: ?targets=y.")
    options = Options(csv.name, csv.targets, csv.split(), csv.dtype)
    return formats.columns_from_csv(body, csv.dtype), options


@router.get("", response_model=Page[Dataset], summary="List datasets", responses=problems(422))
def list_datasets(database: DatabaseOf, limit: Limit = 50, after: After = None) -> dict[str, Any]:
    """All datasets, newest first."""
    with database.reading() as session:
        items, following = records.page(session, limit, after)
    return {"items": items, "next": following}


@router.get("/{dataset}", response_model=Dataset, summary="Show a dataset", responses=problems(404))
def show_dataset(dataset: str, database: DatabaseOf) -> records.DatasetRecord:
    """A dataset's columns, widths and parts, by id or name."""
    with database.reading() as session:
        return records.find(session, dataset)


@router.delete(
    "/{dataset}", status_code=204, response_class=Response, summary="Delete a dataset", responses=problems(404, 409)
)
def delete_dataset(dataset: str, database: DatabaseOf, storage: StorageOf) -> None:
    """Delete rows and description. 409 while a job that has not ended needs it."""
    operations.delete(database, storage, dataset)


@router.get("/{dataset}/rows", response_model=Page[Row], summary="Show rows", responses=problems(404, 422))
def show_rows(
    dataset: str,
    database: DatabaseOf,
    storage: StorageOf,
    part: PartName | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    """The rows of one part, or of all parts one after another, each in the order of the data as it came."""
    with database.reading() as session:
        record = records.find(session, dataset)
    items, following = operations.rows(record, storage, part, limit, after)
    return numbers_response({"items": items, "next": following})


@router.get("/{dataset}/statistics", response_model=Statistics, summary="Describe columns", responses=problems(404))
def show_statistics(dataset: str, database: DatabaseOf) -> dict[str, Any]:
    """Count, mean, deviation, range, quartiles and histogram of each column in each part."""
    with database.reading() as session:
        return {"columns": records.find(session, dataset).statistics}
