"""Measurements inside and of a browser."""

import time
from itertools import pairwise
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

from tests.support.browser import DESKTOP

WAIT_FOR = """
globalThis.until = (found) => new Promise((resolve) => {
  const look = () => {
    const at = performance.now();
    // What is found counts once it is painted.
    if (found()) requestAnimationFrame(() => setTimeout(() => resolve(at), 0));
    else setTimeout(look, 4);
  };
  look();
});
globalThis.frames = (seconds, each) => new Promise((resolve) => {
  const times = [];
  const began = performance.now();
  const frame = (now) => {
    times.push(now);
    if (performance.now() - began > 1000 * seconds) resolve(times);
    else { each(times.length); requestAnimationFrame(frame); }
  };
  requestAnimationFrame(frame);
});
"""
"""Functions that measuring scripts use: `until(found)` gives the milliseconds since the page was asked for, and
`frames(seconds, each)` the times of all frames, in each of which `each` is called."""


def opened(browser: Browser, address: str) -> Page:
    """A page in a context of its own, which has nothing stored."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    context.set_default_timeout(120_000)
    context.add_init_script(WAIT_FOR)
    page = context.new_page()
    page.goto(address, wait_until="commit")
    return page


def seconds_until(page: Page, found: str) -> float:
    """Seconds from the page's begin until a condition of JavaScript holds."""
    return float(page.evaluate(f"until(() => {found})")) / 1000


def frames(page: Page, seconds: float, each: str = "() => {}") -> list[float]:
    """Seconds at which the frames were drawn while `each` was called in every one."""
    times: list[float] = page.evaluate(f"frames({seconds}, {each})")
    return [time / 1000 for time in times]


def longest_gap(times: list[float]) -> float:
    return max(after - before for before, after in pairwise(times))


def processor_share(page: Page, seconds: float) -> float:
    """The share of one core that the browser takes, all of its processes together."""
    before, began = _processor_time(), time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    return (_processor_time() - before) / (time.monotonic() - began)


def _processor_time() -> float:
    taken = 0.0
    for process in psutil.Process().children(recursive=True):
        if "chrom" in _name(process):
            times: Any = process.cpu_times()
            taken += times.user + times.system
    return taken


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""
