"""Arrow's arrays as numbers, and as texts with a code for each row."""

import numpy as np
import pyarrow
import pyarrow.compute
from pyarrow import types

from service.datasets.columns import MOST_ASKED_FOR
from service.datasets.table import Texts, Values, category_of
from service.errors import invalid

TEXTS = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
VIEWS = (types.is_string_view, types.is_binary_view)
LARGEST_TEXTS = 256 << 20
"""Bytes of the texts of an array, one by one; views may name the same long text for every row."""


def is_of_texts(type: pyarrow.DataType) -> bool:
    """Whether values are texts, also as a dictionary or as views."""
    within = type.value_type if types.is_dictionary(type) else type
    return any(matches(within) for matches in (*TEXTS, *VIEWS))


def is_text(type: pyarrow.DataType) -> bool:
    """Whether values are texts that may stand in the file once and be named many times."""
    return any(matches(type) for matches in TEXTS)


def numbers_of(array: pyarrow.Array) -> Values:
    """Numbers or booleans as float64, NaN where one is missing; in the same memory where possible."""
    if array.type != pyarrow.float64():
        array = array.cast(pyarrow.float64(), safe=False)
    values: Values = array.to_numpy(zero_copy_only=False)
    return values


def texts_of(array: pyarrow.Array, limit: int | None = MOST_ASKED_FOR + 1) -> Texts:
    """An array's different values, as texts. They are not repeated row by row: few bytes may name long texts.

    Of more than `limit`, the first ones alone: as many are refused, and the others count as missing.

    Raises:
        Invalid: they take too many bytes.
        ArrowInvalid: they are no UTF-8.
    """
    if not types.is_dictionary(array.type):
        array = _as_dictionary(array)
    used = array.indices.unique().drop_null()[:limit]
    texts = _as_texts(_unviewed(array.dictionary).take(used)).to_pylist()
    categories = [text for text in dict.fromkeys(texts) if text is not None]
    codes = {text: code for code, text in enumerate(categories)}
    code_of = np.full(len(array.dictionary) + 1, -1, np.int32)
    code_of[used.to_numpy()] = [codes.get(text, -1) for text in texts]
    return Texts(code_of[array.indices.cast(pyarrow.int64()).fill_null(-1).to_numpy()], categories)


def _as_dictionary(array: pyarrow.Array) -> pyarrow.DictionaryArray:
    """Encode as a dictionary. Fractions stay numbers, so that each is written but once."""
    if types.is_floating(array.type):
        array = pyarrow.compute.if_else(pyarrow.compute.is_nan(array), None, array)
    return (array if _is_fraction(array.type) else _as_texts(_unviewed(array))).dictionary_encode()


def _unviewed(array: pyarrow.Array) -> pyarrow.Array:
    """Return views of texts as texts; Arrow knows few functions of views."""
    if not any(matches(array.type) for matches in VIEWS):
        return array
    lengths = np.frombuffer(array.buffers()[1], np.int32)[::4][array.offset : array.offset + len(array)]
    size = int(lengths[array.is_valid().to_numpy(zero_copy_only=False)].sum(dtype=np.int64))
    if size > LARGEST_TEXTS:
        raise invalid("#", f"The texts of a column take {size:,} bytes: write them as a dictionary.", "large_batch")
    return array.cast(pyarrow.string())


def _as_texts(array: pyarrow.Array) -> pyarrow.Array:
    """Convert to texts; NaN, as null, is a missing value."""
    if not _is_fraction(array.type):
        return array.cast(pyarrow.string())
    values = array.to_numpy(zero_copy_only=False)  # each of its own dtype, in which it has the fewest digits
    return pyarrow.array([None if value is None or value != value else category_of(value) for value in values])


def _is_fraction(type: pyarrow.DataType) -> bool:
    return bool(types.is_floating(type) or types.is_decimal(type))
