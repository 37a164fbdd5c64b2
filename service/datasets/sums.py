"""Sums of squares and products over a part, kept with a dataset, or made again in the order of a network."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from service.datasets.arrangement import Arrangement, rows_of
from service.http.json_numbers import Array
from service.learning.rows import memory_maps
from service.learning.rows.gram import Gram
from service.storage.storage import Arrays

OPERATIONS = 2e10
"""Sums that take longer, about a second, are left to the jobs that want them."""
OPERATIONS_PER_CUBE = 40
"""Cost of the decompositions that sums over collinear columns need, per column cubed."""


def sums_over(arrays: Arrays, columns: Arrangement, part: str) -> Gram | None:
    """Return the sums over a part's rows, in the dtype that is stored; with these, a job need not read the rows at all.

    None where there are no rows, the sums take long, or squares overflow.
    """
    rows = columns.dataset.slice_of(part)
    count, width = rows.stop - rows.start, columns.inputs + columns.outputs + 1
    if not count or count * width**2 + OPERATIONS_PER_CUBE * width**3 > OPERATIONS:
        return None
    stored, dtype = (arrays.inputs[rows], arrays.targets[rows]), columns.dataset.dtype
    with suppress(np.linalg.LinAlgError), np.errstate(all="ignore"):
        inputs, targets = rows_of(stored[0], columns.features, dtype), rows_of(stored[1], columns.targets, dtype)
        return Gram.of(inputs, targets, _giving_back(stored))
    return None


def _giving_back(arrays: Sequence[Array]) -> Callable[[int], None]:
    """Return a function that releases the pages behind a reader, called with the number of rows done."""
    done = 0

    def after_block(rows: int) -> None:
        nonlocal done
        done = done if done < rows else 0  # a second pass began
        for array in arrays:
            memory_maps.drop_behind(array, done, rows)
        done = rows

    return after_block
