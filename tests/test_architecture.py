"""The house keeps its shape: imports point down, files stay short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "service"
NOUNS = ("datasets", "models", "jobs", "predictions")
CEILING = 300

MODULES = sorted(SERVICE.rglob("*.py"))
ROLES = {
    "endpoints": 3,
    "operations": 2,
    "queue": 1,
    "records": 1,
    "schemas": 1,
    "states": 0,
}
"""Within the nouns, a file may import what has its number or a smaller one; files without a role are part of operations."""

MAY_SEE = {noun: set(NOUNS[: index + 1]) for index, noun in enumerate(NOUNS)}
MAY_SEE["models"] = {"models"}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_of(path: Path) -> list[str]:
    return list(path.relative_to(SERVICE).with_suffix("").parts)


def named(path: Path) -> str:
    return "/".join(parts_of(path))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_learning_imports_numpy_and_nothing_of_ours(path: Path) -> None:
    if parts_of(path)[0] != "learning":
        return
    import sys

    for module in imports_of(path):
        top = module.partition(".")[0]
        allowed = top in sys.stdlib_module_names or top in ("numpy", "annotated_types")
        assert allowed or module.startswith("service.learning"), f"{path} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_noun_sees_only_the_nouns_below_it(path: Path) -> None:
    noun = parts_of(path)[0]
    if noun not in NOUNS:
        return
    for module in imports_of(path):
        other = (*module.split("."), "", "")[1] if module.startswith("service.") else ""
        assert other not in NOUNS or other in MAY_SEE[noun], f"{path} imports {module}"
        assert other not in ("engine", "app", "cli", "server", "demo", "client"), f"{path} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_down_within_the_nouns(path: Path) -> None:
    parts = parts_of(path)
    if parts[0] not in NOUNS:
        return
    own = ROLES.get(parts[-1], 2)
    for module in imports_of(path):
        names = module.split(".")
        if names[0] == "service" and len(names) > 2 and names[1] in NOUNS:
            assert ROLES.get(names[2], 2) <= own, f"{path} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_fastapi_appears_at_the_edge_alone(path: Path) -> None:
    if parts_of(path)[-1] in ("endpoints", "app", "http"):
        return
    assert not [module for module in imports_of(path) if module.partition(".")[0] == "fastapi"]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_queries_appear_in_records_queue_and_database_alone(path: Path) -> None:
    parts = parts_of(path)
    if parts[-1] in ("records", "queue", "endpoints", "app") or parts[0] == "database":
        return
    verbs = {f"sqlalchemy.{verb}" for verb in ("select", "insert", "update", "delete", "text")}
    assert not verbs & set(imports_of(path))


@pytest.mark.parametrize(
    "path", [path for folder in ("service", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))], ids=str
)
def test_no_file_grows_past_the_ceiling(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= CEILING


def test_workers_import_neither_fastapi_nor_pyarrow() -> None:
    import subprocess
    import sys

    script = "import sys, service.engine.run_job; print({'fastapi', 'pyarrow', 'uvicorn'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
