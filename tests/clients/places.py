"""Folders of the programs that make clients, which `make` fills, and of the files beside this one."""

from pathlib import Path

SOURCES = Path(__file__).parent
ROOT = SOURCES.parents[1]
PYTHON = ROOT / ".venv-clients" / "bin"
"""Makers written in Python or packed for it, and what their clients need."""
NODE = ROOT / ".node-clients"
"""Makers and linters for Node."""
