"""The commands that `make` runs, seen by stand-ins for python3 and uv that write down how they were called."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

# `uv sync`: makes the programs that the targets run; each writes its own name, its arguments and one variable down.
UV = """#!/bin/sh
echo "uv $@" >> calls
mkdir -p .venv/bin
for program in descent pytest; do
    printf '#!/bin/sh\\necho "%s" $* $PYTHONDONTWRITEBYTECODE >> calls\\n' $program > .venv/bin/$program
    chmod +x .venv/bin/$program
done
"""

# `python3 -m venv .venv`, then `.venv/bin/python -m pip install uv`.
PYTHON = """#!/bin/sh
echo "python $@" >> calls
mkdir -p .venv/bin
cp "$0" .venv/bin/python
case "$*" in *pip*) cp stand-in-uv .venv/bin/uv ;; esac
"""

CLIENTS = [f"tests/clients/{name}" for name in ("requirements.txt", "package.json", "package-lock.json")]
MAKERS = [
    "uv venv --quiet --clear .venv-clients",
    f"uv pip install --quiet --python .venv-clients/bin/python --requirement {CLIENTS[0]}",
]
PYTEST = "pytest --numprocesses=auto --dist=worksteal"


class Checkout:
    """A folder with the Makefile and what it depends on, on a machine with only what `programs` names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        (folder / "tests" / "clients").mkdir(parents=True)
        for name in ("Makefile", "pyproject.toml", "uv.lock", *CLIENTS):
            shutil.copy(REPOSITORY / name, folder / name)
        for name in ("make", "sh", "touch", "mkdir", "cp", "chmod", "awk"):
            program = shutil.which(name)
            assert program is not None, f"{name} is not installed"
            (self.programs / name).symlink_to(program)
        self.program("python3", PYTHON)
        (folder / "stand-in-uv").write_text(UV)
        (folder / "stand-in-uv").chmod(0o755)

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def make(self, *arguments: str, **variables: str) -> list[str]:
        """The calls that `make` with these arguments and variables led to."""
        calls = self.folder / "calls"
        calls.write_text("")
        environment = {"PATH": str(self.programs), "HOME": str(self.folder), **variables}
        subprocess.run(["make", *arguments], cwd=self.folder, env=environment, check=True, capture_output=True)
        return [line.strip() for line in calls.read_text().splitlines()]

    def change(self, name: str) -> None:
        """Make the file newer than everything that was made from it."""
        newest = max(path.stat().st_mtime for path in self.folder.rglob("*") if path.is_file())
        os.utime(self.folder / name, (newest + 1, newest + 1))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def with_uv(checkout: Checkout) -> Checkout:
    checkout.program("uv", UV)
    return checkout


def test_make_alone_lists_every_target(checkout: Checkout) -> None:
    targets = re.findall(r"^\.PHONY: (\w+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    listed = subprocess.run(["make"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    assert {"demo", "serve", "test", "check"} <= set(targets)
    assert re.findall(r"make (\w+) +\S", listed) == targets


def test_a_machine_without_uv_gets_it_into_the_environment(checkout: Checkout) -> None:
    venv, pip, *rest = checkout.make("demo")
    assert venv == "python -m venv .venv"
    assert re.fullmatch(r"python -m pip install .* uv==[\d.]+", pip)
    assert rest == ["uv sync --inexact --locked --no-dev --all-extras", "descent demo"]


def test_a_machine_with_uv_uses_it(checkout: Checkout) -> None:
    assert with_uv(checkout).make("demo") == ["uv sync --inexact --locked --no-dev --all-extras", "descent demo"]


def test_a_second_make_sets_nothing_up(checkout: Checkout) -> None:
    checkout.make("demo")
    assert checkout.make("demo") == ["descent demo"]
    assert checkout.make("serve") == ["descent serve"]


def test_the_tests_add_the_development_tools_once(checkout: Checkout) -> None:
    checkout.make("demo")
    assert checkout.make("test") == ["uv sync --inexact --locked --all-extras", *MAKERS, PYTEST]
    assert checkout.make("test") == [PYTEST]
    assert checkout.make("demo") == ["descent demo"]


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_a_changed_dependency_is_installed(checkout: Checkout, name: str) -> None:
    checkout.make("test")
    checkout.change(name)
    assert checkout.make("test") == ["uv sync --inexact --locked --all-extras", PYTEST]


def test_arguments_are_handed_on(checkout: Checkout) -> None:
    assert checkout.make("test", "ARGS=-k words")[-1] == f"{PYTEST} -k words"


def test_processes_of_the_tests_keep_what_they_compile(checkout: Checkout) -> None:
    assert checkout.make("demo", PYTHONDONTWRITEBYTECODE="1")[-1] == "descent demo 1"
    assert checkout.make("test", PYTHONDONTWRITEBYTECODE="1")[-1] == PYTEST
