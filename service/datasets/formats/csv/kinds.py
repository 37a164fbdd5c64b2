"""What a column of CSV holds, by the first value in it."""

import re
from collections.abc import Collection, Mapping

import pyarrow

from service.datasets.columns import Kind
from service.datasets.formats.checks import SHOWN, is_time, no_date
from service.datasets.formats.csv.dialect import Dialect
from service.datasets.formats.csv.parse import Fault, parse


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\s*({pattern})\s*", re.IGNORECASE | re.ASCII)


_NUMBER = _pattern(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf(inity)?)")
_WITH_COMMA = _pattern(r"[+-]?[0-9]+(,[0-9]+)+")
_BOOLEAN = _pattern("true|false")


def guess_kinds(
    data: bytes, dialect: Dialect, types: Mapping[str, Kind], ignored: Collection[str] = ()
) -> dict[str, Kind]:
    """The kind of each column that is not ignored: of `types`, or as the first value in `data` is; numeric where there
    is no value.

    Raises:
        Fault: a row is not like the others, or a value is a date, a time or a number with a comma.
    """
    wanted = {index: name for index, name in enumerate(dialect.names) if name not in ignored}
    texts = parse(data, dialect, [pyarrow.binary() if index in wanted else None for index in range(len(dialect.names))])
    return {
        name: types.get(name) or _guess(index, values)
        for (index, name), values in zip(wanted.items(), texts, strict=True)
    }


def _guess(column: int, values: pyarrow.Array) -> Kind:
    row = values.is_valid().index(True).as_py()
    if row < 0:
        return "numeric"
    text = values[row].as_py().decode(errors="replace")
    if is_time(text):
        raise Fault(row, column, no_date(text))
    if _WITH_COMMA.fullmatch(text):
        advice = "write numbers as in 1234.5, or set its type to categorical."
        raise Fault(row, column, f"holds {text[:SHOWN]!r}, a number with a comma: {advice}")
    if _NUMBER.fullmatch(text):
        return "numeric"
    return "boolean" if _BOOLEAN.fullmatch(text) else "categorical"
