"""The Open Inference Protocol, version 2, over REST: the protocol of stock inference clients."""

import time
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from service.errors import DescentError, invalid
from service.http.key_scopes import READ, needs
from service.http.problems import problems
from service.http.routes import DirectRoute, body_of
from service.inference import schemas
from service.inference.operations import InferenceCall, infer
from service.inference.requests import HEADER_LENGTH, digits
from service.models.trained_network import TrainedNetwork
from service.predictions.endpoints import network_asked
from service.predictions.offload import TEXT, cost_of, run_here_or_in_a_thread
from service.resources import resources_of

router = APIRouter(prefix="/v2/models/{model}", tags=["inference protocol"], route_class=DirectRoute)

BINARY = "application/octet-stream"
_BINARY_BODY: dict[str, Any] = {
    "schema": {"type": "string", "format": "binary", "description": "the JSON, and behind it the binary tensors"}
}
_HEADER: dict[str, Any] = {
    "description": "bytes of the body that are JSON, before any compression; needed where there are binary tensors",
    "schema": {"type": "integer", "minimum": 0},
}
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_MODEL: dict[str, Any] = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "an id or a name",
}
_VERSION: dict[str, Any] = {"name": "version", "in": "path", "required": True, "schema": _NUMBER}
_WHICH: list[dict[str, Any]] = [
    {"name": "version", "in": "query", "schema": _NUMBER, "description": "the served one where it is left out"},
    {
        "name": "epoch",
        "in": "query",
        "schema": _NUMBER | {"minimum": 1, "maximum": 10_000_000},
        "description": "the parameters that were kept after it",
    },
]


def _described(*parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI description of an inference: the route reads all of it itself."""
    schema = schemas.InferenceRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    answered = {
        "description": "The tensors that are wanted",
        "content": {BINARY: _BINARY_BODY},
        "headers": {HEADER_LENGTH: _HEADER},
    }
    return {
        "name": "infer",
        "response_model": schemas.InferenceResponse,
        "responses": {200: answered, **problems(400, 404, 413, 415)},
        "openapi_extra": {
            "parameters": [_MODEL, *parameters, {"name": HEADER_LENGTH, "in": "header", **_HEADER}],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema}, BINARY: _BINARY_BODY},
            },
        },
    }


@router.post("/infer", summary="Infer", **_described(*_WHICH))
@router.post("/versions/{version}/infer", summary="Infer with a version", **_described(_VERSION))
@needs(READ)
async def infer_with(request: Request) -> Response:
    """Compute rows that come as tensors, and answer tensors: as JSON, or as bytes behind the JSON.

    Numbers of every datatype are taken where the model's own can hold them. Bodies and answers may be compressed.
    """
    headers = request.headers
    trained = await _network(request)
    question = InferenceCall(
        request.path_params["model"],
        await body_of(request),
        headers.get(HEADER_LENGTH),
        headers.get("accept-encoding", ""),
    )
    statistics = resources_of(request).statistics
    asked_at = time.perf_counter_ns()
    try:
        weight = TEXT if question.header_length is None else 1
        size = cost_of(len(question.body) * weight, trained)
        answer = await run_here_or_in_a_thread(size, partial(infer, question, trained, asked_at))
    except DescentError:
        statistics.failed(trained.model, trained.version, time.perf_counter_ns() - asked_at)
        raise
    statistics.succeeded(trained.model, trained.version, answer.rows, answer.taken)
    response = Response(answer.body, media_type="application/json" if answer.json_length is None else BINARY)
    if answer.json_length is not None:
        response.headers[HEADER_LENGTH] = str(answer.json_length)
    if answer.coding is not None:
        response.headers["Content-Encoding"] = answer.coding
        response.headers["Vary"] = "Accept-Encoding"
    return response


async def _network(request: Request) -> TrainedNetwork:
    version = request.path_params.get("version")
    if version is None:
        return await network_asked(request)
    try:
        number = int(digits(version))
    except ValueError as error:
        raise invalid("path/version", f"path/version: {error}.") from None
    resources = resources_of(request)
    return await resources.networks.find(resources.database, request.path_params["model"], number)
