"""Predictions over HTTP: the hot path, so it solves, validates and looks up only what a request needs."""

from collections.abc import Collection, Sequence
from functools import partial

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from service.datasets.formats.media_types import read_as
from service.http.key_scopes import READ, needs
from service.http.media_types import JSON, preferred
from service.http.problems import problems
from service.http.routes import DirectRoute, Made, body_of
from service.models.trained_network import TrainedNetwork
from service.predictions import invocations, operations
from service.predictions.answers import FORMS, Answer
from service.predictions.offload import cost_of, run_here_or_in_a_thread
from service.predictions.openapi import INVOCATION, PREDICTION, PREDICTIONS, READINESS
from service.predictions.query import NOTHING, WORDS, Asked, read_query
from service.predictions.question import Question
from service.predictions.rows.named_rows import ignoring
from service.predictions.schemas import Invoked, ModelReadiness, Prediction
from service.resources import resources_of

router = APIRouter(prefix="/api/models/{model}", tags=["predictions"], route_class=DirectRoute)


def asked(request: Request, words: Collection[str] = WORDS) -> Asked:
    """Return the options in a request's query, which most requests lack."""
    return read_query(request.query_params, words) if request.scope["query_string"] else NOTHING


async def network_asked(request: Request, query: Asked | None = None) -> TrainedNetwork:
    """Return the network that path and query name; columns that the query ignores are left out as in its training.
    Without `query`, version and epoch are taken from the request.

    Raises:
        NotFound: there is no such model, version or kept epoch.
        Invalid: a column is to be left out that the network takes.
    """
    query = query or asked(request, ())
    resources, model = resources_of(request), request.path_params["model"]
    trained = await resources.networks.find(resources.database, model, query.which.version, query.which.epoch)
    return ignoring(trained, query.file.ignore) if query.file.ignore else trained


async def question_of(request: Request, query: Asked, offers: Sequence[str]) -> Question:
    """Read the question: the body, its media type, and the form of the answer among those on offer."""
    kind = accept = b""
    for name, value in request.scope["headers"]:  # one walk in place of two searches
        if name == b"content-type":
            kind = value
        elif name == b"accept":
            accept = accept + b"," + value if accept else value
    wanted = preferred(accept.decode("latin-1"), offers)
    content_type = kind.decode("latin-1")
    sent_as = JSON if kind == _JSON else read_as(content_type)
    limit = resources_of(request).settings.max_body
    return Question(sent_as, await body_of(request), limit, wanted, query, content_type)


_JSON = JSON.encode()


@router.post(
    "/predictions",
    response_model=Prediction,
    summary="Predict",
    responses={**PREDICTIONS, **problems(404, 406, 409, 413, 415, 422)},
    openapi_extra=PREDICTION,
)
@needs(READ)
async def predict(request: Request) -> Response:
    """The raw outputs of the network, one row for each row of inputs. Works before any training, too.

    Rows come as JSON (`inputs`, `rows` by name, or a part of a `dataset`), CSV, values between tabs, Parquet, an Arrow
    stream or file, or an npy array; the answer has the form that `Accept` names. A version that was trained on a
    dataset knows its columns: rows may come by name, in any order; null and NaN are missing values. Columns that
    training left out are skipped, whatever they hold: targets, weights, the part's, ignored ones, and those that
    `?ignore=` names. The other words of uploads, such as `delimiter` and `decimal`, are for CSV. For class targets the
    answer also has labels and probabilities, and it lists values outside of the range that it was trained on. In CSV
    and Arrow a numeric target is a column under its name; a class target has its label there, and columns
    `<target>_output_<class>` and `<target>_probability_<class>`; without a signature the columns are `output_0`,
    `output_1`, ... npy is the raw outputs.

    `interval` and `sets` of a JSON body ask how sure an answer is: in CSV and Arrow that are columns
    `<target>_lower`, `<target>_upper` and `<target>_set`.
    """
    query = asked(request)
    trained = await network_asked(request, query)
    question = await question_of(request, query, FORMS)
    size = cost_of(question.size, trained)
    resources = resources_of(request)
    stores = resources.database, resources.storage
    answer = await run_here_or_in_a_thread(size, partial(operations.predict, *stores, trained, question))
    if not isinstance(answer, Answer):
        with_stored = operations.predict_with_stored
        answer = await run_in_threadpool(with_stored, *stores, trained, answer, question.wanted)
    return Made(answer.content, answer.media_type, () if question.wanted == JSON else _names(answer))


def _names(answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
    """Headers with the names that only a JSON answer has room for."""
    return (b"descent-model", answer.model.encode()), (b"descent-version", str(answer.version).encode())


@router.post(
    "/invocations",
    response_model=Invoked,
    summary="Predict as MLflow does",
    responses=problems(404, 413, 415, 422),
    openapi_extra=INVOCATION,
)
@needs(READ)
async def invoke(request: Request) -> Response:
    """Rows in the forms of MLflow's scoring server and of KServe's V1 protocol; the answer is `{"predictions": [...]}`.

    Predictions are as from scikit-learn's `predict`: one label or number a row, for several targets a list a row.
    """
    query = asked(request)
    trained = await network_asked(request, query)
    question = await question_of(request, query, (JSON,))
    size = cost_of(question.size, trained)
    return Made(await run_here_or_in_a_thread(size, partial(invocations.invoke, trained, question)), JSON)


kserve = APIRouter(prefix="/v1/models", tags=["predictions"], route_class=DirectRoute)
kserve.add_api_route(
    "/{model}:predict",
    invoke,
    methods=["POST"],
    response_model=Invoked,
    name="predict_as_kserve",
    summary="Predict as KServe's V1 protocol does",
    responses=problems(404, 413, 415, 422),
    openapi_extra=INVOCATION,
)


@needs(READ)
async def show_readiness(request: Request) -> Response:
    """Every existing model is ready, trained or not."""
    await network_asked(request)
    return Made(orjson.dumps({"name": request.path_params["model"], "ready": True}), JSON)


kserve.add_api_route(
    "/{model}",
    show_readiness,
    response_model=ModelReadiness,
    name="show_as_kserve",
    summary="Is the model ready? As KServe's V1 protocol asks",
    responses=problems(404, 422),
    openapi_extra=READINESS,
)
