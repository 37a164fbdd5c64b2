"""Numbers of CSV, with the decimal mark and the separators of thousands that their sender names, or should."""

import re
from functools import cache

import pyarrow
import pyarrow.compute

from service.datasets.columns import in_query
from service.datasets.formats.worded_numbers import LONGEST, SEPARATED, worded

_POINT = re.compile(r"\s*[-+]?[0-9]*\.[0-9]+\s*")
_SIMPLE = re.compile(r"\s*[-+]?[0-9]*\.?[0-9]*\s*")


def advice_on(text: str, name: str, decimal: str) -> str | None:
    """Return what a text of CSV is, and what to do, that a person takes for a number and the reader does not."""
    if len(text) > LONGEST:
        return None
    texts = f"or set its type to categorical: types={in_query(name)}:categorical"
    if decimal == "," and _POINT.fullmatch(text):
        return f"a number with a point: use thousands=. where points group digits, or leave decimal=, out, {texts}."
    if what := worded(text):
        return f"{what}, {texts}."
    if _SIMPLE.fullmatch(text) or not SEPARATED.fullmatch(text):
        return None
    what = "a number with a comma" if "," in text else "a number with separators"
    return f"{what}: use {_remedy(text.strip())} in the query, {texts}."


def _remedy(text: str) -> str:
    separators = re.sub(r"[-+0-9]|[eE].*", "", text)
    last, others = separators[-1], separators[:-1]
    if last not in ",.":
        return f"thousands={_in_query(last)}"
    if others and last not in others:
        decimal = "" if last == "." else "decimal=,&"
        return f"{decimal}thousands={_in_query(others[0])}"
    if others:
        return f"thousands={last}" if last == "," else "decimal=,&thousands=."
    return "thousands=, (or decimal=,)" if re.fullmatch(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}", text) else "decimal=,"


def _in_query(separator: str) -> str:
    return {" ": "%20", "\u00a0": "%C2%A0", "\u2019": "%E2%80%99", "\u202f": "%E2%80%AF"}.get(separator, separator)


@cache
def written(decimal: str, thousands: str | None) -> str:
    """Return the pattern of a number, for Python and Arrow."""
    point = re.escape(decimal)
    whole = "[0-9]+" if thousands is None else _grouped(re.escape(thousands))
    number = f"(?:(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+)(?:e[-+]?[0-9]+)?"
    return rf"(?i)^\s*[-+]?(?:{number}|inf(?:inity)?|nan)\s*$"


def _grouped(mark: str) -> str:
    """Return the pattern of a whole number: 1234567, 1,234,567 or, as in India, 12,34,567."""
    return f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|[1-9][0-9]?(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}|[0-9]+"


def without_thousands(texts: pyarrow.Array, decimal: str, thousands: str) -> tuple[pyarrow.Array, int | None]:
    """Return numbers, and the first row that holds none; None where every row does."""
    wrong = pyarrow.compute.invert(pyarrow.compute.match_substring_regex(texts, written(decimal, thousands)))
    row = pyarrow.compute.fill_null(wrong, False).index(True).as_py()
    if row >= 0:
        return texts, row
    plain = pyarrow.compute.replace_substring(pyarrow.compute.utf8_trim_whitespace(texts), thousands, "")
    if decimal != ".":
        plain = pyarrow.compute.replace_substring(plain, decimal, ".")
    return plain.cast(pyarrow.float64()), None


def number_of(text: str, decimal: str, thousands: str | None) -> float | None:
    """Return the number that a text is; None where it is none."""
    if not re.match(written(decimal, thousands), text):
        return None
    plain = text.strip() if thousands is None else text.strip().replace(thousands, "")
    return float(plain.replace(decimal, "."))
