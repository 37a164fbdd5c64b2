"""Predictions over HTTP beside other servers of the same network, all in one run; writes results/serving.md.

    make bench-serving

Asks for wrk; the command installs MLServer into .venv-mlserver.
"""

import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import pyarrow

from benchmarks import machine, results
from benchmarks.load import Load, Request, load
from benchmarks.servers import fastapi, mlserver
from service.http.media_types import ARROW, NPY
from tests.support.serving import running_service, wait_for

ROWS = (1, 100, 10_000)
COLUMNS = 32
ROUNDS = 5
OURS, THEIRS = "Descent", "MLServer"
READ, ORJSON, PYDANTIC = "read only", "FastAPI over orjson", "pydantic lists"
AIMS = {1: 3.5, 100: 3.0, 10_000: 4.0}
Weights = Mapping[str, Any]


def create(http: httpx.Client, weights: Weights) -> str:
    """Create the network in the service; return the address of its predictions."""
    layers = [
        {"weight": weights[weight].T.tolist(), "bias": weights[bias].tolist()}
        for weight, bias in (("first", "bias"), ("second", "last"))
    ]
    text = f"Chain(Dense({COLUMNS} => 64, relu), Dense(64 => 1))"
    answer = http.post("/api/models", json={"architecture": text, "parameters": layers, "name": "network"})
    answer.raise_for_status()
    return f"{http.base_url}".rstrip("/") + "/api/models/network/predictions"


def numbers(rows: int) -> np.ndarray[Any, Any]:
    """Rows of float64; as JSON they have all their digits, as most clients write them."""
    return np.random.default_rng(rows).standard_normal((rows, COLUMNS))


def plain_json(rows: int) -> bytes:
    return json.dumps({"inputs": numbers(rows).tolist()}).encode()


def inference_json(rows: int) -> bytes:
    data = numbers(rows).ravel().tolist()
    tensor = {"name": "predict", "shape": [rows, COLUMNS], "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


def npy(rows: int) -> bytes:
    file = io.BytesIO()
    np.save(file, numbers(rows).astype(np.float32))
    return file.getvalue()


def arrow(rows: int) -> bytes:
    array, sink = numbers(rows).astype(np.float32), pyarrow.BufferOutputStream()
    table = pyarrow.table({f"x{index}": array[:, index] for index in range(COLUMNS)})
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def inference_binary(url: str, rows: int) -> Request:
    body = numbers(rows).astype(np.float32).tobytes()
    tensor = {
        "name": "inputs",
        "shape": [rows, COLUMNS],
        "datatype": "FP32",
        "parameters": {"binary_data_size": len(body)},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return Request(url, head + body, "application/octet-stream", headers)


def in_turns(requests: Mapping[str, Request]) -> dict[str, list[Load]]:
    """Send every request equally often, one after the other, so that all see the same load."""
    taken: dict[str, list[Load]] = {name: [] for name in requests}
    for request in requests.values():
        load(request, seconds=1)
    for _ in range(ROUNDS):
        for name, request in requests.items():
            taken[name].append(load(request))
    return taken


def ratio(taken: Mapping[str, list[Load]], ours: str, theirs: str) -> float:
    """The rate of `ours` as a multiple of the rate of `theirs`: the median over rounds."""
    return median(mine.rate / other.rate for mine, other in zip(taken[ours], taken[theirs], strict=True))


def rate(loads: list[Load]) -> float:
    return median(each.rate for each in loads)


def same(requests: Mapping[str, Request]) -> None:
    """Raise where Descent and MLServer differ about the same rows."""

    def told(name: str) -> Any:
        request = requests[name]
        answer = httpx.post(request.url, content=request.body, headers={"Content-Type": request.media_type})
        return answer.raise_for_status().json()["outputs"]

    np.testing.assert_allclose(np.ravel(told(OURS)), told(THEIRS)[0]["data"], rtol=1e-4, atol=1e-4)


def by_rows(predictions: str, theirs: str, peers: str) -> Iterator[str]:
    yield f"| rows | {OURS} | {THEIRS} | {READ} | {ORJSON} | {PYDANTIC} | {OURS} / {THEIRS} | {READ} / {OURS} |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for rows in ROWS:
        body = plain_json(rows)
        requests = {
            OURS: Request(predictions, body),
            THEIRS: Request(theirs, inference_json(rows)),
            READ: Request(f"{peers}/read", body),
            ORJSON: Request(f"{peers}/orjson", body),
            PYDANTIC: Request(f"{peers}/pydantic", body),
        }
        same(requests)
        taken = in_turns(requests)
        rates = " | ".join(f"{rate(loads):,.0f}" for loads in taken.values())
        limit = " (aim: at most 1.5)" if rows == 1 else ""
        times, reading = ratio(taken, OURS, THEIRS), ratio(taken, READ, OURS)
        yield f"| {rows:,} | {rates} | {times:.2f} (aim: {AIMS[rows]}) | {reading:.2f}{limit} |"


def by_form(predictions: str) -> Iterator[str]:
    rows = ROWS[-1]
    infer = predictions.replace("/api/models/network/predictions", "/v2/models/network/infer")
    requests = {
        "JSON": Request(predictions, plain_json(rows)),
        "npy, npy back": Request(predictions, npy(rows), NPY, {"Accept": NPY}),
        "Arrow, Arrow back": Request(predictions, arrow(rows), ARROW, {"Accept": ARROW}),
        "inference protocol, binary": inference_binary(infer, rows),
    }
    taken = in_turns(requests)
    yield "| form of 10,000 rows | requests a second | of JSON (aim: 10) |"
    yield "| --- | --- | --- |"
    for form, loads in taken.items():
        yield f"| {form} | {rate(loads):,.0f} | {ratio(taken, form, 'JSON'):.1f} |"


def under_training(folder: Path, weights: Weights) -> Iterator[str]:
    """The latency of one row while nothing is trained, and while two workers train."""
    with running_service(folder, "--workers", "2") as service, service.client() as client:
        request = Request(create(client.http, weights), plain_json(1))
        wait_for(lambda: client.http.get("/health/ready").is_success)
        load(request, 1, 1)
        idle = median(load(request, 1).median for _ in range(ROUNDS))
        data = numbers(10_000)
        columns = {f"x{index}": data[:, index].tolist() for index in range(COLUMNS)}
        dataset = client.create_dataset(columns, ["x0"])
        model = client.create_model("Chain(Dense(31 => 64, relu), Dense(64 => 1))")
        recipe: dict[str, Any] = {"epochs": 1_000_000, "batch_size": 64, "optimiser": {"rule": "Adam", "eta": 1e-6}}
        jobs = [client.train(model.id, dataset.id, **recipe).id for _ in range(2)]
        wait_for(lambda: all(client.job(job).epochs_done > 0 for job in jobs))
        busy = median(load(request, 1).median for _ in range(ROUNDS))
        assert all(client.job(job).state == "running" for job in jobs)
        for job in jobs:
            client.cancel(job)
    yield f"Median of one row, one connection: {idle * 1e6:,.0f} µs; with both workers training {busy * 1e6:,.0f} µs,"
    yield f"{busy / idle:.2f} times as long (aim: 2)."


def measure() -> Iterator[str]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        theirs = stack.enter_context(mlserver(folder))
        weights = dict(np.load(folder / "weights.npz"))
        peers = stack.enter_context(fastapi(folder / "weights.npz"))
        service = stack.enter_context(running_service(folder / "data", "--workers", "1"))
        predictions = create(stack.enter_context(httpx.Client(base_url=service.url)), weights)
        yield "Requests a second, wrk with 4 connections, each server one process; medians over the rounds.\n"
        yield from by_rows(predictions, theirs, peers)
        yield ""
        yield from by_form(predictions)
    yield ""
    with tempfile.TemporaryDirectory() as name:
        yield from under_training(Path(name) / "data", weights)


def main() -> None:
    lines = ["# Serving", ""]
    for line in measure():
        print(line, flush=True)
        lines.append(line)
    lines += ["", f"* processor: {machine.processor()}", f"* cores: {os.cpu_count()}", f"* rounds: {ROUNDS}"]
    lines += [f"* measured: {datetime.now(UTC):%Y-%m-%d}, by `make bench-serving`", ""]
    (results.RESULTS / "serving.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
