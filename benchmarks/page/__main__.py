"""Figures of the page in Chromium, beside an empty page in the same run: `make bench-page`.

make bench-page ARGS="--rounds 20"        workers idle; medians of the rounds
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks.machine import processor
from benchmarks.page.browser import frames, longest_gap, opened, processor_share, seconds_until
from benchmarks.page.streams import Recording, playing
from benchmarks.results import RESULTS, duration
from service.client import Client
from tests.support.browser import chromium
from tests.support.serving import running_service
from tests.support.training import line, straight

USABLE = (
    "[...document.querySelectorAll('button.main')].some((each) => each.textContent.includes('Train') && !each.disabled)"
)
"""“Train” can be pressed: what it needs of the API comes before or after."""
WHOLE = "document.querySelectorAll('.plot canvas').length > 1 && document.querySelector('.made-by')"
"""Both charts are drawn, and the API has answered with the model and the points."""
DRAWN = (
    "document.querySelector('.facts')?.textContent.includes('1,000,000 of') && document.querySelector('.plot canvas')"
)
SCRUB = """(frame) => {
  const slider = document.querySelector('#scrubber');
  slider.value = String(frame % (Number(slider.max) + 1));
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}"""
SCRUBBER = "document.querySelector('#scrubber')?.max === '200' && document.querySelectorAll('.plot canvas').length > 2"
CLEAR = "() => document.querySelector('#canvas').getContext('2d').clearRect(0, 0, 800, 300)"
WATCHED = "document.querySelectorAll('tbody tr').length >= 50"
CURVE = "document.querySelector('.plot canvas')"
SECONDS = 10.0


@dataclass(frozen=True)
class Figure:
    """A figure, and the most or the least that is wanted."""

    name: str
    shown: str
    aim: str
    is_met: bool


def first_view(browser: Browser, url: str, empty: str, rounds: int) -> Iterator[Figure]:
    """The first view beside an empty page, from an empty store of the browser, in turns."""
    taken: list[list[float]] = []
    for _ in range(rounds):
        nothing = _until(browser, empty, "document.readyState === 'complete'")
        taken.append([*nothing, *_until(browser, url, USABLE, WHOLE)])
    empty_page, usable, whole = (median(times) for times in zip(*taken, strict=True))
    later = usable - empty_page
    yield Figure("The first view can be used, after an empty page", duration(later), "at most 300 ms", later <= 0.3)
    yield Figure("The first view is whole, after an empty page", duration(whole - empty_page), "none", is_met=True)


def _until(browser: Browser, address: str, *found: str) -> list[float]:
    """Seconds until each of these holds, one after the other."""
    page = opened(browser, address)
    seconds = [seconds_until(page, each) for each in found]
    page.context.close()
    return seconds


def long_job(browser: Browser, url: str, job: str, rounds: int) -> Figure:
    """A job of a million epochs, from the click in the list to its curve."""
    taken = []
    for _ in range(rounds):
        page = opened(browser, f"{url}/#/jobs")
        seconds_until(page, f"document.querySelector('a[href$=\"{job}\"]')")
        page.evaluate(f"globalThis.began = performance.now(); location.hash = '#/jobs/{job}'; undefined")
        end = seconds_until(page, DRAWN)
        taken.append(end - float(page.evaluate("began")) / 1000)
        page.context.close()
    seconds = median(taken)
    return Figure(
        "A job of 1,000,000 epochs shows its curve of 500 points", duration(seconds), "at most 200 ms", seconds <= 0.2
    )


def scrubbing(browser: Browser, url: str, empty: str, job: str, rounds: int) -> Figure:
    """Another kept epoch in each frame, beside a canvas that is cleared in each frame; epochs come from the service."""
    shares = []
    for _ in range(scrubs(rounds)):
        page = opened(browser, empty)
        seconds_until(page, "document.querySelector('#canvas')")
        most = len(frames(page, 3, CLEAR))
        page.context.close()
        page = opened(browser, f"{url}/#/jobs/{job}")
        seconds_until(page, SCRUBBER)
        shares.append(len(frames(page, 3, SCRUB)) / most)
        page.context.close()
    share = median(shares)
    return Figure(
        "Scrubbing 200 kept epochs, frames beside an empty canvas", f"{share:.0%}", "at least 60 %", share >= 0.6
    )


def scrubs(rounds: int) -> int:
    """A round of scrubbing takes longer than the others."""
    return max(1, rounds // 5)


def watching(browser: Browser, recording: Recording) -> Figure:
    """50 jobs in the list of trainings, each of which reports four times a second."""
    with playing(recording, jobs=50, flushes=4, reports=1) as url:
        page = opened(browser, f"{url}/#/jobs")
        seconds_until(page, WATCHED)
        share = processor_share(page, SECONDS)
        page.context.close()
    return Figure(
        "50 watched jobs, four reports a second each", f"{share:.0%} of a core", "at most 25 %", share <= 0.25
    )


def flood(browser: Browser, recording: Recording) -> Figure:
    """One job with 1,000 reports a second, each an event of its own."""
    with playing(recording, jobs=1, flushes=1000, reports=1) as url:
        page = opened(browser, f"{url}/#/jobs/job_{0:026}")
        seconds_until(page, CURVE)
        gap = longest_gap(frames(page, SECONDS))
        page.context.close()
    return Figure(
        "The longest time without a frame at 1,000 reports a second", duration(gap), "at most 250 ms", gap <= 0.25
    )


def prepared(client: Client) -> tuple[str, str, Recording]:
    """A job of a million epochs, one with 200 kept epochs, and a recording of the latter."""
    dataset, model = line(client).id, straight(client).id
    long = client.train(model, dataset, wait=60, epochs=1_000_000, optimiser={"rule": "Descent", "eta": 1e-6})
    kept = client.train(straight(client).id, dataset, wait=60, epochs=200, keep_every=1)
    reports = client.http.get(f"/api/jobs/{kept.id}/epochs", params={"limit": 1000}).json()["items"]
    return long.id, kept.id, Recording(client.http.get(f"/api/jobs/{kept.id}").json(), reports)


def measured(rounds: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as service, chromium() as browser:
        service.wait_until_ready()
        with service.client() as client:
            long, kept, recording = prepared(client)
        with playing(recording, jobs=1, flushes=1, reports=1) as other:
            empty = f"{other}/empty"
            yield from first_view(browser, service.url, empty, rounds)
            yield long_job(browser, service.url, long, rounds)
            yield scrubbing(browser, service.url, empty, kept, rounds)
        yield watching(browser, recording)
        yield flood(browser, recording)


def write(figures: list[Figure], rounds: int) -> None:
    lines = ["# Page", "", "| figure | measured | aim | met |", "| --- | --- | --- | --- |"]
    lines += [f"| {each.name} | {each.shown} | {each.aim} | {'yes' if each.is_met else 'no'} |" for each in figures]
    lines += ["", f"* processor: {processor()}", "* Chromium without a screen"]
    lines += [f"* medians of {rounds} rounds, of scrubbing {scrubs(rounds)}; the last two figures are of one run"]
    lines += [f"* measured: {datetime.now(UTC):%Y-%m-%d}, by `make bench-page`", ""]
    (RESULTS / "page.md").write_text("\n".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keep", action="store_true", help="write results/page.md")
    arguments = parser.parse_args()
    figures = []
    for figure in measured(arguments.rounds):
        print(f"{figure.name}: {figure.shown} ({figure.aim}{'' if figure.is_met else ': MISSED'})", flush=True)
        figures.append(figure)
    if arguments.keep:
        write(figures, arguments.rounds)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
