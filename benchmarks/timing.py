"""How every benchmark measures: all sides in one process, taking turns, round after round."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

# Threads of OpenBLAS, OpenMP and XLA spin for a while after their last work; a pause keeps that out of the next side.
PAUSE = 0.1
SHORTEST = 0.02
LONG = 2.0


@dataclass(frozen=True)
class Measurement:
    """Seconds of each side for the same work, one per round; `aims` holds the least ratio wanted, peer over ours."""

    title: str
    setting: str
    threads: int
    seconds: Mapping[str, Sequence[float]]
    aims: Mapping[str, float] = field(default_factory=dict)


def threads() -> int:
    """How many threads this process may use; its parent has limited BLAS, OpenMP and the processors to as many."""
    return int(os.environ["BENCHMARK_THREADS"])


def take_turns(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of one call of each side in each round. Short calls are repeated until a sample lasts 20 ms."""
    calls = {name: calls_per_sample(work) for name, work in sides.items()}
    samples: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            time.sleep(PAUSE)
            samples[name].append(seconds_of(work, calls[name]))
    return samples


def calls_per_sample(work: Callable[[], object]) -> int:
    """Found after a first call, which compiles and fills caches, and is not counted."""
    if seconds_of(work, 1) > LONG:
        return 1
    calls = 1
    while (seconds := calls * seconds_of(work, calls)) < SHORTEST:
        calls = max(calls + 1, int(calls * SHORTEST / max(seconds, 1e-7)))
    return calls


def seconds_of(work: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls


def report(measurements: Iterable[Measurement]) -> None:
    """One line of JSON per measurement on standard output, for the process that started this one."""
    for measurement in measurements:
        sys.stdout.write(json.dumps(asdict(measurement)) + "\n")
        sys.stdout.flush()
