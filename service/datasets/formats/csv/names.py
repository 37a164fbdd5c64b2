"""Names of the columns of a CSV text, also where the header leaves them out or repeats them."""

from collections.abc import Sequence

from service.datasets.formats.checks import check_count, check_names
from service.datasets.formats.names import Names, names_of_columns
from service.datasets.table import ReadOptions
from service.errors import invalid

REMEDY = "Give other names: one columns= for each column."


def names_of(header: list[str], rows: Sequence[list[str]], options: ReadOptions, *, names_rows: bool) -> Names:
    """Return names of columns from the header, `rows` being the first that follow it.

    `names_rows` tells whether a value more than there are names can be the name of its row.

    Raises:
        Invalid: as many names cannot be, or one is no name.
    """
    check_count(len(header))
    header, of_rows = _as_wide_as_rows(header, rows, len(options.columns), names_rows=names_rows)
    given = _replaced(header, options.columns) if options.columns else list(map(str.strip, header))
    names = names_of_columns(given, of_rows=of_rows, has_header=True)
    check_names(names.all, REMEDY)
    return names


def numbered(first: list[str], options: ReadOptions) -> Names:
    """Return names of columns where the text has none: those that are given, else c0, c1, ...

    Raises:
        Invalid: there are not as many as the first row has values.
    """
    check_count(len(first))
    if options.columns and len(options.columns) != len(first):
        detail = f"{len(options.columns)} names are given, but the first row has {len(first)} values."
        raise invalid("query/columns", detail)
    names = options.columns or [f"c{index}" for index in range(len(first))]
    check_names(names)
    return Names(names)


def _as_wide_as_rows(
    header: list[str], rows: Sequence[list[str]], wanted: int, *, names_rows: bool
) -> tuple[list[str], bool]:
    """Return the header with a name for each value of a row, and whether one was lacking for the rows' own names."""
    widths = {len(row) for row in rows}
    if widths == {len(header) - 1} and not header[-1].strip():
        return header[:-1], False
    if widths == {len(header) + 1}:
        if not any(row[-1].strip() for row in rows):
            return [*header, ""], False
        if names_rows:
            return ["", *header], True
    if wanted and widths == {wanted}:  # they replace a header that is wrong
        return [""] * wanted, False
    return header, False


def _replaced(header: list[str], columns: list[str]) -> list[str]:
    check_names(columns)
    if len(columns) == len(header) - 1 and not header[-1].strip():
        return [*columns, ""]
    if len(columns) != len(header):
        detail = f"{len(columns)} names are given, but there are {len(header)} columns."
        raise invalid("query/columns", detail)
    return columns
