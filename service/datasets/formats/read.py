"""The reading of a body of any form into typed columns."""

from dataclasses import replace
from pathlib import Path

from service import errors
from service.datasets.formats.body import Body, Pieces
from service.datasets.formats.checks import few_categories
from service.datasets.formats.media_types import ALIASES, ANY_FORM, GZIP, MediaType
from service.datasets.formats.zipped import unzipped
from service.datasets.table import ReadOptions, Table
from service.errors import WrongFormat, invalid
from service.http.bodies.form_data import FORM

MEDIA_TYPES: tuple[str, ...] = tuple(MediaType)
"""Media types that `read` reads."""


def read_table(media_type: str, body: Body, options: ReadOptions, scratch: Path) -> Table:
    """Read a body as a table, packed by gzip or not. Forms that are not read from front to back go to files in the
    folder `scratch` first, which is empty again when this returns; after an error the caller removes its files.

    Raises:
        WrongFormat: this form is not read.
        TooLarge: it is larger than `options.limit`.
        Invalid: it is not of that form, or no table of numbers, booleans and categories.
    """
    if media_type not in MEDIA_TYPES:
        raise unread(media_type)
    form = MediaType(media_type)
    _check(form, options)
    table = _read(form, body, options, scratch)
    told = {column for name in options.types for column in table.groups.get(name, [name])} | {
        *options.expected,
        *options.dates,
    }
    ignored = [*options.ignored, *table.ignored]
    return replace(table, chunks=few_categories(table.chunks, told, options.note), ignored=ignored, told=told)


def unread(media_type: str) -> WrongFormat:
    """Return the error for a body in a form that is not read."""
    if media_type in GZIP:
        return WrongFormat(
            f"Name the type within, such as {MediaType.CSV}, not {media_type}: gzip is recognised by itself."
        )
    return errors.unread("Datasets are", ("application/json", FORM, *MEDIA_TYPES, *ALIASES, *ANY_FORM), media_type)


def _check(form: MediaType, options: ReadOptions) -> None:
    if form != MediaType.CSV and options.delimiter is not None:
        raise invalid("query/delimiter", f"Only {MediaType.CSV} has a delimiter.")
    if form != MediaType.CSV and not options.header:
        raise invalid("query/header", f"Only {MediaType.CSV} may have a header.")
    plain = ReadOptions(options.limit)
    for name in ("missing_values", "skip", "comment", "decimal", "thousands"):
        if form != MediaType.CSV and getattr(options, name) not in (getattr(plain, name), []):
            raise invalid(f"query/{name}", f"`{name}` is for {MediaType.CSV} alone.")
    if form not in (MediaType.CSV, MediaType.NPY) and options.columns:
        raise invalid("query/columns", "The names of the columns are in the body itself.")


def _read(form: MediaType, body: Body, options: ReadOptions, scratch: Path) -> Table:
    whole = Pieces(body, options.limit)
    match form:  # each imports its libraries: pyarrow takes a third of a second, and JSON can do without
        case MediaType.CSV:
            from service.datasets.formats.csv.read import read_csv

            return read_csv(unzipped(whole, options.limit, scratch), options)
        case MediaType.PARQUET:
            from service.datasets.formats.parquet import read_parquet

            return read_parquet(whole, options, scratch)
        case MediaType.ARROW_STREAM | MediaType.ARROW_FILE:
            from service.datasets.formats.arrow.ipc import read_arrow

            return read_arrow(whole, options, scratch)
        case MediaType.NPZ:
            from service.datasets.formats.npz import read_npz

            return read_npz(whole, options, scratch)
        case MediaType.NPY:
            from service.datasets.formats.npy import read_npy

            return read_npy(whole, options, scratch)
