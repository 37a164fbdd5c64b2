"""The rules of predictions: a version's answer to rows, in any form of rows and of answer."""

from service.database.database import Database
from service.errors import invalid
from service.http import json_numbers, media_types
from service.http.json_numbers import Array
from service.jobs.training_data import view_of
from service.learning.rows.one_hot import Rows
from service.models.signature.class_answers import class_answers
from service.models.trained_network import TrainedNetwork
from service.predictions import answers
from service.predictions.answers import Answer
from service.predictions.confidence import confidence_of
from service.predictions.contributions import contributions_of
from service.predictions.levels import NONE_ASKED, Levels, levels_of
from service.predictions.question import Question
from service.predictions.rows.read import described, read
from service.predictions.rows.tables import InputRows
from service.predictions.schemas import NewPrediction
from service.storage.storage import Storage


def predict(
    database: Database, storage: Storage, trained: TrainedNetwork, question: Question
) -> Answer | InputRows | NewPrediction:
    """Answer a question; or, where it needs what is stored, return its rows, or its description, for
    `predict_with_stored`.

    Raises:
        Invalid: rows do not fit, or an output overflows.
        WrongFormat: the media type is not read here.
    """
    rows = read(question, trained)
    if isinstance(rows, NewPrediction) or not _is_quick(database, trained, rows.levels):
        return rows
    computed = outputs(trained, rows.inputs, rows.pointer)
    return _answer(database, storage, trained, rows, question.wanted, computed)


def predict_with_stored(
    database: Database, storage: Storage, trained: TrainedNetwork, asked: InputRows | NewPrediction, wanted: str
) -> Answer:
    """Return the answer for a part of a dataset, or one that tells how sure it is, or why.

    Raises:
        NotFound: there is no such dataset.
        Invalid: it does not fit, the part is empty, an output overflows, or nothing tells how sure it is.
    """
    if isinstance(asked, InputRows):
        rows = asked
    elif asked.dataset:
        with database.reading() as session:
            view = view_of(session, storage, trained, asked.dataset, inputs_alone=True)
        rows = InputRows(view.rows(asked.part), None, levels_of(asked))
    else:
        rows = described(asked, trained)
    computed = outputs(trained, rows.inputs, rows.pointer)
    explains = isinstance(asked, NewPrediction) and asked.explain
    return _answer(database, storage, trained, rows, wanted, computed, explains=explains)


def _is_quick(database: Database, trained: TrainedNetwork, levels: Levels) -> bool:
    """Whether these levels take nothing from the storage, nor more than a row from the database."""
    if levels == NONE_ASKED:
        return True
    asked = {level for level in (levels.interval, levels.sets) if level is not None}
    return levels.way is None and database.on_sqlite and asked <= trained.quantiles.keys()


def _answer(
    database: Database,
    storage: Storage,
    trained: TrainedNetwork,
    rows: InputRows,
    wanted: str,
    computed: Array,
    *,
    explains: bool = False,
) -> Answer:
    classes = () if wanted == media_types.NPY else class_answers(trained.signature, computed)
    confidence = confidence_of(database, storage, trained, rows.levels, wanted, rows.inputs, computed, classes)
    explained = contributions_of(database, trained, rows.inputs, wanted) if explains else None
    return answers.write(wanted, trained, rows.inputs, computed, classes, confidence, explained)


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
