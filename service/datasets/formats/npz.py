"""npz: several arrays in a zip, unpacked into files that are mapped into memory."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from service.database.disk_faults import disk_fault
from service.datasets.columns import SHOWN, Kind, unambiguous
from service.datasets.formats.body import PIECE, Pieces, limited, to_file
from service.datasets.formats.checks import check_names
from service.datasets.formats.names import Names, names_of_columns
from service.datasets.formats.npy import chunks_of, columns_of, kinds_of, load, without
from service.datasets.formats.zipped import NO_ZIP
from service.datasets.table import ReadOptions, Table
from service.errors import invalid
from service.http.json_numbers import Array
from service.http.unpacking import check_members
from service.pointers import escape

SUFFIX = ".npy"


def read_npz(body: Pieces, options: ReadOptions, scratch: Path) -> Table:
    """The table of an archive's arrays: those of one dimension are columns by their names, those of two (or of records)
    groups of columns, `x` of `x_0`, `x_1` and so on.

    Raises:
        TooLarge: it unpacks to too much.
        Invalid: it is no such archive, holds values that no network takes, or arrays of different lengths.
    """
    file = to_file(body, scratch / "body.npz")
    arrays, names = _unpack(file, body.packed, options.limit, scratch)
    groups = {
        name: columns_of(array, f"Array {name!r}", f"{name}_")
        for name, array in arrays.items()
        if array.ndim != 1 or array.dtype.names
    }
    named = [column for name, array in arrays.items() for column in groups.get(name, {name: array}).items()]
    check_names([name for name, _ in named])
    ignored = [column for name in options.ignored for column in groups.pop(name, {name: None})]
    columns = without(dict(named), ignored, options.note)
    _check_lengths(columns)
    dates = list(_of_columns(dict.fromkeys(options.dates, "numeric"), groups))
    kinds = kinds_of(columns, _of_columns(options.types, groups), dates, options.note)
    left = {name: [column for column in group if column in columns] for name, group in groups.items()}
    return Table(
        kinds,
        chunks_of(list(arrays.values()), columns, kinds, dates, options.note),
        left,
        names.advice([place for place, name in enumerate(names.all) if name in options.ignored]),
        dates=unambiguous(dates),
    )


def _of_columns(types: Mapping[str, Kind], groups: Mapping[str, Iterable[str]]) -> dict[str, Kind]:
    """Return the types by column: a group's type is that of each of its columns."""
    return {column: kind for name, kind in types.items() for column in groups.get(name, (name,))}


def _check_lengths(columns: Mapping[str, Array]) -> None:
    lengths = {name: len(values) for name, values in columns.items()}
    first = next(iter(lengths), "")
    for name, rows in lengths.items():
        if rows != lengths[first]:
            detail = f"Column {name!r} has {rows} rows, but {first!r} has {lengths[first]}."
            raise invalid(f"#/columns/{escape(name)}", detail, "ragged")


def _unpack(file: Path, packed: int, limit: int, scratch: Path) -> tuple[dict[str, Array], Names]:
    """The arrays by name, and their names, from files in `scratch` that together have at most `limit` bytes; `packed`
    were sent.
    """
    arrays: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            check_members(members, packed)
            foreign = next((each.filename for each in members if not each.filename.endswith(SUFFIX)), None)
            if foreign is not None:
                raise invalid("#", f"The archive holds {foreign[:SHOWN]!r}, which is no {SUFFIX}.", "malformed")
            names = names_of_columns([member.filename.removesuffix(SUFFIX) for member in members])
            for number, (name, member) in enumerate(zip(names.all, members, strict=True)):
                with archive.open(member) as reading:
                    whole = limited(iter(lambda: reading.read(PIECE), b""), limit)
                    written = to_file(whole, scratch / f"{number}{SUFFIX}")
                limit -= written.stat().st_size
                arrays[name] = load(written, f"Array {name!r}")
    except NO_ZIP as error:
        if disk_fault(error) is not None:
            raise
        raise invalid("#", f"The body is no npz that can be read: {str(error)[:200]}", "malformed") from None
    file.unlink()
    return arrays, names
