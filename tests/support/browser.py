"""A browser for tests of the page: Debian's Chromium, watched for errors, foreign requests and CSP reports."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.clients.places import NODE

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
MISSING = "Chromium is not here, which tests of the page need: apt-get install chromium"
AXE = NODE / "node_modules" / "axe-core" / "axe.min.js"
"""The checker of accessibility, which `make test` installs where npm is."""
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False, "selectors": False}
"""Without what nobody reads: style sheets loaded anew and media, for rules about sound, and a selector of each node."""
RULES_OF_SHAPES = ("color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size")
"""The rules of axe-core whose verdict another width or other colours may change."""
PATIENCE = 30_000
"""Milliseconds that a browser waits for what is to appear."""
DESKTOP, PHONE = (1280, 900), (360, 740)

UNWANTED = (
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,"
    "AimEnabled,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsFirstBalancedModeAutoEnable,"
    "HttpsUpgrades,LensOverlay,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,"
    "ThirdPartyStoragePartitioning"
)
"""Features of Chromium that stay off: first its own address bar, a page of 400 modules that it loads beside every new
window, for half a second; then those that Playwright turns off, whose list this one takes the place of."""

REPORTS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


@contextmanager
def chromium(*arguments: str, unwanted: str = "") -> Iterator[Browser]:
    """Chromium, with more arguments and more features off; without it the test is skipped, and fails where CI=true."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", f"--disable-features={UNWANTED},{unwanted}", *arguments]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


class Visit:
    """A visit of the page, in a context of its own; `faults` are what no view may have."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = DESKTOP, **options: Any) -> None:
        self.url = url
        self.faults: list[str] = []
        self.refusals = 0
        """Answers of 4xx that the test asks for: browsers log each as an error."""
        options = {"reduced_motion": "reduce", "viewport": {"width": size[0], "height": size[1]}, **options}
        self.context = browser.new_context(base_url=url, **options)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(REPORTS)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("request", self._see)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 4" not in text:
            self.faults.append(text)
        elif kind == "error":
            self.refusals += 1

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.faults.append(f"a request left the host: {request.url}")

    def open(self, view: str = "") -> Page:
        """Open a view by its address behind `#/`, and return the page once its heading is there."""
        self.page.goto(f"/#/{view}")
        self.page.locator("main h1").wait_for()
        return self.page

    def take_shape(self, size: tuple[int, int], scheme: Literal["light", "dark"]) -> None:
        """Go on in a window of another size, light or dark; what is shown stays."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=scheme)

    def violations(self, *rules: str) -> list[str]:
        """What axe-core finds on the page as it stands, by some of its rules or by all."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        options = {**AXE_OPTIONS, **({"runOnly": rules} if rules else {})}
        found = self.page.evaluate("(options) => axe.run(document, options)", options)
        return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]

    def width_beyond(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=path, full_page=True)


@contextmanager
def visiting(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, **options: Any) -> Iterator[Visit]:
    """A visit after which no fault is left and no request was refused."""
    visit = Visit(browser, url, size, **options)
    yield visit
    visit.context.close()
    assert visit.faults == []
    assert visit.refusals == 0
