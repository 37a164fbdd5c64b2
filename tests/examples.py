"""Examples of answers for the OpenAPI document, by `make examples`: a service answers every operation once."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from service.http.document.answers import EXAMPLES
from tests.support.document import document
from tests.support.keys import mint
from tests.support.serving import running_service
from tests.support.training import ENDED

JSON = "application/json"
TIME = "2026-01-01T00:00:00Z"
MOST_ITEMS = 2
"""Objects of a list that an example shows."""
LINE = {
    "name": "line",
    "columns": {"x": list(range(11)), "y": [4 * x + 2 for x in range(11)]},
    "targets": ["y"],
    "split": {"test": {"last": 5}},
}
STRAIGHT = {"name": "straight", "architecture": "Dense(1 => 1)"}
JOB = {"model": "straight", "dataset": "line", "epochs": 201}
ROWS = {"instances": [[6], [7]]}
TENSOR = {"inputs": [{"name": "inputs", "shape": [2, 1], "datatype": "FP32", "data": [6, 7]}]}
BODIES: dict[str, Any] = {
    "create_dataset": LINE,
    "create_model": STRAIGHT,
    "create_job": JOB,
    "change_dataset": {"labels": {"team": "blue"}},
    "predict": {"inputs": [[6], [7]]},
    "invoke": ROWS,
    "predict_as_kserve": ROWS,
    "evaluate": {"dataset": "line"},
    "set_parameters": {"layers": [{"weight": [[4]], "bias": [2]}]},
    "v2_infer": TENSOR,
    "v2_infer_of_version": TENSOR,
    "v2_load": {},
}
Asked = Callable[[httpx.Client, str, Any], httpx.Response]
FIRST = (
    "create_dataset",
    "create_model",
    "create_job",
    "create_sweep",
    "show_sweep",
    "predict",
    "evaluate",
    "v2_infer",
)
"""Operations that make what others show."""
MADE = {
    "create_job": "job",
    "evaluate": "evaluation",
    "create_sweep": "sweep",
    "create_cross_validation": "cross_validation",
}
"""The name that paths have for what an operation makes."""


def recorded() -> dict[str, dict[str, Any]]:
    """Return an answer of every operation that answers JSON, by operationId and status."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _with_key(Path(folder)) as http,
    ):
        found = dict(_answers(http))
    return {name: found[name] for name in sorted(found)}


@contextmanager
def _with_key(folder: Path) -> Iterator[httpx.Client]:
    """A client of a service that has keys, with one that may do all."""
    key = {"Authorization": f"Bearer {mint(folder, 'first', scope='admin', owner='default')}"}
    with running_service(folder) as service, httpx.Client(base_url=service.url, timeout=90, headers=key) as http:
        yield http


def _answers(http: httpx.Client) -> Iterator[tuple[str, dict[str, Any]]]:
    operations = {
        operation["operationId"]: (method, path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method != "delete"
    }
    known = {"model": "straight", "dataset": "line", "version": "0"}
    for name in sorted(operations, key=lambda each: _turn(each, operations[each][0])):
        method, path, operation = operations[name]
        answers = {}
        for status in (status for status, answer in operation["responses"].items() if _is_json(status, answer)):
            ask = SPECIAL.get((name, status))
            url = path.format(**known)
            body = BODIES.get(name, _example(operation))
            answer = ask(http, url, body) if ask else http.request(method, url, json=body)
            if answer.status_code != int(status):
                raise SystemExit(f"{name} answers {answer.status_code}, and not {status}: {answer.text}")
            answers[status] = _short(answer.json())
            if name in MADE and "id" in answer.json():
                known[MADE[name]] = answer.json()["id"]
        if answers:
            yield name, answers


def _example(operation: dict[str, Any]) -> Any:
    """Return the first example of a JSON body, where the operation takes one."""
    schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    shape = document()["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return next(iter(shape.get("examples", ())), None)


def _turn(name: str, method: str) -> int:
    """Return the place of an operation: those that make what others show come first, those that change it last."""
    return FIRST.index(name) if name in FIRST else len(FIRST) + (method == "patch")


def _is_json(status: str, answer: dict[str, Any]) -> bool:
    return status.startswith("2") and JSON in answer.get("content", {})


def _ended(http: httpx.Client, url: str, body: Any) -> httpx.Response:
    return http.post(url, json=body, headers={"Prefer": "wait=60"})


def _previewed(http: httpx.Client, url: str, body: Any) -> httpx.Response:
    return http.post(f"{url}?validate_only=true", json=body)


def _signed_in(http: httpx.Client, url: str, _: Any) -> httpx.Response:
    answer = http.post(url, json={"key": http.headers["Authorization"].removeprefix("Bearer ")})
    http.cookies.clear()
    return answer


def _broken(http: httpx.Client, _: str, __: Any) -> httpx.Response:
    """Show the parameters of a job that has failed."""
    job = _ended(http, "/api/jobs", JOB | {"optimiser": {"rule": "Descent", "eta": 1.0}}).json()
    return http.get(f"/api/jobs/{job['id']}/parameters")


def _long(http: httpx.Client) -> str:
    """Begin a job that does not end by itself; return its path."""
    job = http.post("/api/jobs", json=JOB | {"epochs": 10_000_000, "batch_size": 1}).json()
    return f"/api/jobs/{job['id']}"


def _cancelled(http: httpx.Client, _: str, __: Any) -> httpx.Response:
    return http.post(f"{_long(http)}/cancel")


def _paused(http: httpx.Client, _: str, __: Any) -> httpx.Response:
    job = _long(http)
    http.post(f"{job}/pause")
    answer = http.get(job, headers={"Prefer": "wait=60"})
    http.post(f"{job}/cancel")
    return answer


def _resumed(http: httpx.Client, _: str, __: Any) -> httpx.Response:
    job = _long(http)
    http.post(f"{job}/pause")
    http.get(job, headers={"Prefer": "wait=60"})
    answer = http.post(f"{job}/resume")
    http.post(f"{job}/cancel")
    return answer


def _stopped(http: httpx.Client, _: str, __: Any) -> httpx.Response:
    job = _long(http)
    while not http.get(job).json()["epochs_done"]:
        pass
    http.post(f"{job}/stop")
    return http.get(job, headers={"Prefer": "wait=60"})


def _changed(http: httpx.Client, _: str, body: Any) -> httpx.Response:
    job = _long(http)
    answer = http.patch(job, json=body)
    http.post(f"{job}/cancel")
    return answer


def _waited(http: httpx.Client, url: str, _: Any) -> httpx.Response:
    return http.get(url, headers={"Prefer": "wait=60"})


def _out_of_fold(http: httpx.Client, url: str, body: Any) -> httpx.Response:
    _waited(http, url.removesuffix("/predictions"), body)
    return http.get(url)


def _effect(http: httpx.Client, url: str, _: Any) -> httpx.Response:
    return http.get(url, params={"dataset": "line", "feature": "x"})


def _long_sweep(verb: str) -> Asked:
    """Return a request that asks something of a sweep that does not end by itself."""

    def ask(http: httpx.Client, _: str, __: Any) -> httpx.Response:
        recipe = {"epochs": 10_000_000, "batch_size": 1}
        new = {"model": "straight", "dataset": "line", "recipe": recipe, "vary": {"seed": [0, 1]}, "method": "grid"}
        made = http.post("/api/sweeps", json=new | {"monitor": "train_loss"}).headers["Location"]
        if verb == "resume":
            http.post(f"{made}/pause")
        answer = http.post(f"{made}/{verb}")
        http.post(f"{made}/stop")
        http.get(made, headers={"Prefer": "wait=60"})
        return answer

    return ask


def _verifying(http: httpx.Client, url: str, _: Any) -> httpx.Response:
    answer = http.post(url, headers={"Prefer": "wait=0"})
    while http.get(f"/api/jobs/{answer.json()['id']}", headers={"Prefer": "wait=5"}).json()["state"] not in ENDED:
        pass
    return answer


def _verified(http: httpx.Client, url: str, _: Any) -> httpx.Response:
    return http.post(url, headers={"Prefer": "wait=60"})


SPECIAL: dict[tuple[str, str], Asked] = {
    ("create_dataset", "200"): _previewed,
    ("create_job", "200"): _ended,
    ("sign_in", "200"): _signed_in,
    ("show_last_parameters", "200"): _broken,
    ("cancel_job", "200"): _cancelled,
    ("pause_job", "200"): _paused,
    ("resume_job", "200"): _resumed,
    ("stop_job", "200"): _stopped,
    ("change_job", "200"): _changed,
    ("create_cross_validation", "200"): _ended,
    ("show_cross_validation", "200"): _waited,
    ("show_out_of_fold_predictions", "200"): _out_of_fold,
    ("show_effect", "200"): _effect,
    ("create_sweep", "200"): _previewed,
    ("show_sweep", "200"): _waited,
    ("stop_sweep", "200"): _long_sweep("stop"),
    ("pause_sweep", "200"): _long_sweep("pause"),
    ("resume_sweep", "200"): _long_sweep("resume"),
    ("verify_job", "202"): _verifying,
    ("verify_job", "200"): _verified,
}
"""Answers that a plain request does not bring."""


def _short(value: Any) -> Any:
    """Return a JSON value with short lists of objects."""
    if isinstance(value, dict):
        return {name: _short(child) for name, child in value.items()}
    if isinstance(value, list):
        few = value[:MOST_ITEMS] if value and isinstance(value[0], dict) else value
        return [_short(child) for child in few]
    return value


def _steady(text: str) -> str:
    """Return JSON with one time for all, and ids that are the same whenever it is made."""
    text = re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', f'"{TIME}"', text)
    text = re.sub(r'"dsc_[0-9a-z]+"', '"dsc_..."', text)
    ids: dict[str, str] = {}
    for id in re.findall(r"\b(?:ds|mdl|job|ev|key|swp|cv)_[0-9a-z]{20,}\b", text):
        prefix, _, rest = id.partition("_")
        ids.setdefault(id, f"{prefix}_{len(ids) + 1:0{len(rest)}d}")
    for id, steady in ids.items():
        text = text.replace(id, steady)
    return text


if __name__ == "__main__":
    EXAMPLES.write_text(_steady(json.dumps(recorded(), indent=1, ensure_ascii=False)) + "\n", encoding="utf-8")
