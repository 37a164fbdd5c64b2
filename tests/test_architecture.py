"""The house keeps its shape: imports point down, files stay short."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "service"
CEILING = 300

MODULES = sorted(SERVICE.rglob("*.py"))
ROLES = {
    "endpoints": 3,
    "operations": 2,
    "queue": 1,
    "records": 1,
    "schemas": 1,
    "packing": 0,
    "signature": 0,
    "states": 0,
}
"""Within the nouns, a file imports what has its number or a smaller one; files without a role go with operations."""
OPERATIONS = ROLES["operations"]
MAY_SEE = {
    "datasets": {"datasets"},
    "models": {"models"},
    "jobs": {"datasets", "models", "jobs"},
    "predictions": {"datasets", "models", "jobs", "predictions"},
}
ABOVE_THE_NOUNS = {"engine", "app", "cli", "server", "demo", "client"}


def role(file: str) -> int:
    return ROLES["endpoints"] if file.endswith("_endpoints") else ROLES.get(file, OPERATIONS)


def imports() -> Iterator[tuple[list[str], str]]:
    """Each module of ours, as the parts of its path below service/, with each module that it imports."""
    for path in MODULES:
        parts = list(path.relative_to(SERVICE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((parts, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield parts, node.module
                yield from ((parts, f"{node.module}.{alias.name}") for alias in node.names)


def test_learning_imports_numpy_and_nothing_of_ours() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "annotated_types"}
    strangers = [
        (parts, module)
        for parts, module in imports()
        if parts[0] == "learning"
        and module.partition(".")[0] not in allowed
        and not (module == "service" or module.startswith("service.learning"))
    ]
    assert strangers == []


def test_a_noun_sees_only_itself_and_the_nouns_below_it() -> None:
    strangers = [
        (parts, module)
        for parts, module in imports()
        if parts[0] in MAY_SEE
        and module.startswith("service.")
        and module.split(".")[1] in MAY_SEE.keys() - MAY_SEE[parts[0]] | ABOVE_THE_NOUNS
    ]
    assert strangers == []


def test_imports_point_down_within_the_nouns() -> None:
    upwards = [
        (parts, module)
        for parts, module in imports()
        for names in [module.split(".")]
        if parts[0] in MAY_SEE and names[0] == "service" and len(names) > 2 and names[1] in MAY_SEE
        if role(names[2]) > role(parts[-1])
    ]
    assert upwards == []


def test_fastapi_appears_at_the_edge_alone() -> None:
    users = {parts[-1] for parts, module in imports() if module.partition(".")[0] == "fastapi"}
    assert {user for user in users if not user.endswith("_endpoints")} == {"app", "http", "problems", "endpoints"}


def test_queries_are_written_in_records_queue_and_database_alone() -> None:
    verbs = {f"sqlalchemy.{verb}" for verb in ("select", "insert", "update", "delete")}
    writers = {parts[-1] for parts, module in imports() if module in verbs and parts[0] != "database"}
    assert writers <= {"records", "queue"}


def test_no_file_grows_past_the_ceiling() -> None:
    files = [
        path for folder in ("service", "tests", "benchmarks", "migrations") for path in (ROOT / folder).rglob("*.py")
    ]
    assert [path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > CEILING] == []


def test_workers_import_neither_fastapi_nor_pyarrow() -> None:
    script = "import sys, service.engine.run_job; print({'fastapi', 'pyarrow', 'uvicorn'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
