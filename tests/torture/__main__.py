"""The long run of the torture: processes die thousands of times while jobs train, and 10,000 tiny jobs wait."""

import argparse
import math
import random
import sys
import tempfile
from pathlib import Path

from tests.torture.run import command, torture


def main() -> int:
    parser = argparse.ArgumentParser(prog="make torture ARGS=...", description=__doc__)
    parser.add_argument("--kills", type=int, default=2000, help="deaths of processes; 2000 unless given")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of all faults; else any")  # noqa: S311 - faults, not secrets
    parser.add_argument("--tiny", type=int, default=10_000, help="tiny jobs that wait meanwhile; 10000 unless given")
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs of each kind of job; 1 unless given")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="after which nothing is killed; any unless given"
    )
    options = parser.parse_args()
    run = options.seed, options.kills, options.tiny, options.share
    say(command(*run))
    folder = Path(tempfile.mkdtemp(prefix="descent-torture-"))
    outcome = torture(folder / "data", *run, seconds=options.minutes * 60)
    say(str(outcome), *outcome.violations, f"The data is in {folder}.")
    return 1 if outcome.violations else 0


def say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
