"""Requests that schemathesis makes up from the OpenAPI document, with all its checks, to a service of its own.

`make fuzz` runs this. Options that are not listed go on to `schemathesis run`, such as `--include-tag=jobs`.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.cli import schemathesis as program

from service.http.key_scopes import KINDS
from tests.fuzz.excuses import excused
from tests.support.keys import mint
from tests.support.serving import running_service
from tests.support.training import line, straight

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
PHASES = "examples,coverage,fuzzing"
FEW_EPOCHS = 20
BESIDE_JSON = ("validate_only", "version", "epoch")
"""Query parameters that do not describe a file."""
CREATE_MODEL = "POST /api/models"
ARCHITECTURE = "Dense(1 => 1)"
"""One that can be read: no pattern tells the notation."""
FORMS_OF_A_MODEL = ("architecture", "layers", "from")
OF_A_COPY = {"name", "labels", "from"}
"""Fields of a model that is a copy: what else there is comes with it."""
KEY = "idempotency-key"
LENGTH = "inference-header-content-length"

known: dict[str, str] = {}
"""Existing ids, by the names of parameters and fields that may hold them."""


def main() -> int:
    """Run schemathesis, and return the status to end with."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Made-up requests, checked against the document.")
    parser.add_argument("--seed", type=int, default=1, help="decides every request; 1 by default")
    parser.add_argument("--scope", choices=KINDS, help="with a key of this scope; without one by default")
    parser.add_argument("--examples", type=int, default=20, help="random requests for each operation; 20 by default")
    asked, options = parser.parse_known_args()
    sys.stdout.write(f"seed {asked.seed}\n")
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as service:
        service.wait_until_ready()
        with service.client() as client:
            if asked.scope is not None:
                key = mint(Path(folder), "ada", scope="admin", owner="ada")
                client.http.headers["Authorization"] = f"Bearer {key}"
                options += [
                    "--header",
                    f"Authorization: Bearer {mint(Path(folder), asked.scope, scope=asked.scope, owner='ada')}",
                ]
            dataset = line(client, split={"validation": {"first": 2}, "test": {"last": 2}}, name="line")
            model = straight(client, name="straight")
            job = client.train(model.id, dataset.id, wait=30, epochs=FEW_EPOCHS)
            evaluation = client.evaluate(model.id, dataset.id)
        known.update(model=model.id, dataset=dataset.id, job=job.id, evaluation=evaluation.id)
        command = ["--config-file", str(CONFIGURATION), "run", f"{service.url}/openapi.json", f"--phases={PHASES}"]
        status = _run([*command, f"--seed={asked.seed}", f"--max-examples={asked.examples}", *options])
    for reason, times in excused.most_common():
        sys.stdout.write(f"{times:6} valid requests were refused: {reason}\n")
    return status


def _run(command: list[str]) -> int:
    try:
        program.main(command, prog_name="schemathesis")
    except SystemExit as ended:
        return int(ended.code or 0)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Name what is there, so that requests come further than to 404, and leave out what no document can suit."""
    is_positive = case.meta is not None and case.meta.generation.mode.is_positive
    if case.operation.method != "delete":
        for name in case.path_parameters.keys() & known.keys():
            case.path_parameters[name] = known[name]
    if case.media_type == "application/json":
        case.headers.pop(LENGTH, None)  # a random one divides the body anywhere
        if is_positive and len(case.operation.body) > 1:  # parameters of files are refused beside JSON
            for name in case.query.keys() - set(BESIDE_JSON):
                del case.query[name]
    if KEY in case.headers and (is_positive or _is_usual(case.headers[KEY])):
        # with a key that was used before, another body is refused, and the same one is not carried out again
        case.headers[KEY] = uuid4().hex
    if is_positive:
        _suit(case.body)
        if case.operation.label == CREATE_MODEL:
            _describe_once(case.body)


def _is_usual(key: object) -> bool:
    return isinstance(key, str) and key.isalnum() and len(key) < 100


def _suit(body: Any) -> None:
    if isinstance(body, dict):
        body |= {name: known[name] for name in body.keys() & known.keys() if isinstance(body[name], str)}
        if isinstance(body.get("epochs"), int):
            body["epochs"] = min(body["epochs"], FEW_EPOCHS)
        _suit(body.get("recipe"))  # of a sweep or a cross-validation


def _describe_once(body: Any) -> None:
    """Leave a new model in one of the forms that it has: the schema allows them beside each other, and none."""
    if not isinstance(body, dict):
        return
    form, *others = [name for name in FORMS_OF_A_MODEL if body.get(name)] or ["architecture"]
    for name in {*others, *(body.keys() - OF_A_COPY if form == "from" else ())}:
        del body[name]
    if form == "architecture":
        body[form] = ARCHITECTURE


if __name__ == "__main__":
    sys.exit(main())
