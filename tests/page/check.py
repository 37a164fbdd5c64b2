"""The page's scripts under tsc and eslint, by `make check`; a machine without npm leaves it out."""

import subprocess
import sys
from pathlib import Path

from tests.clients.places import NODE

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "service" / "page"
OWN = ("main.js", "components", "lib", "views")


def main() -> int:
    """Check, print what is found in our own scripts, and return the status to end with."""
    programs = NODE / "node_modules" / ".bin"
    if not (programs / "eslint").exists():
        sys.stdout.write("npm is not here: tsc and eslint have not read the page's scripts\n")
        return 0
    return max(_types(programs / "tsc"), _rules(programs / "eslint"))


def _types(tsc: Path) -> int:
    # It follows imports into vendored scripts, which have no types of their own.
    command: list[str | Path] = [tsc, "--project", HERE / "tsconfig.json", "--pretty", "false"]
    told = subprocess.run(command, cwd=PAGE, check=False, capture_output=True, text=True).stdout.splitlines()
    found = [line for line in told if not line.startswith(("vendor/", " "))]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def _rules(eslint: Path) -> int:
    command: list[str | Path] = [eslint, "--config", HERE / "eslint.config.js", *(PAGE / name for name in OWN)]
    return subprocess.run(command, cwd=PAGE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
