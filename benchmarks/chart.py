"""The chart of an epoch's cost against the number of rows, drawn from the measurements of `rows`."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.results import OURS, RESULTS, seconds

COLOURS = {OURS: "#1b6ca8", "after the pass": "#66a182", "PyTorch eager": "#d1495b"}
LABELS = {OURS: "Descent, pass over the data included", "after the pass": "Descent, sums of the data known"}
LINES = ("-", "--", ":")


def draw(measurements: Sequence[Mapping[str, Any]]) -> None:
    mpl.rcParams |= {"svg.hashsalt": "descent", "svg.fonttype": "none"}
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    threads = sorted({m["threads"] for m in measurements})
    for count, side in product(threads, COLOURS):
        mine = [m for m in measurements if m["threads"] == count]
        rows = [int(m["setting"].removesuffix(" rows").replace(",", "")) for m in mine]
        axes.loglog(
            rows,
            [1e3 * seconds(m)[side] for m in mine],
            LINES[threads.index(count) % len(LINES)],
            color=COLOURS[side],
            marker="o",
            markersize=4,
            label=f"{LABELS.get(side, side)}, {count} thread{'s' * (count > 1)}",
        )
    axes.set(xlabel="rows, 32 columns each", ylabel="milliseconds per epoch, of 200 epochs")
    axes.set_title("Linear regression: cost of an epoch")
    axes.grid(which="major", alpha=0.3)
    axes.legend()
    figure.savefig(RESULTS / "rows.svg", metadata={"Date": None})
    plt.close(figure)
