"""The measurements, as Markdown tables in benchmarks/results/."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"
OURS = "Descent"


def duration(value: float) -> str:
    """Seconds, in the unit that suits them."""
    unit, factor = next(((u, f) for u, f in (("s", 1.0), ("ms", 1e3)) if value * f >= 1), ("µs", 1e6))
    return f"{value * factor:.3g} {unit}"


def ratios(measurement: Mapping[str, Any]) -> dict[str, float]:
    """Each peer's time as a multiple of ours: the median over rounds, each of them under the same load."""
    rounds = [taken["seconds"] for taken in measurement["rounds"]]
    return {side: median(each[side] / each[OURS] for each in rounds) for side in rounds[0] if side != OURS}


def seconds(measurement: Mapping[str, Any]) -> dict[str, float]:
    """The median of each side."""
    rounds = [taken["seconds"] for taken in measurement["rounds"]]
    return {side: median(each[side] for each in rounds) for side in rounds[0]}


def others(measurement: Mapping[str, Any]) -> str:
    """The share of the machine that other processes took in the worst of the rounds."""
    return f"{max(0.0, *(taken['others'] for taken in measurement['rounds'])):.0%}"


def misses(measurement: Mapping[str, Any]) -> list[str]:
    found = ratios(measurement)
    return [f"{peer} {found[peer]:.3g} < {aim:.3g}" for peer, aim in measurement["aims"].items() if found[peer] < aim]


def sentence(measurement: Mapping[str, Any]) -> str:
    """The measurement on one line of a terminal."""
    peers = ", ".join(
        f"{peer} {duration(seconds(measurement)[peer])} ({ratio:.3g} times ours)"
        for peer, ratio in ratios(measurement).items()
    )
    missed = f"  MISSED: {'; '.join(misses(measurement))}" if misses(measurement) else ""
    return (
        f"{measurement['title']}, {measurement['setting']}, {measurement['threads']} thread(s): "
        f"{duration(seconds(measurement)[OURS])}, {peers}{missed}"
    )


def write(name: str, machine: Mapping[str, str], measurements: Sequence[Mapping[str, Any]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    lines = [f"# {name.replace('_', ' ').capitalize()}", ""]
    for title, group in groupby(measurements, key=lambda m: str(m["title"])):
        lines += [f"## {title}", "", *table(list(group)), ""]
    lines += [
        "Medians over the rounds; in brackets how many times ours. Aims are least ratios; `others` is the share of the",
        "machine that other processes took in the worst round.",
        "",
    ]
    lines += [f"* {key}: {value}" for key, value in machine.items()]
    lines += [f"* measured: {datetime.now(UTC):%Y-%m-%d}, by `make bench ARGS={name}`", ""]
    (RESULTS / f"{name}.md").write_text("\n".join(lines))


def table(measurements: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    peers = list(dict.fromkeys(peer for m in measurements for peer in ratios(m)))
    yield f"| setting | threads | {OURS} | {' | '.join(peers)} | aims | missed | others |"
    yield "| --- | --- " + "| --- " * (len(peers) + 4) + "|"
    for measurement in measurements:
        found, medians = ratios(measurement), seconds(measurement)
        cells = [f"{duration(medians[p])} ({found[p]:.3g})" if p in found else "" for p in peers]
        aims = ", ".join(f"{peer} {aim:.3g}" for peer, aim in measurement["aims"].items())
        row = [measurement["setting"], str(measurement["threads"]), duration(medians[OURS]), *cells]
        yield f"| {' | '.join([*row, aims, '; '.join(misses(measurement)), others(measurement)])} |"
