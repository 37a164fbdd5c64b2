import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("passes", [True, False])
def test_every_kernel_runs_the_tests_and_one_failure_fails_all(passes: bool, tmp_path: Path) -> None:
    kernels, skipped = sorted_out(answers())
    names = {kernel.asked or "own" for kernel in kernels}
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_one.py").write_text(FAILS_ON_ONE.replace("{name!r}", repr(None if passes else max(names))))
    command = [sys.executable, "-m", "tests.kernels", "-c", os.devnull, str(tests / "test_one.py")]
    quick = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run(command, cwd=ROOT, env=quick, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.count(": WRONG after")) == ((0, 0) if passes else (1, 1))
    assert ("test_that_fails_on_one_kernel" in result.stdout) is not passes
    assert {path.name for path in tests.iterdir() if path.is_file()} - {"test_one.py"} == names
    assert all(f"{kernel.asked}: skipped, OpenBLAS takes {kernel.taken}" in result.stdout for kernel in skipped)


def test_the_files_of_the_short_form_are_there() -> None:
    assert [file for file in FILES if not (ROOT / file).is_file()] == []
