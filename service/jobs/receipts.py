"""Receipts: all that must be the same for another training to produce the same bytes, recorded with each success."""

import hashlib
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from service.http.json_numbers import Array, JsonObject
from service.jobs.recipe import JobRecipe

PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class Blas:
    """The library that multiplies matrices.

    The number of threads decides where sums are cut, and the kernel the order in which they are added.
    """

    name: str
    version: str | None
    kernel: str | None
    threading: str | None
    threads: int


@dataclass(frozen=True, kw_only=True)
class Libraries:
    """The libraries of a process; they do not change while it lives."""

    python: str
    numpy: str
    simd: str
    blas: Blas | None
    descent: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """All that must be the same for a training to produce the same bytes again, with its result."""

    dataset_sha256: str
    seed: int
    recipe: JsonObject
    """A `JobRecipe` as JSON, with the path that was taken."""
    start_sha256: str
    parameters_sha256: str
    libraries: Libraries
    cpu: str

    def with_result(self, vector: Array) -> "Receipt":
        return replace(self, parameters_sha256=sha256(vector))

    def differences(self, other: "Receipt") -> list[str]:
        """Names of the facts that decide the bytes and differ between two receipts."""
        facts, others = dict(self._facts()), dict(other._facts())
        return [name for name, value in facts.items() if others[name] != value]

    def _facts(self) -> Iterator[tuple[str, Any]]:
        yield "dataset", self.dataset_sha256
        yield "start", self.start_sha256
        yield from vars(self.libraries).items()
        yield "cpu", self.cpu


@dataclass(frozen=True)
class Outcome:
    """The outcome of training again: whether the bytes are the same, and the names of differences."""

    identical: bool
    differs: list[str]


def sha256(vector: Array) -> str:
    """Return the hash of a flat vector of parameters, in the dtype of its network."""
    return hashlib.sha256(np.ascontiguousarray(vector).data).hexdigest()


def begin(recipe: JobRecipe, dataset_sha256: str, start: Array) -> Receipt:
    """Return the receipt of a training from the vector `start`, without the hash of a result.

    The environment is that of this process: where a job has moved, that of the worker that ends it.
    """
    return Receipt(
        dataset_sha256=dataset_sha256,
        seed=recipe.seed,
        recipe=asdict(recipe),
        start_sha256=sha256(start),
        parameters_sha256="",
        libraries=libraries(),
        cpu=cpu(),
    )


@cache
def libraries() -> Libraries:
    return Libraries(
        python=platform.python_version(),
        numpy=np.__version__,
        simd=_simd(),
        blas=_blas(),
        descent=version("descent"),
    )


def _simd() -> str:
    """Return the instructions that NumPy found here for its own loops: they decide the order of its sums."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return " ".join([*extensions["baseline"], *extensions.get("found", ())])


def _blas() -> Blas | None:
    """Return the library behind NumPy's products of matrices, as this process uses it; None where none is found."""
    found = next((each for each in threadpool_info() if each["user_api"] == "blas"), None)
    return found and Blas(
        name=found["internal_api"],
        version=found["version"],
        kernel=found.get("architecture"),
        threading=found.get("threading_layer"),
        threads=found["num_threads"],
    )


@cache
def cpu() -> str:
    """Return the model of the processor, where Linux tells it; else its kind."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
