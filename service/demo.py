"""The tutorial "fitting a straight line" over HTTP, and its figures beside ours."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import log as logarithm
from pathlib import Path

import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from service.client import Client, ProblemError
from service.jobs.schemas import EpochReport

TRAIN, TEST = range(6), range(6, 11)
RATE = 0.1
STARTS = (0.9066542, 1.30379)
"""The tutorial's losses and predictions belong to the first initial weight; the parameters it prints, to the second."""


@dataclass(frozen=True)
class Figure:
    """A number that the tutorial prints, and ours. They agree when `digits` significant digits do."""

    name: str
    tutorial: float
    here: float
    digits: int

    @property
    def agrees(self) -> bool:
        return abs(self.here - self.tutorial) <= 0.5 * 10.0 ** (_exponent(self.tutorial) - self.digits + 1)


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


@dataclass(frozen=True)
class Walk:
    """The figures of one walk through the tutorial."""

    start: float
    untrained: list[float]
    reports: list[EpochReport]
    parameters: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Weight and bias by the number of epochs."""
    predictions: list[float] = field(default_factory=list)
    test_loss: float | None = None

    def loss(self, epoch: int) -> float:
        return self.reports[epoch].train_loss


def run(url: str | None, key: str | None = None) -> bool:
    """Walk through the tutorial from both starts, print, and return whether all figures agree."""
    console = Console(highlight=False)
    with _service(url) as address, Client(address, key=key) as client:
        console.print(f"\nDescent at {address} learns 4x + 2 with Dense(1 => 1)", style="bold")
        walks = _walks(client, address)
    figures = compare(*walks)
    console.print(_table(figures))
    console.print(_predictions(walks[0]))
    console.print(f"Loss of every epoch, on a log scale: {sparkline(walks[0].reports)}")
    agree = all(figure.agrees for figure in figures)
    verdict = "All figures of the tutorial are met." if agree else "Some figures differ from the tutorial's."
    console.print()
    console.print(verdict, style="bold green" if agree else "bold red")
    return agree


class NoService(Exception):
    """No service can be walked through; the message is one sentence with the reason and the remedy."""


def _walks(client: Client, address: str) -> list[Walk]:
    """Walk from both starts.

    Raises:
        NoService: nothing answers at the address, or something else.
    """
    try:
        return [walk(client, start) for start in STARTS]
    except (httpx.HTTPError, httpx.InvalidURL, ProblemError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        remedy = "give the address of a service that is up, or none, and one is started"
        raise NoService(f"{address} does not answer as Descent does ({reason}): {remedy}.") from None


def walk(client: Client, start: float) -> Walk:
    """Data, model, one epoch, 200 more, a check on test data."""
    xs = [*TRAIN, *TEST]
    dataset = client.create_dataset(
        {"x": list(xs), "y": [4 * x + 2 for x in xs]}, targets=["y"], split={"test": {"last": len(TEST)}}
    )
    model = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[start]], "bias": [0]}])
    inputs: list[list[float]] = [[x] for x in TEST]
    untrained = [row[0] for row in client.predict(model.id, inputs).outputs]
    result = Walk(start, untrained, [])
    done = 0
    for epochs in (1, 200):
        job = client.train(model.id, dataset.id, epochs=epochs, optimiser={"rule": "Descent", "eta": RATE}, wait=60)
        result.reports.extend(
            client.epochs(job.id)[1 if done else 0 :]
        )  # a job's report 0 is the last of the job before
        done += epochs
        layer = client.parameters(model.id).layers[0]
        result.parameters[done] = layer["weight"][0][0], layer["bias"][0]
    result.predictions.extend(row[0] for row in client.predict(model.id, inputs).outputs)
    loss = client.evaluate(model.id, dataset.id).loss
    return Walk(start, untrained, result.reports, result.parameters, result.predictions, loss)


def compare(first: Walk, second: Walk) -> list[Figure]:
    """Return the tutorial's figures beside those of its two starts."""
    one, all_ = second.parameters[1], second.parameters[201]
    return [
        Figure("loss before training", 122.64735, first.loss(0), 4),
        Figure("loss after 1 epoch", 116.38741, first.loss(1), 4),
        Figure("loss after 201 epochs", 0.00339581, first.loss(201), 4),
        Figure("weight after 201 epochs", 4.01785, first.parameters[201][0], 5),
        Figure("bias after 201 epochs", 2.00503, first.parameters[201][1], 5),
        *(
            Figure(f"prediction for x = {x}", tutorial, here, 5)
            for x, tutorial, here in zip(
                TEST, (26.1121, 30.1300, 34.1479, 38.1657, 42.1836), first.predictions, strict=True
            )
        ),
        Figure(f"weight after 1 epoch, from {second.start:g}", 7.246838, one[0], 5),
        Figure(f"bias after 1 epoch, from {second.start:g}", 1.748103, one[1], 5),
        Figure(f"weight after 201 epochs, from {second.start:g}", 4.0159144, all_[0], 5),
        Figure(f"bias after 201 epochs, from {second.start:g}", 2.004479, all_[1], 5),
    ]


def _table(figures: list[Figure]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(f"from weight {STARTS[0]:g}, bias 0")
    table.add_column("tutorial", justify="right")
    table.add_column("here", justify="right")
    table.add_column("")
    for figure in figures:
        mark = "[green]✓[/]" if figure.agrees else "[red]differs[/]"
        table.add_row(figure.name, plain(figure.tutorial), plain(figure.here), mark)
    return table


def _predictions(first: Walk) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("x", "truth", "untrained", "trained"):
        table.add_column(heading, justify="right")
    for x, untrained, trained in zip(TEST, first.untrained, first.predictions, strict=True):
        table.add_row(str(x), str(4 * x + 2), plain(untrained), plain(trained))
    return table


def plain(value: float) -> str:
    """Return a number in plain decimals, with 7 significant digits."""
    return f"{value:.{max(0, 6 - _exponent(value))}f}"


def sparkline(reports: list[EpochReport], width: int = 50) -> str:
    """Return the losses, falling, in one line."""
    logs = [logarithm(max(report.train_loss, 1e-300)) for report in reports]
    low, high = min(logs), max(logs)
    picked = [logs[round(index * (len(logs) - 1) / (width - 1))] for index in range(width)]
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (value - low) / ((high - low) or 1))] for value in picked)


@contextmanager
def _service(url: str | None) -> Iterator[str]:
    """The service at `url`, or one started for the occasion on a free port with a temporary database."""
    if url is not None:
        yield url.rstrip("/")
        return
    with tempfile.TemporaryDirectory(prefix="descent-demo-") as folder:
        command = [sys.executable, "-m", "service", "serve", "--port", "0", "--data", folder, "--host", "127.0.0.1"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DESCENT_")}
        log = Path(folder) / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Descent is at "):
            return line.removeprefix("Descent is at ").strip()
    raise httpx.ConnectError(f"The service did not start:\n{log.read_text()}")
