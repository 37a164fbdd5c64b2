"""The house keeps its shape: imports point down and to faces, names are unique, files and folders stay short."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "service"
TESTS = ROOT / "tests"
CEILING = 300
LONGEST_NAME = 70
MOST_MODULES = 15
MOST_LOOSE_DICTIONARIES = 30

FLOORS = (
    "environment errors ids learning/arrays learning/renamed learning/synonyms learning/terms",
    "synonyms",
    "database pointers learning/initialisations learning/losses learning/optimisers learning/rows learning/schedules",
    "http resources learning/layers",
    "page storage wire learning/expressions learning/parameters",
    "access settings vocabulary learning/network learning/notation",
    "idempotency startup learning/evaluation learning/training",
    "learning/confidence learning/planning",
    "datasets telemetry",
    "models",
    "jobs",
    "confidence cross_validations sweeps",
    "backup engine evaluations predictions quotas recovery",
    "client inference metrics retention",
    "app demo",
    "server",
    "commands",
    "cli",
    "__main__",
)
"""The rooms, from the ground up: folders and modules of service/ and of service/learning/. A module imports from its
own room and from lower floors."""
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}

HOLDER = "service.resources"
"""It holds what rooms of all floors make, and imports their types below an `if TYPE_CHECKING` that does not count."""

FACES = (
    "learning.expressions",
    "learning.layers",
    "learning.layers.activations",
    "learning.losses",
    "learning.notation",
    "learning.optimisers",
    "learning.schedules",
)
"""Packages whose modules are imported by themselves alone: all others import the names of the package."""

NAMED_AS_IN_THE_LIBRARY = {"service.http", "service.jobs.queue", "service.datasets.formats.csv"}
"""The field's own words, although the standard library has modules called so."""

ROLES = {
    "endpoints": 3,
    "operations": 2,
    "claims": 1,
    "order": 1,
    "queue": 1,
    "records": 1,
    "schemas": 1,
    "axes": 0,
    "columns": 0,
    "packing": 0,
    "receipts": 0,
    "recipe": 0,
    "signature": 0,
    "states": 0,
}
"""Within the nouns, a file imports what has its number or a smaller one; files without a role go with operations."""
NOUNS = {
    "access",
    "datasets",
    "models",
    "jobs",
    "sweeps",
    "cross_validations",
    "predictions",
    "evaluations",
    "inference",
}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SERVICE.rglob("*.py"))
}


def room_of(module: str) -> str:
    """The folder below service/ or below service/learning/ that a module is in, or its own name."""
    names = module.split(".")[1:3]
    return "/".join(names) if names[0] == "learning" else names[0]


def role_of(module: str) -> int:
    last = module.rpartition(".")[2]
    return next(
        (ROLES[role] for role in ("endpoints", "schemas") if last.endswith(role)), ROLES.get(last, ROLES["operations"])
    )


@cache
def imports() -> list[tuple[str, str]]:
    """Each module of ours with each module that it imports, or with the module and the name that it takes from it."""
    return list(_imports())


def _imports() -> Iterator[tuple[str, str]]:
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body if module == HOLDER else ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((module, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((module, f"{node.module}.{alias.name}") for alias in node.names)


def ours() -> Iterator[tuple[str, str]]:
    """Each module of ours with each module of ours that it imports."""
    for module, imported in imports():
        if imported.startswith("service."):
            yield module, imported if imported in MODULES else imported.rpartition(".")[0]


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(module) for module in MODULES if module not in ("service", "service.learning")}
    assert rooms == FLOOR_OF.keys()


def test_imports_point_down() -> None:
    upwards = [
        (module, imported)
        for module, imported in ours()
        if module != "service.learning" and room_of(module) != room_of(imported)
        if FLOOR_OF[room_of(module)] <= FLOOR_OF[room_of(imported)]
    ]
    assert upwards == []


def test_imports_point_down_within_the_nouns() -> None:
    upwards = [
        (module, imported)
        for module, imported in ours()
        if module.split(".")[1] in NOUNS and imported.split(".")[1] in NOUNS and imported.count(".") > 1
        if role_of(imported) > role_of(module)
    ]
    assert upwards == []


def test_families_are_imported_by_their_faces() -> None:
    past = [
        (module, imported)
        for module, imported in ours()
        for face in (f"service.{name}" for name in FACES)
        if imported.startswith(f"{face}.") and imported.removeprefix("service.") not in FACES
        if not (module == face or module.startswith(f"{face}."))
    ]
    assert past == []


def test_learning_imports_numpy_and_nothing_of_ours() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "threadpoolctl", "annotated_types"}
    strangers = [
        (module, imported)
        for module, imported in imports()
        if module.startswith("service.learning")
        if imported.partition(".")[0] not in allowed and not imported.startswith("service.learning")
    ]
    assert strangers == []


def test_fastapi_appears_at_the_edge_alone() -> None:
    users = {module for module, imported in imports() if imported.partition(".")[0] == "fastapi"}
    inside = {user for user in users if not user.endswith("endpoints") and not user.startswith("service.http.")}
    assert inside == {"service.access.routes", "service.app", "service.idempotency.creation", "service.resources"}


def test_queries_are_written_in_records_queue_and_database_alone() -> None:
    verbs = {f"sqlalchemy.{verb}" for verb in ("select", "insert", "update", "delete", "text", "exists")}
    writers = {module for module, imported in imports() if imported in verbs}
    elsewhere = {writer for writer in writers if writer.rpartition(".")[2] not in ("records", "queue")}
    queue_and_database = "service.jobs.queue.", "service.database."
    assert {writer for writer in elsewhere if not writer.startswith(queue_and_database)} == set()


def test_no_module_is_named_as_one_of_the_standard_library() -> None:
    named = {module for module in MODULES if module.rpartition(".")[2] in sys.stdlib_module_names - {"__main__"}}
    assert named == NAMED_AS_IN_THE_LIBRARY


def public_names(module: str) -> Iterator[str]:
    """The names without an underscore that a module defines at its top level, imports left out."""
    for node in ast.parse(MODULES[module].read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                names = [node.name]
            case ast.Assign(targets=targets):
                names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def test_no_public_name_of_learning_is_defined_twice() -> None:
    modules: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        if module.startswith("service.learning"):
            for name in public_names(module):
                modules[name].append(module)
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_no_file_grows_past_the_ceiling() -> None:
    files = [
        path for folder in ("service", "tests", "benchmarks", "migrations") for path in (ROOT / folder).rglob("*.py")
    ]
    assert [path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > CEILING] == []


def test_names_of_tests_can_be_read_at_a_glance() -> None:
    names = {name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert {name for name in names if len(name) > LONGEST_NAME} == set()


def test_no_folder_holds_more_modules_than_one_can_survey() -> None:
    held: dict[Path, int] = defaultdict(int)
    for path in MODULES.values():
        held[path.parent] += path.name != "__init__.py"
    assert {folder: count for folder, count in held.items() if count > MOST_MODULES} == {}


def test_few_dictionaries_have_values_of_any_type() -> None:
    inside = {module: path for module, path in MODULES.items() if not module.endswith(("schemas", "endpoints"))}
    loose = {module: path.read_text(encoding="utf-8").count("dict[str, Any]") for module, path in inside.items()}
    assert sum(loose.values()) < MOST_LOOSE_DICTIONARIES, {module: count for module, count in loose.items() if count}


def test_no_docstring_begins_with_a_relative_clause() -> None:
    begins = re.compile(r"\s*(?:What|Which|How|Where)\b")
    found = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Expr(value=ast.Constant(value=str(text))) if begins.match(text):
                    found.append((module, node.lineno))
    assert found == []


def test_workers_import_nothing_of_the_edge() -> None:
    edge = {"fastapi", "pyarrow", "pydantic", "uvicorn"}
    script = f"import sys, service.engine.tickets; print({edge} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
