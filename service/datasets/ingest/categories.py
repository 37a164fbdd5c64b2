"""The categories of a column: their order, their number, and the one of missing values."""

from collections.abc import Collection, Mapping
from itertools import chain, count

import numpy as np

from service.datasets.columns import MOST_ASKED_FOR, MOST_CATEGORIES
from service.datasets.faults import Note
from service.errors import invalid
from service.pointers import escape

MISSING_CATEGORY = "missing"


def in_order(categories: Mapping[str, int]) -> list[str]:
    """Categories in the order in which they are recorded: as texts, or by value where all are finite numbers."""
    try:
        values = {category: float(category) for category in categories}
    except ValueError:
        return sorted(categories)
    if not all(map(np.isfinite, values.values())):
        return sorted(categories)
    return sorted(categories, key=lambda category: (values[category], category))


def category_of_missing(name: str, categories: Collection[str], *, told: bool) -> str:
    """Return the name of the category that missing values are, one that no other has.

    Raises:
        Invalid: there is no room for it, be the column's kind `told` by the sender or not.
    """
    most = MOST_ASKED_FOR if told else MOST_CATEGORIES
    if len(categories) == most:
        detail = f"Column {name!r} has {most:,} categories, and no room for one of missing values."
        raise invalid(f"#/columns/{escape(name)}", detail, "too_many_categories")
    names = chain((MISSING_CATEGORY,), (f"{MISSING_CATEGORY}_{number}" for number in count(2)))
    return next(name for name in names if name not in categories)


def check_classes(name: str, classes: Collection[str], note: Note) -> None:
    """Note a fault where a target has more classes than are learnt."""
    if len(classes) > MOST_CATEGORIES:
        detail = f"Target {name!r} has {len(classes):,} classes, and at most {MOST_CATEGORIES} are learnt"
        remedy = "express it in numbers or in fewer classes, or make another column the target"
        note(invalid(f"#/columns/{escape(name)}", f"{detail}: {remedy}.", "too_many_categories"))
