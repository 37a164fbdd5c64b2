"""Seconds until a service lives and is ready, beside another checkout of it, such as the commit before.

.venv/bin/python -m benchmarks.start --before /path/to/other/checkout [--rounds 5]

Each checkout has its own environment in .venv. Both take turns, round after round, first with an empty data folder and
then with the folder that this has left.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median

import psutil

from benchmarks.results import duration
from tests.support.serving import free_port

ROOT = Path(__file__).parents[1]
STARTS = ("in an empty folder", "in the same folder again")
FIGURES = ("live", "ready", "processor time to ready")
AIMS = {"live": 0.5, "ready": 0.6}
"""Shares of the time of the other checkout."""
HELP, TYPER = "descent --help", "import typer"
HELP_AIM = 1.5
"""Times the import of typer alone."""
BETWEEN_LOOKS = 0.01
LONGEST = 120.0
"""Seconds until a start counts as failed."""


@dataclass(frozen=True)
class Start:
    """Seconds from a process's begin."""

    live: float
    ready: float
    processor: float
    """Taken by all processes of the service until it was ready."""


def start(checkout: Path, data: Path) -> Start:
    port = free_port()
    began = time.perf_counter()
    with serving(checkout, data, port) as process:
        live = until(port, "/health/live", process) - began
        ready = until(port, "/health/ready", process) - began
        return Start(live, ready, processor_time(process.pid))


@contextmanager
def serving(checkout: Path, data: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [str(checkout / ".venv" / "bin" / "descent"), "serve", "--port", str(port), "--data", str(data)]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=checkout, stdout=log, stderr=log, env=environment()) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def environment() -> dict[str, str]:
    """Our environment, without settings of a service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DESCENT_")}


def until(port: int, path: str, process: "subprocess.Popen[bytes]") -> float:
    """The moment at which it answers 200 there."""
    deadline = time.perf_counter() + LONGEST
    while time.perf_counter() < deadline and process.poll() is None:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", port, timeout=LONGEST)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.perf_counter()
            connection.close()
        time.sleep(BETWEEN_LOOKS)
    sys.exit(f"{process.args!r} did not answer at {path}")


def processor_time(pid: int) -> float:
    service = psutil.Process(pid)
    times = [each.cpu_times() for each in (service, *service.children(recursive=True))]
    return float(sum(taken.user + taken.system + taken.children_user + taken.children_system for taken in times))


def command_times(checkout: Path) -> dict[str, float]:
    """Seconds of the shortest command, and of the imports that it cannot do without."""
    programs = checkout / ".venv" / "bin"
    commands = {
        HELP: [str(programs / "descent"), "--help"],
        TYPER: [str(programs / "python"), "-c", "import typer"],
    }
    return {name: seconds_of(command, checkout) for name, command in commands.items()}


def seconds_of(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment())
    return time.perf_counter() - began


def compare(before: Path, rounds: int) -> bool:
    """Print the medians; whether all aims are met."""
    sides = {"before": before, "now": ROOT}
    starts: dict[tuple[str, str], list[Start]] = {(kind, side): [] for kind in STARTS for side in sides}
    commands: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for number in range(rounds):
        for side, checkout in sides.items():
            with tempfile.TemporaryDirectory() as folder:
                for kind in STARTS:
                    starts[kind, side].append(start(checkout, Path(folder) / "data"))
            commands[side].append(command_times(checkout))
        print(f"round {number + 1} of {rounds} is done", file=sys.stderr)
    met = [compare_starts(kind, {side: starts[kind, side] for side in sides}) for kind in STARTS]
    met += [compare_commands(side, commands[side]) for side in sides]
    return all(met)


def compare_starts(kind: str, starts: Mapping[str, list[Start]]) -> bool:
    met = True
    for figure, name in zip(FIGURES, ("live", "ready", "processor"), strict=True):
        before, now = (median(getattr(each, name) for each in starts[side]) for side in ("before", "now"))
        aim = AIMS.get(figure)
        missed = aim is not None and now > aim * before
        wanted = "" if aim is None else f", {aim:.0%} wanted{': MISSED' if missed else ''}"
        print(f"{figure} {kind}: {duration(before)} before, {duration(now)} now ({now / before:.0%}{wanted})")
        met &= not missed
    return met


def compare_commands(side: str, taken: list[dict[str, float]]) -> bool:
    helped, typer = (median(each[name] for each in taken) for name in (HELP, TYPER))
    missed = side == "now" and helped > HELP_AIM * typer
    wanted = f", at most {HELP_AIM} wanted{': MISSED' if missed else ''}" if side == "now" else ""
    print(f"{HELP} {side}: {duration(helped)}, {helped / typer:.2f} times {TYPER} ({duration(typer)}){wanted}")
    return not missed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, help="a checkout with its environment in .venv")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sys.exit(0 if compare(arguments.before.absolute(), arguments.rounds) else 1)


if __name__ == "__main__":
    main()
