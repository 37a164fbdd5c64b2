"""The reading of a body into a network's rows, for each media type of rows."""

import io

import numpy as np
from pydantic import TypeAdapter

from service.datasets.formats.media_types import MediaType
from service.errors import invalid, unread
from service.http import json_numbers, media_types
from service.http.json_bodies import read_json, validated
from service.http.json_numbers import Array
from service.models.trained_network import TrainedNetwork
from service.predictions.levels import Levels, levels_of
from service.predictions.question import Question
from service.predictions.rows import json_rows, named_rows, tables
from service.predictions.rows.tables import InputRows
from service.predictions.schemas import NewPrediction

FORMS = (
    media_types.JSON,
    media_types.CSV,
    media_types.TSV,
    media_types.ARROW,
    MediaType.ARROW_FILE,
    MediaType.PARQUET,
    media_types.NPY,
)
"""Media types accepted for rows."""
_NEW_PREDICTION: TypeAdapter[NewPrediction] = TypeAdapter(NewPrediction)


def read(question: Question, trained: TrainedNetwork) -> InputRows | NewPrediction:
    """Read the rows of a body, or its description of stored rows, or of contributions to the outputs of rows.

    Raises:
        Invalid: it is not of its form, or lacks an input of the network.
        WrongFormat: this form is not read.
    """
    match question.media_type:
        case media_types.JSON:
            question.query.refuse_words("JSON")
            return _json(question.body, trained)
        case media_types.NPY:
            question.query.refuse_words("npy")
            return _npy(question.body, trained)
        case media_types.CSV:
            return tables.from_csv(question, trained)
        case media_types.ARROW | MediaType.ARROW_FILE | MediaType.PARQUET:
            return tables.from_arrow(question, trained)
        case other:
            raise unread("Rows are", FORMS, other)


def _json(body: bytes, trained: TrainedNetwork) -> InputRows | NewPrediction:
    network = trained.network
    plain = json_rows.read(body, "inputs", network.inputs, network.dtype, ("interval", "sets"))
    if plain is not None:
        levels = Levels(plain.levels.get("interval"), plain.levels.get("sets"))
        return InputRows(plain.inputs, "#/inputs", levels)
    new = validated(_NEW_PREDICTION, read_json(body))
    return new if new.dataset or new.explain else described(new, trained)


def described(new: NewPrediction, trained: TrainedNetwork) -> InputRows:
    """Return the rows that a description holds itself.

    Raises:
        Invalid: they do not fit the network.
    """
    network = trained.network
    if "rows" not in new.model_fields_set:
        numbers = json_numbers.matrix(new.inputs, network.inputs, network.dtype, "#/inputs")
        return InputRows(numbers, "#/inputs", levels_of(new))
    if trained.signature is None:
        detail = "This version was not trained on a dataset and knows no names: give rows of numbers as 'inputs'."
        raise invalid("#/rows", detail, "no_signature")
    named = named_rows.from_objects(trained.signature, new.rows, network.dtype, "#/rows")
    return InputRows(named, "#/rows", levels_of(new))


def _npy(body: bytes, trained: TrainedNetwork) -> InputRows:
    """Return the array of an npy file, as a view into the body."""
    network = trained.network
    array = _array(body)
    if array.ndim != 2 or array.shape[1] != network.inputs or not len(array):
        detail = f"The array's shape is {array.shape}, but (rows, {network.inputs}) is expected, and at least one row."
        raise invalid("#", detail, "wrong_shape")
    with np.errstate(over="ignore"):
        inputs = array.astype(network.dtype, copy=False)
    if not np.isfinite(inputs).all():
        row, column = np.argwhere(~np.isfinite(inputs))[0]
        what = f"too large for {network.dtype}" if np.isfinite(array[row, column]) else "not a finite number"
        raise invalid(f"#/{row}/{column}", f"The number in row {row}, column {column} is {what}.")
    return InputRows(inputs, "#")


def _array(body: bytes) -> Array:
    file = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(file)
        shape, is_fortran, dtype = _HEADERS[version](file)
        if dtype.kind not in "fiu":
            raise ValueError(f"it holds {dtype}, and numbers are expected")
        array = np.frombuffer(body, dtype, offset=file.tell())
        return array.reshape(shape, order="F" if is_fortran else "C")
    except (ValueError, KeyError, EOFError) as error:
        raise invalid("#", f"The body is no npy array that can be read: {error}.", "malformed") from None


_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
