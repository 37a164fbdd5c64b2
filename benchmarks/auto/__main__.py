"""Judge `"architecture": "auto"` with `"recipe": "auto"` beside scikit-learn's networks, on ten tables named before.

    python -m benchmarks.auto                  all, ten splits each; about an hour on one processor
    python -m benchmarks.auto ccard --splits 3

What was measured is kept line by line in benchmarks/results/auto.jsonl: with --keep a further run goes on from there,
without it a run begins anew. The last lines tell how often ours is no worse, by one standard error of the paired
differences.
"""

import argparse
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from threadpoolctl import threadpool_limits

from benchmarks.auto import ours, peer
from benchmarks.auto.peer import Outcome
from benchmarks.auto.tables import TABLES, Table
from benchmarks.results import RESULTS

KEPT = RESULTS / "auto.jsonl"
SIDES: Mapping[str, Callable[[Table, int], Outcome]] = {
    "auto": ours.measured,
    "defaults": lambda table, seed: peer.measured(table, seed, search=False),
    "best of 20": lambda table, seed: peer.measured(table, seed, search=True),
}
SPLITS = 10
Outcomes = dict[tuple[str, str], dict[int, Outcome]]


def measure(names: list[str], splits: int, kept: Path) -> Outcomes:
    """Return the outcomes by table and side, and by split; measure those that are not kept."""
    found: Outcomes = {(name, side): {} for name in names for side in SIDES}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        known: dict[str, Any] = json.loads(line)
        if (place := (known["table"], known["side"])) in found:
            found[place][known["split"]] = Outcome(known["score"], known["seconds"])
    for name in names:
        table = TABLES[name]()
        for split in range(splits):
            for side, measured in SIDES.items():
                if split in found[name, side]:
                    continue
                with threadpool_limits(1):
                    outcome = found[name, side][split] = measured(table, split)
                with kept.open("a") as file:
                    file.write(json.dumps({"table": name, "side": side, "split": split, **vars(outcome)}) + "\n")
        print(*row(name, found), sep="  ", flush=True)
    return found


def beats(found: Outcomes, name: str, side: str) -> bool:
    """Whether the mean of ours is no worse than that of a side, by one standard error."""
    mean, error = difference(found, name, side)
    return mean >= -error or math.isclose(mean, -error)  # few rows may make the two equal, but for rounding


def difference(found: Outcomes, name: str, side: str) -> tuple[float, float]:
    """The mean difference of scores on the same splits, and its standard error."""
    mine, other = found[name, "auto"], found[name, side]
    differences = [mine[split].score - other[split].score for split in mine if split in other]
    return fmean(differences), stdev(differences) / math.sqrt(len(differences))


def row(name: str, found: Outcomes) -> list[str]:
    cells = [name]
    for side in SIDES:
        outcomes = found[name, side].values()
        cells.append(f"{fmean(each.score for each in outcomes):.4f} ({fmean(each.seconds for each in outcomes):.2f} s)")
    for side in list(SIDES)[1:]:
        mean, error = difference(found, name, side)
        cells.append(f"{mean:+.4f} ± {error:.4f}{'' if beats(found, name, side) else ' WORSE'}")
    return cells


def verdict(names: list[str], found: Outcomes) -> list[str]:
    def seconds(side: str) -> float:
        return sum(each.seconds for name in names for each in found[name, side].values())

    counts = {side: sum(beats(found, name, side) for name in names) for side in list(SIDES)[1:]}
    told = [f"no worse than {side}: {count} of {len(names)} tables" for side, count in counts.items()]
    return [*told, f"seconds of CPU: {', '.join(f'{side} {seconds(side):.0f}' for side in SIDES)}"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.auto", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="table", help=f"of {', '.join(TABLES)}; default: all")
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--keep", action="store_true", help="go on from what was measured before")
    arguments = parser.parse_args()
    if arguments.splits < 2:
        parser.error("--splits must be at least 2: one has no standard error")
    names = arguments.names or list(TABLES)
    if not arguments.keep:
        KEPT.unlink(missing_ok=True)
    found = measure(names, arguments.splits, KEPT)
    heads = ["table", *SIDES, *(f"auto − {side}" for side in list(SIDES)[1:])]
    rows = [heads, ["---"] * len(heads), *(row(name, found) for name in names)]
    told = verdict(names, found)
    lines = ["# Auto", "", *(f"| {' | '.join(cells)} |" for cells in rows), "", *(f"* {line}" for line in told), ""]
    lines += [
        "Scores of the tests, a quarter of the rows: R², or the share of right classes; mean seconds of a split.",
        "",
    ]
    (RESULTS / "auto.md").write_text("\n".join(lines))
    print("\n".join(told))


if __name__ == "__main__":
    main()
