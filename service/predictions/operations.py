"""The rules of predictions: a version's answer to rows, in any form of rows and of answer."""

import sys
from typing import NamedTuple

from service.database.database import Database
from service.errors import invalid
from service.http import json_numbers, media_types
from service.http.json_numbers import Array
from service.jobs.training_data import view_of
from service.learning.rows.one_hot import Rows
from service.models.trained_network import TrainedNetwork
from service.predictions import answers
from service.predictions.answers import Answer
from service.predictions.offload import SMALL, TEXT
from service.predictions.rows.read import read
from service.predictions.schemas import NewPrediction
from service.storage.storage import Storage

_BINARY = (media_types.NPY, media_types.ARROW)


class Question(NamedTuple):
    """Rows as the client sent them, and the media type of the answer."""

    media_type: str
    body: bytes
    limit: int
    """Bytes that a body may have, also where it is packed."""
    wanted: str

    @property
    def size(self) -> int:
        """The work that it asks for, in bytes; much, where pyarrow has to be loaded first."""
        forms = {self.media_type, self.wanted}
        if media_types.CSV in forms or (media_types.ARROW in forms and "pyarrow" not in sys.modules):
            return SMALL
        return len(self.body) * (1 if self.media_type in _BINARY else TEXT)


def predict(trained: TrainedNetwork, question: Question) -> Answer | NewPrediction:
    """Answer a question; or, where it names stored rows, return its description of them for `predict_part`.

    Raises:
        Invalid: rows do not fit, or an output overflows.
        WrongFormat: the media type is not read here.
    """
    rows = read(question.media_type, question.body, question.limit, trained)
    if isinstance(rows, NewPrediction):
        return rows
    return answers.write(question.wanted, trained, rows.inputs, outputs(trained, rows.inputs, rows.pointer))


def predict_part(
    database: Database, storage: Storage, trained: TrainedNetwork, new: NewPrediction, wanted: str
) -> Answer:
    """Return the answer for a part of a dataset.

    Raises:
        NotFound: there is no such dataset.
        Invalid: it does not fit, the part is empty, or an output overflows.
    """
    with database.reading() as session:
        view = view_of(session, storage, trained, new.dataset, inputs_alone=True)
    inputs = view.rows(new.part)
    return answers.write(wanted, trained, inputs, outputs(trained, inputs))


def outputs(trained: TrainedNetwork, inputs: Rows, pointer: str | None = None) -> Array:
    """Return the raw outputs (rows × outputs), all of them finite; `pointer` leads to the list of the rows in the body.

    Raises:
        Invalid: the outputs of a row overflow.
    """
    computed = trained.predict(inputs)
    row = json_numbers.first_overflow(computed)
    if row is not None:
        where = "#/part" if pointer is None else f"{pointer}/{row}"
        raise invalid(where, f"The output of row {row} is too large for {trained.network.dtype}.", "overflow")
    return computed
