"""Screenshots of the page for docs/, from a service of their own: `make screenshots`."""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.page.test_own_data import HOUSES, choose
from tests.support.browser import DESKTOP, PHONE, Visit, chromium
from tests.support.serving import running_service

FOLDER = Path(__file__).parents[2] / "docs" / "page"


def fit_a_line(page: Page) -> None:
    page.get_by_role("button", name="Train 201 epochs").click()
    expect(page.get_by_text("201 epochs: the loss went")).to_be_visible()
    page.get_by_label("Epoch 201 of 201").fill("40")
    expect(page.get_by_text("Epoch 40 of 201")).to_be_visible()


def diverging(page: Page) -> None:
    page.get_by_role("button", name="Try 0.11").click()
    page.get_by_role("button", name="Train 201 epochs").click()
    expect(page.get_by_text("201 epochs: the loss went")).to_be_visible()


def faults(page: Page) -> None:
    choose(page, "houses.csv", HOUSES)
    page.get_by_label("What is to be predicted?").select_option("price")
    expect(page.get_by_text("holds 'n/k'")).to_be_visible()


def plan(page: Page) -> None:
    faults(page)
    page.get_by_role("button", name="Count “n/k” as missing").click()
    page.get_by_role("button", name="Use these data").click()
    page.locator("button.main:enabled").get_by_text("Train").wait_for()


def training(page: Page) -> None:
    plan(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="It has succeeded")).to_be_visible()
    expect(page.get_by_role("application", name=re.compile("^Residuals of price"))).to_be_visible()


VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "fit-a-line": ("", fit_a_line),
    "diverging": ("", diverging),
    "own-data": ("own-data", faults),
    "plan": ("own-data", plan),
    "training": ("own-data", training),
}
SHAPES = {"": (DESKTOP, "light"), "-phone": (PHONE, "dark")}


def take(browser: Browser, url: str, folder: Path, shapes: tuple[str, ...]) -> None:
    """Write a picture of each view in each shape into a folder."""
    for name, (address, prepare) in VIEWS.items():
        for shape in shapes:
            size, scheme = SHAPES[shape]
            visit = Visit(browser, url, size, color_scheme=scheme)
            prepare(visit.open(address))
            visit.screenshot(folder / f"{name}{shape}.png")
            visit.context.close()


def main(folder: Path, shapes: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, running_service(Path(data)) as service, chromium() as browser:
        service.wait_until_ready()
        take(browser, service.url, folder, shapes)


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]), tuple(SHAPES))  # all of them, to be looked at
    else:
        main(FOLDER, ("",))
