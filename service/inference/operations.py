"""One inference, from the bytes of a request to those of its answer."""

import time
from dataclasses import dataclass

from service.http import compression
from service.inference import answers, inputs, metadata, requests
from service.inference.activity import Taken
from service.models.trained_network import TrainedNetwork
from service.predictions.operations import outputs


@dataclass(frozen=True)
class InferenceCall:
    """A request as it arrived over HTTP; `name` is the model's name in the path."""

    name: str
    body: bytes
    header_length: str | None
    accept_encoding: str


@dataclass(frozen=True)
class InferenceAnswer:
    """An answer over HTTP, and the time it took."""

    body: bytes
    json_length: int | None
    """Bytes of JSON before any binary tensors and any compression; None without binary tensors."""
    coding: str | None
    rows: int
    taken: Taken


def infer(question: InferenceCall, trained: TrainedNetwork, asked_at: int) -> InferenceAnswer:
    """Answer a request that arrived at `asked_at` nanoseconds.

    Raises:
        Invalid: with the pointer of the fault.
    """
    began = time.perf_counter_ns()
    request = requests.read(
        question.body, question.header_length, trained.network.inputs, metadata.datatype_of(trained)
    )
    wanted = answers.wanted_of(request, trained)
    rows = inputs.matrix(request.inputs, trained)
    read = time.perf_counter_ns()
    computed = outputs(trained, rows, f"{request.inputs[0].pointer}/data")
    inferred = time.perf_counter_ns()
    body, json_length = answers.write(question.name, trained, request.id, wanted, computed)
    coding = compression.coding_for(question.accept_encoding, len(body))
    if coding is not None:
        body = compression.compress(body, coding)
    taken = Taken(began - asked_at, read - began, inferred - read, time.perf_counter_ns() - inferred)
    return InferenceAnswer(body, json_length, coding, len(rows), taken)
