import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import kernels
from tests.kernels import FILES, Kernel, answers, sorted_out

ROOT = Path(__file__).parent.parent

FAILS_ON_ONE = """
import os
from pathlib import Path


def test_that_fails_on_one_kernel():
    name = os.environ.get("OPENBLAS_CORETYPE", "own")
    (Path(__file__).parent / name).touch()
    assert name != {name!r}
"""


def test_a_kernel_under_two_names_runs_once_and_others_are_skipped() -> None:
    own, haswell, zen, nehalem = map(Kernel, (None, "Haswell", "Zen", "Nehalem"), ("Zen", "Haswell", "Zen", "Nehalem"))
    assert sorted_out([own, haswell, zen, nehalem]) == ([own, haswell, nehalem], [zen])


@pytest.fixture
def tests_of_a_kernel(tmp_path: Path) -> Callable[[str | None], Path]:
    """Write a file of tests that fail on the kernel of this name, and leave a file for each kernel they ran under."""

    def write(fails_on: str | None) -> Path:
        (tmp_path / "tests").mkdir()
        file = tmp_path / "tests" / "test_one.py"
        file.write_text(FAILS_ON_ONE.replace("{name!r}", repr(fails_on)))
        return file

    return write


def ran_under(file: Path) -> set[str]:
    return {path.name for path in file.parent.iterdir() if path.is_file()} - {file.name}


def test_every_kernel_runs_the_tests_and_one_failure_fails_all(
    tests_of_a_kernel: Callable[[str | None], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = list(answers())  # once: each name takes a process
    monkeypatch.setattr(kernels, "answers", lambda: asked)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    known, skipped = sorted_out(asked)
    names = {kernel.asked or "own" for kernel in known}
    file = tests_of_a_kernel(max(names))
    assert kernels.main(["-c", os.devnull, str(file)]) == 1
    printed = capsys.readouterr().out
    assert printed.count(": WRONG after") == 1
    assert "test_that_fails_on_one_kernel" in printed
    assert ran_under(file) == names
    assert all(f"{kernel.asked}: skipped, OpenBLAS takes {kernel.taken}" in printed for kernel in skipped)


def test_kernels_under_which_all_tests_pass_are_right(
    tests_of_a_kernel: Callable[[str | None], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernels, "answers", lambda: [Kernel(None, "the own one"), Kernel("Nehalem", "Nehalem")])
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    file = tests_of_a_kernel(None)
    assert kernels.main(["-c", os.devnull, str(file)]) == 0
    assert capsys.readouterr().out.count(": right after") == 2
    assert ran_under(file) == {"own", "Nehalem"}


def test_the_files_of_the_short_form_are_there() -> None:
    assert [file for file in FILES if not (ROOT / file).is_file()] == []
