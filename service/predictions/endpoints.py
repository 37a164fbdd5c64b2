"""Predictions over HTTP: the hot path, so it solves, validates and looks up only what a request needs."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError

from service.http.json_bodies import invalid_body
from service.http.media_types import JSON, preferred
from service.http.problems import problems
from service.http.routes import DirectRoute, Made, body_of
from service.models.trained_network import TrainedNetwork
from service.predictions import invocations, operations
from service.predictions.answers import FORMS, Answer
from service.predictions.offload import cost_of, run_here_or_in_a_thread
from service.predictions.openapi import INVOCATION, PREDICTION, PREDICTIONS, READINESS
from service.predictions.operations import Question
from service.predictions.schemas import Invoked, ModelReadiness, NewPrediction, Prediction
from service.resources import resources_of
from service.wire import EpochNumber, VersionNumber

router = APIRouter(prefix="/api/models/{model}", tags=["predictions"], route_class=DirectRoute)


class Which(BaseModel):
    """The choice among a model's parameters."""

    version: VersionNumber | None = None
    epoch: EpochNumber | None = None


async def network_asked(request: Request) -> TrainedNetwork:
    """Return the network that path and query name.

    Raises:
        NotFound: there is no such model, version or kept epoch.
        Invalid: the query has an impossible value.
    """
    which = _which(request) if request.scope["query_string"] else _LATEST
    resources, model = resources_of(request), request.path_params["model"]
    return await resources.networks.find(resources.database, model, which.version, which.epoch)


_LATEST = Which()


def _which(request: Request) -> Which:
    try:
        return Which.model_validate(dict(request.query_params))
    except ValidationError as error:
        errors: list[Any] = [{**each, "loc": ("query", *each["loc"])} for each in error.errors(include_url=False)]
        raise invalid_body(errors, None, prefix=("body",)) from None


async def question_of(request: Request, offers: Sequence[str]) -> Question:
    """Read the question: the body, its media type, and the form of the answer among those on offer."""
    kind = accept = b""
    for name, value in request.scope["headers"]:  # one walk in place of two searches
        if name == b"content-type":
            kind = value
        elif name == b"accept":
            accept = accept + b"," + value if accept else value
    wanted = preferred(accept.decode("latin-1"), offers)
    sent_as = JSON if kind == _JSON else kind.decode("latin-1").partition(";")[0].strip().lower()
    limit = resources_of(request).settings.max_body
    return Question(sent_as, await body_of(request), limit, wanted)


_JSON = JSON.encode()


@router.post(
    "/predictions",
    response_model=Prediction,
    summary="Predict",
    responses={**PREDICTIONS, **problems(404, 406, 409, 413, 415, 422)},
    openapi_extra=PREDICTION,
)
async def predict(request: Request) -> Response:
    """The raw outputs of the network, one row for each row of inputs. Works before any training, too.

    Rows come as JSON (`inputs`, `rows` by name, or a part of a `dataset`), CSV, an Arrow stream or an npy array; the
    answer has the form that `Accept` names. A version that was trained on a dataset knows its columns: rows may come by
    name, in any order, with targets among them, which are ignored; for class targets it also returns labels and
    probabilities, and it lists values outside of the range that it was trained on. In CSV and Arrow a numeric target
    is a column under its name; a class target has its label there, and columns `<target>_output_<class>` and
    `<target>_probability_<class>`; without a signature the columns are `output_0`, `output_1`, ... npy is the raw
    outputs.
    """
    trained = await network_asked(request)
    question = await question_of(request, FORMS)
    size = cost_of(question.size, trained)
    answer = await run_here_or_in_a_thread(size, partial(operations.predict, trained, question))
    if isinstance(answer, NewPrediction):
        resources = resources_of(request)
        predict_part = partial(operations.predict_part, resources.database, resources.storage)
        answer = await run_in_threadpool(predict_part, trained, answer, question.wanted)
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
async def invoke(request: Request) -> Response:
    """Rows in the forms of MLflow's scoring server and of KServe's V1 protocol; the answer is `{"predictions": [...]}`.

    Predictions are as from scikit-learn's `predict`: one label or number a row, for several targets a list a row.
    """
    trained = await network_asked(request)
    question = await question_of(request, (JSON,))
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
