"""Remedies that messages name, followed to the letter: of each fault the first."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

Query = list[tuple[str, str]]
KINDS = "numeric|boolean|categorical|date"
PARAMETERS = "ignore|types|missing_values|missing|header|delimiter|decimal|thousands|skip|comment|encoding"
_NAMED = re.compile(rf"\b({PARAMETERS})=")
_BY_WORD = re.compile(r'`missing` to "drop".*"mean"')
"""The remedy of missing values, of which "drop" would lose rows."""
_END = re.compile(r"[.,;:)]*(?:[\s&]|$)")


def remedies(problem: Mapping[str, Any]) -> Query:
    """Return the parameters that an answer 422 tells to add, each once."""
    faults = [(each["pointer"], each["detail"]) for each in problem["errors"]]
    faults.insert(0, (faults[0][0] if faults else "#", problem["detail"]))
    return list(dict.fromkeys(named for pointer, detail in faults for named in _of(pointer, detail)))


def _of(pointer: str, detail: str) -> Iterator[tuple[str, str]]:
    if _BY_WORD.search(detail):
        yield "missing", "mean"
        return
    for found in _NAMED.finditer(detail):
        parameter, rest = found[1], detail[found.end() :]
        if length := _length(parameter, rest, _column(pointer)):
            yield parameter, unquote(rest[:length])
            if rest[length : length + 1] != "&":  # decimal=,&thousands=. is one remedy
                return


def _length(parameter: str, rest: str, column: str | None) -> int:
    """Return the length of the value that a text begins with; 0 where it is none for this column."""
    if parameter not in ("ignore", "types") or column is None:
        end = _END.search(rest, 1)
        return end.start() if end else 0
    length = max((each for each in range(len(rest) + 1) if unquote(rest[:each]) == column), default=0)
    if parameter == "ignore":
        return length
    kind = re.match(rf":({KINDS})\b", rest[length:])
    return length + kind.end() if length and kind else 0


def _column(pointer: str) -> str | None:
    """Return the column that a fault is in, as in #/columns/sepal width/3."""
    found = re.match("#/columns/([^/]*)", unquote(pointer))
    return found[1].replace("~1", "/").replace("~0", "~") if found else None
