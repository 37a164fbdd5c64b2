"""Arrow's texts as numbers or booleans, where the sender says that they are some."""

import numpy as np
import pyarrow
from numpy.typing import NDArray

from service.datasets.columns import SHOWN, Kind, in_query
from service.datasets.faults import MOST_OF_A_KIND, Note
from service.datasets.formats.arrow.values import texts_of
from service.datasets.formats.numbers_in_texts import form_of
from service.datasets.formats.worded_numbers import number_in
from service.datasets.table import Values
from service.errors import Fault, Invalid
from service.pointers import escape


def numbers_in(name: str, array: pyarrow.Array, kind: Kind, first: int, note: Note) -> tuple[Values, NDArray[np.bool_]]:
    """Return the numbers that texts are, and which of them are none; the first of these are noted."""
    texts = texts_of(array, limit=None)
    read = [number_in(text, kind) for text in texts.categories]
    values = np.array([*(np.nan if value is None else value for value in read), np.nan])[texts.codes]
    wrong: NDArray[np.bool_] = np.array([*(value is None for value in read), False])[texts.codes]

    def fault(row: int) -> Fault:
        what = f"Row {first + row}: column {name!r} {_no_number(texts.categories[texts.codes[row]], kind)}"
        remedy = f"or null where it is missing; types={in_query(name)}:categorical takes all as texts."
        return Fault(f"#/columns/{escape(name)}/{first + row}", f"{what}, {remedy}")

    if wrong.any():
        faults = [fault(row) for row in np.flatnonzero(wrong)[:MOST_OF_A_KIND].tolist()]
        note(Invalid(faults[0].detail, "invalid", tuple(faults)))
    return values, wrong


def _no_number(value: str, kind: Kind) -> str:
    """Return the message about a text that is read as a number or boolean, and is none."""
    form = form_of(value)
    if form is not None and form.remedy and kind == "numeric":
        return f"holds {value[:SHOWN]!r}, {form.what}: {form.remedy}"
    expected = "no number" if kind == "numeric" else "neither true nor false"
    return f"holds {value[:SHOWN]!r}, which is {expected}"
