"""The rules of predictions: a version's answer to rows, in any form of rows and of answer."""

from service.database.database import Database
from service.errors import invalid
from service.http import json_numbers
from service.http.json_numbers import Array
from service.jobs.training_data import view_of
from service.learning.rows.one_hot import Rows
from service.models.trained_network import TrainedNetwork
from service.predictions import answers
from service.predictions.answers import Answer
from service.predictions.confidence import confidence_of
from service.predictions.contributions import contributions_of
from service.predictions.question import Question
from service.predictions.rows.read import described, read
from service.predictions.schemas import NewPrediction
from service.storage.storage import Storage


def predict(trained: TrainedNetwork, question: Question) -> Answer | NewPrediction:
    """Answer a question; or, where it needs what is stored, return its description for `predict_with_stored`.

    Raises:
        Invalid: rows do not fit, or an output overflows.
        WrongFormat: the media type is not read here.
    """
    rows = read(question, trained)
    if isinstance(rows, NewPrediction):
        return rows
    return answers.write(question.wanted, trained, rows.inputs, outputs(trained, rows.inputs, rows.pointer))


def predict_with_stored(
    database: Database, storage: Storage, trained: TrainedNetwork, new: NewPrediction, wanted: str
) -> Answer:
    """Return the answer for a part of a dataset, or one that tells how sure it is.

    Raises:
        NotFound: there is no such dataset.
        Invalid: it does not fit, the part is empty, an output overflows, or nothing tells how sure it is.
    """
    if new.dataset:
        with database.reading() as session:
            view = view_of(session, storage, trained, new.dataset, inputs_alone=True)
        inputs, pointer = view.rows(new.part), None
    else:
        inputs, pointer = described(new, trained)
    computed = outputs(trained, inputs, pointer)
    confidence = confidence_of(database, storage, trained, new, wanted, inputs, computed)
    explained = contributions_of(database, trained, inputs, wanted) if new.explain else None
    return answers.write(wanted, trained, inputs, computed, confidence, explained)


def is_quick(database: Database, trained: TrainedNetwork, new: NewPrediction) -> bool:
    """Whether nothing is to be read from the storage, nor more than a row from the database."""
    levels = {level for level in (new.interval, new.sets) if level}
    return (
        not new.dataset
        and not new.explain
        and new.way is None
        and database.on_sqlite
        and levels <= trained.quantiles.keys()
    )


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
