"""One browser a file of tests: while it is open its event loop runs in this process, and other tests begin theirs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from service.client import Client
from tests.support.browser import Visit, chromium, visiting
from tests.support.serving import RunningService


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, service: RunningService, client: Client) -> Iterator[Visit]:
    """A visit on a desktop, light, without motion."""
    with visiting(browser, service.url) as visit:
        yield visit
