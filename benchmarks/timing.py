"""The method of every benchmark: all sides in one process, taking turns, round after round."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

# Threads of OpenBLAS, OpenMP and XLA spin for a while after their last work; a pause keeps that out of the next side.
PAUSE = 0.1
SHORTEST = 0.02
LONG = 2.0


QUIET = 0.03
PATIENCE = 3


@dataclass(frozen=True)
class Round:
    """Seconds of one call of each side, and the share of the machine that other processes took meanwhile."""

    seconds: Mapping[str, float]
    others: float


@dataclass(frozen=True)
class Measurement:
    """The same work done by each side, round after round; `aims` holds the least ratio wanted, peer over ours."""

    title: str
    setting: str
    threads: int
    rounds: Sequence[Round]
    aims: Mapping[str, float] = field(default_factory=dict)


def threads() -> int:
    """The number of threads that this process may use; its parent has limited BLAS, OpenMP and the processors to it."""
    return int(os.environ["BENCHMARK_THREADS"])


def take_turns(sides: Mapping[str, Callable[[], object]], rounds: int) -> list[Round]:
    """Measure rounds in which each side has its turn. Short calls are repeated until a sample lasts 20 ms.

    A round that other processes disturbed is taken again; on a busy machine the quietest of many are kept.
    """
    calls = {name: calls_per_sample(work) for name, work in sides.items()}
    taken: list[Round] = []
    while sum(each.others <= QUIET for each in taken) < rounds and len(taken) < PATIENCE * rounds:
        taken.append(take_round(sides, calls))
    return sorted(taken, key=lambda each: each.others)[:rounds]


def take_round(sides: Mapping[str, Callable[[], object]], calls: Mapping[str, int]) -> Round:
    seconds = {}
    began, busy = time.perf_counter(), busy_with_others()
    for name, work in sides.items():
        time.sleep(PAUSE)
        seconds[name] = seconds_of(work, calls[name])
    wall = time.perf_counter() - began
    return Round(seconds, (busy_with_others() - busy) / wall / (os.cpu_count() or 1))


def busy_with_others() -> float:
    """Seconds that all processors together have spent on other processes, or been lent elsewhere; 0 where unknown."""
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0].split()
    except OSError:
        return 0.0
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = map(int, first[1:9])
    ticks = user + nice + system + interrupts + soft_interrupts + stolen
    own = os.times()
    return ticks / os.sysconf("SC_CLK_TCK") - own.user - own.system


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
