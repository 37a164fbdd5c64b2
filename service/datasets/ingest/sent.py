"""Files as they are sent: as the whole body of a request, or in a form with fields beside it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_origin

import orjson
from anyio import open_file
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request

from service.datasets.formats.media_types import ANY_FORM, MediaType, read_as
from service.datasets.formats.read import MEDIA_TYPES, unread
from service.datasets.ingest.options import StreamedOptions
from service.datasets.ingest.upload import MOST_PEEKED, recognised
from service.errors import Fault, Invalid, WrongFormat, invalid, invalid_in
from service.http.bodies.form_data import FILE, FORM, PIECE, Form
from service.http.json_numbers import JsonObject
from service.http.query import check_query
from service.idempotency.creation import Fingerprint
from service.pointers import faults_of


def _without_null(schema: JsonObject) -> JsonObject:
    """Return the schema of a field that a form has or lacks: it cannot be null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    rest = {name: member for name, member in schema.items() if name != "anyOf" and member is not None}
    return {**rest, **choices[0]} if len(choices) == 1 else schema


_OPTIONS = StreamedOptions.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
FORM_SCHEMA = {
    "type": "object",
    "required": [FILE],
    "properties": {
        FILE: {"type": "string", "format": "binary", "description": "the table: CSV, Parquet, Arrow, npz or npy"},
        **{name: _without_null(schema) for name, schema in _OPTIONS.items()},
    },
    "additionalProperties": False,
}
"""A form has the words of the query as its fields, in any order."""
_REPEATABLE = {name: get_origin(each.annotation) is list for name, each in StreamedOptions.model_fields.items()}


@dataclass(frozen=True)
class Sent:
    """A file as it was sent: by itself, or in a form."""

    kind: str
    content_type: str
    """As the sender wrote it, with what it tells of a text."""
    size: int | None
    pieces: Callable[[], AsyncIterator[bytes]]
    mark: Fingerprint
    where: Callable[[str], str] = str
    """The place of a fault in the request, from its place as a query parameter."""


def sent_alone(request: Request) -> Sent:
    """Return a file that is the whole body. Raises WrongFormat where no dataset is read from it."""
    _check_coding(request, "gzip", "x-gzip")  # gzip itself is seen by its first bytes
    size = request.headers.get("content-length", "").strip()
    content_type = request.headers.get("content-type", "")
    kind = read_as(content_type)
    if kind not in (*MEDIA_TYPES, *ANY_FORM):
        raise unread(kind)
    known = int(size) if size.isdigit() else None
    return Sent(kind, content_type, known, request.stream, Fingerprint(request))


def sent_in_form(request: Request, form: Form) -> Sent:
    """Return the file of a form. Browsers name types by their own lights: its first bytes tell more.

    Raises:
        Invalid: there is none.
    """
    _check_coding(request)
    if form.path is None:
        raise invalid(f"form/{FILE}", f"The form has no file: send one in its field {FILE!r}.")
    path = form.path
    with path.open("rb") as file:
        found = recognised(file.read(MOST_PEEKED))
    named = read_as(form.content_type)
    mark = Fingerprint(request, FORM)
    mark.add(orjson.dumps(form.fields))
    kind = named if named in MEDIA_TYPES else found or MediaType.CSV
    where = partial(_field, request=request)
    return Sent(kind, form.content_type, form.size, lambda: _pieces_of(path), mark, where)


async def _pieces_of(path: Path) -> AsyncIterator[bytes]:
    async with await open_file(path, "rb") as file:
        while piece := await file.read(PIECE):
            yield piece


def _check_coding(request: Request, *known: str) -> None:
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", *known):
        how = "as they are or as gzip" if known else "as they are in a form"
        raise WrongFormat(f"Datasets are read {how}, but not as {coding[:50]!r}.")


def options_of(request: Request, form: Form) -> StreamedOptions:
    """Return the options of a query and of the fields of a form together; empty fields count as left out."""
    given = QueryParams([*request.query_params.multi_items(), *(each for each in form.fields if each[1])])
    check_query(given, _REPEATABLE)
    values = {name: given.getlist(name) if _REPEATABLE[name] else given[name] for name in given}
    try:
        return StreamedOptions.model_validate(values)
    except ValidationError as error:
        faults = [{**each, "loc": ("query", *each["loc"])} for each in error.errors(include_url=False)]
        raise invalid_in(faults_of(faults, values, ("body",))) from None


def of_form(refused: Invalid, request: Request) -> Invalid:
    """Return the refusal with the names of fields in place of parameters, but for those in the query."""
    faults = tuple(Fault(_field(each.pointer, request), each.detail) for each in refused.errors)
    (first, *_), told = refused.errors, refused.detail
    detail = faults[0].pointer + told.removeprefix(first.pointer) if told.startswith(first.pointer) else told
    return Invalid(detail, refused.code, faults)


_QUERY = "query/"


def _field(pointer: str, request: Request) -> str:
    name = pointer.removeprefix(_QUERY)
    return pointer if name in request.query_params or name == pointer else f"form/{name}"
