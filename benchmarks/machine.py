"""The machine and the software that the figures belong to. `python -m benchmarks.machine` prints them as JSON."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

PACKAGES = ("numpy", "torch", "jax", "jaxlib", "optax", "scikit-learn")


def processor() -> str:
    """The processor's name; on Linux with family and model, which tell more than a cloud's name for it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    cache = facts.get("cache size", "")
    return f"{facts.get('model name', platform.machine())}, model {facts.get('model', '?')}, last-level cache {cache}"


def blas() -> str:
    """NumPy's BLAS and the kernel that it chose for this processor."""
    np.dot(np.ones((2, 2)), np.ones((2, 2)))
    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    found = [f"{lib['internal_api']} {lib['version']}, {lib.get('architecture', 'unknown')}" for lib in libraries]
    return "; ".join(found) or "unknown"


def describe() -> dict[str, str]:
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "NumPy's BLAS and kernel": blas(),
        "versions": ", ".join(f"{package} {version(package)}" for package in PACKAGES),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe()))
