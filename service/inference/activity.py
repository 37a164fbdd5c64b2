"""Inferences since the process started: counts and nanoseconds, by model and version."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from service.http.json_numbers import JsonObject

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST_VERSIONS = 10_000
MOST_SIZES = 64
"""Bounds on the versions, and sizes of each, that are kept: those used last, whatever clients send."""


@dataclass
class Durations:
    """A count, and the nanoseconds that these took in all."""

    count: int = 0
    ns: int = 0

    def add(self, ns: int) -> None:
        self.count += 1
        self.ns += ns

    def to_json(self) -> dict[str, int]:
        return {"count": self.count, "ns": self.ns}


@dataclass
class Steps:
    """The three steps of an inference."""

    input: Durations = field(default_factory=Durations)
    infer: Durations = field(default_factory=Durations)
    output: Durations = field(default_factory=Durations)

    def add(self, taken: "Taken") -> None:
        self.input.add(taken.input)
        self.infer.add(taken.infer)
        self.output.add(taken.output)

    def to_json(self) -> JsonObject:
        return {
            "compute_input": self.input.to_json(),
            "compute_infer": self.infer.to_json(),
            "compute_output": self.output.to_json(),
        }


@dataclass(frozen=True)
class Taken:
    """Nanoseconds of one request."""

    queue: int
    input: int
    infer: int
    output: int

    @property
    def all(self) -> int:
        return self.queue + self.input + self.infer + self.output


@dataclass
class Activity:
    """The activity of one version of a model."""

    rows: int = 0
    last: int = 0
    """Milliseconds since 1970."""
    success: Durations = field(default_factory=Durations)
    fail: Durations = field(default_factory=Durations)
    queue: Durations = field(default_factory=Durations)
    steps: Steps = field(default_factory=Steps)
    sizes: OrderedDict[int, Steps] = field(default_factory=OrderedDict)

    def to_json(self, name: str, version: int) -> JsonObject:
        return {
            "name": name,
            "version": str(version),
            "last_inference": self.last,
            "inference_count": self.rows,
            "execution_count": self.success.count,
            "inference_stats": {
                "success": self.success.to_json(),
                "fail": self.fail.to_json(),
                "queue": self.queue.to_json(),
                **self.steps.to_json(),
            },
            "batch_stats": [{"batch_size": size, **steps.to_json()} for size, steps in self.sizes.items()],
        }


class Statistics:
    """The activity of each version of each model; safe for many threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Activity] = OrderedDict()
        self._lock = threading.Lock()

    def succeeded(self, model: str, version: int, rows: int, taken: Taken) -> None:
        with self._lock:
            activity = self._of(model, version)
            activity.rows += rows
            activity.last = time.time_ns() // 1_000_000
            activity.success.add(taken.all)
            activity.queue.add(taken.queue)
            activity.steps.add(taken)
            _recent(activity.sizes, rows, Steps, MOST_SIZES).add(taken)

    def failed(self, model: str, version: int, ns: int) -> None:
        with self._lock:
            self._of(model, version).fail.add(ns)

    def to_json(self, names: Mapping[tuple[str, int], str]) -> list[JsonObject]:
        """Return the statistics of these versions; `names` are those of their models, by id and number."""
        with self._lock:
            return [
                activity.to_json(names[key], key[1])
                for key, activity in sorted(self._kept.items(), key=lambda item: item[0])
                if key in names
            ]

    def _of(self, model: str, version: int) -> Activity:
        return _recent(self._kept, (model, version), Activity, MOST_VERSIONS)


def _recent(kept: OrderedDict[Key, Value], key: Key, make: Callable[[], Value], limit: int) -> Value:
    """Return the value under a key, made where there is none; the key that was used longest ago is dropped."""
    value = kept.get(key)
    if value is None:
        value = kept[key] = make()
        if len(kept) > limit:
            kept.popitem(last=False)
    else:
        kept.move_to_end(key)
    return value
