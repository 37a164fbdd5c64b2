"""Clients that others' programs make from the OpenAPI document run the Flux tutorial."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.places import NODE, PYTHON, SOURCES
from tests.support.document import document
from tests.support.serving import RunningService

pytestmark = pytest.mark.waits(30)

TESTED = {
    "untrained": [5.439925, 6.346579, 7.253233, 8.159887, 9.066542],
    "losses": [122.64735, 116.38741, 0.00339581],
    "predictions": [26.1121, 30.13, 34.1479, 38.1657, 42.1836],
}
"""The tutorial's figures: the loss before training, after one epoch and after 201."""

CODE_ALONE = "apis,models,supportingFiles,apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java compiles less: it runs for seconds."""


@pytest.fixture
def openapi(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    return path


def test_the_client_of_openapi_python_client_runs_the_tutorial(
    openapi: Path, tmp_path: Path, service: RunningService
) -> None:
    maker = needed(PYTHON / "openapi-python-client", "make .venv-clients/.tools")
    made, settings = tmp_path / "descent_client", tmp_path / "settings.json"
    settings.write_text('{"post_hooks": []}')  # nobody reads the client: no formatter need run
    options = ("--meta", "none", "--config", settings, "--output-path", made)
    said = run(maker, "generate", "--path", openapi, *options)
    assert "will not be generated" not in said
    modules = {path.stem for path in made.glob("api/*/*.py")}
    assert operations() - modules == set()
    check(run(PYTHON / "python", SOURCES / "tutorial_openapi_python_client.py", service.url, path=tmp_path))


def test_the_client_of_openapi_generator_runs_the_tutorial(
    openapi: Path, tmp_path: Path, service: RunningService
) -> None:
    maker = needed(PYTHON / "openapi-generator-cli", "make .venv-clients/.tools")
    needed(Path(shutil.which("java") or "java"), "install a Java runtime, such as Debian's default-jre-headless")
    options = ("-g", "python", "-o", tmp_path, "--package-name", "descent_openapi", "--global-property", CODE_ALONE)
    run(maker, "generate", "-i", openapi, *options, JAVA_TOOL_OPTIONS=QUICK_START)
    written = "".join(path.read_text() for path in (tmp_path / "descent_openapi" / "api").glob("*_api.py"))
    assert {name for name in operations() if f"    def {name}(" not in written} == set()
    check(run(PYTHON / "python", SOURCES / "tutorial_openapi_generator.py", service.url, path=tmp_path))


def test_the_types_of_openapi_typescript_fit_the_tutorial(
    openapi: Path, tmp_path: Path, service: RunningService
) -> None:
    programs = NODE / "node_modules" / ".bin"
    maker = needed(programs / "openapi-typescript", "install Node with npm, then make .node-clients/.tools")
    # a field with a default may be left out of a request: the maker's own default takes it for an answer's
    run(maker, openapi, "--default-non-nullable", "false", "--output", tmp_path / "schema.d.ts")
    shutil.copy(SOURCES / "tutorial_openapi_typescript.ts", tmp_path / "tutorial.ts")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    options = ("--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--target", "es2022", "--module", "nodenext")
    run(programs / "tsc", *options, tmp_path / "tutorial.ts")
    check(run("node", tmp_path / "tutorial.js", service.url))


def operations() -> set[str]:
    return {operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()}


def needed(program: Path, remedy: str) -> Path:
    """The program, or a test that is skipped with a word on how to install it."""
    if not program.exists():
        pytest.skip(f"{program.name} is not here: {remedy}")
    return program


def run(*command: str | Path, path: Path | None = None, **variables: str) -> str:
    """Run a command, with the modules at `path`, and return all that it said."""
    variables |= {"COLUMNS": "200"} | ({} if path is None else {"PYTHONPATH": str(path)})
    environment = os.environ | variables
    environment["PATH"] = f"{PYTHON}{os.pathsep}{environment['PATH']}"  # makers call formatters of their own
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def check(output: str) -> None:
    figures: dict[str, Any] = json.loads(output)
    assert figures["state"] == "succeeded"
    assert figures["rule"] == "Descent"
    for name, tutorial in TESTED.items():
        assert figures[name] == pytest.approx(tutorial, rel=1e-4), name
    assert figures["weight"] == pytest.approx(4.01785, abs=5e-5)
    assert figures["bias"] == pytest.approx(2.00503, abs=5e-5)
    errors = [at - (4 * x + 2) for x, at in zip(range(6, 11), figures["predictions"], strict=True)]
    assert figures["mse"] == pytest.approx(sum(error**2 for error in errors) / len(errors), rel=1e-3)
