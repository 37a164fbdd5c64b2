"""The OpenAPI document under spectral and redocly, by `make check`; a machine without npm leaves it out.

Rules that are off stand in spectral.yaml and redocly.yaml, each with its reason.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.places import NODE, SOURCES
from tests.support.document import document


def main() -> int:
    """Lint, and return the status to end with."""
    programs = NODE / "node_modules" / ".bin"
    if not programs.exists():
        sys.stdout.write("npm is not here: spectral and redocly have not read the OpenAPI document\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "openapi.json"
        path.write_text(json.dumps(document()), encoding="utf-8")
        linters: tuple[list[str | Path], ...] = (
            [programs / "spectral", "lint", "--fail-severity=warn", "--ruleset", SOURCES / "spectral.yaml", path],
            [programs / "redocly", "lint", "--config", SOURCES / "redocly.yaml", path],
        )
        return max(subprocess.run(command, check=False).returncode for command in linters)


if __name__ == "__main__":
    sys.exit(main())
