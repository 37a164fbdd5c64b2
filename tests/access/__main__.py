"""Thousands of attempts to come in without a right, by `make break-in`; none may succeed."""

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path

from tests.access.burglar import Burglar
from tests.access.house import House, keys_in, succeeded
from tests.support.serving import running_service


def main() -> int:
    """Make many attempts; return 1 where one came in."""
    parser = argparse.ArgumentParser(prog="make break-in", description="Attempts to come in without a right.")
    parser.add_argument("--count", type=int, default=10_000, help="attempts; 10,000 by default")
    parser.add_argument("--seed", type=int, default=1, help="decides them; 1 by default")
    asked = parser.parse_args()
    times, answers, came_in = defaultdict[str, list[float]](list), Counter[tuple[str, int]](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = keys_in(folder)
        with running_service(folder) as service:
            house = House(service.url, keys)
            house.furnish()
            for attempt in islice(Burglar(house, asked.seed).attempts(), asked.count):
                begun = time.perf_counter()
                status, answer = house.send(attempt)
                times[attempt.kind].append(time.perf_counter() - begun)
                answers[attempt.kind, status] += 1
                if succeeded(attempt, status, answer):
                    came_in += 1
                    sys.stdout.write(f"CAME IN: {attempt}\n{answer[:500]!r}\n")
            traces = service.log.count("Traceback")
    for kind, taken in sorted(times.items()):
        found = ", ".join(f"{status}: {count}" for (each, status), count in sorted(answers.items()) if each == kind)
        sys.stdout.write(f"{kind:35} median {statistics.median(taken) * 1e3:6.2f} ms   {found}\n")
    sys.stdout.write(f"{sum(answers.values())} attempts, {came_in} came in, {traces} tracebacks in the log\n")
    return int(came_in > 0 or traces > 0)


if __name__ == "__main__":
    sys.exit(main())
