"""Receipts: all that must be the same for another training to produce the same bytes, recorded with each success."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from service.datasets.records import DatasetRecord
from service.http.json_numbers import Array
from service.jobs.records import JobRecord

PROCESSORS = Path("/proc/cpuinfo")


def sha256(vector: Array) -> str:
    """Return the hash of a flat vector of parameters, in the dtype of its network."""
    return hashlib.sha256(np.ascontiguousarray(vector).data).hexdigest()


def begin(record: JobRecord, dataset: DatasetRecord, start: Array) -> dict[str, Any]:
    """Return the receipt of a training from the vector `start`, without the result.

    The environment is that of this process: where a job has moved, that of the worker that ends it.
    """
    return {
        "dataset_sha256": dataset.sha256,
        "seed": record.recipe["seed"],
        "recipe": {**record.recipe, "path": record.plan["path"]},
        "start_sha256": sha256(start),
        **environment(),
    }


def complete(receipt: dict[str, Any], vector: Array) -> dict[str, Any]:
    """Return the receipt with the hash of the resulting parameters."""
    return {**receipt, "parameters_sha256": sha256(vector)}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of the facts that decide the bytes and differ between two receipts."""
    facts, others = _facts(one), _facts(other)
    return [name for name, value in facts.items() if others.get(name) != value]


def _facts(receipt: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset": receipt["dataset_sha256"],
        "start": receipt["start_sha256"],
        **receipt["libraries"],
        "cpu": receipt["cpu"],
    }


@cache
def environment() -> dict[str, Any]:
    """Return the libraries and the processor of this process; they do not change while it lives."""
    return {
        "libraries": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "simd": _simd(),
            "blas": _blas(),
            "descent": version("descent"),
        },
        "cpu": _cpu(),
    }


def _simd() -> str:
    """Return the instructions that NumPy found here for its own loops: they decide the order of its sums."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return " ".join([*extensions["baseline"], *extensions.get("found", ())])


def _blas() -> dict[str, Any] | None:
    """Return the library behind NumPy's products of matrices, as this process uses it; None where none is found.

    The number of threads decides where sums are cut, and the kernel the order in which they are added.
    """
    found = next((each for each in threadpool_info() if each["user_api"] == "blas"), None)
    return found and {
        "name": found["internal_api"],
        "version": found["version"],
        "kernel": found.get("architecture"),
        "threading": found.get("threading_layer"),
        "threads": found["num_threads"],
    }


def _cpu() -> str:
    """Return the model of the processor, where Linux tells it; else its kind."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
