"""One browser for tests of the page that follow each other; it closes before others begin event loops of their own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from service.client import Client
from tests.support.browser import Visit, chromium, visiting
from tests.support.serving import RunningService

HERE = Path(__file__).parent
OPEN = pytest.StashKey[tuple[Browser, ExitStack]]()


@pytest.fixture
def browser(pytestconfig: pytest.Config) -> Browser:
    if OPEN not in pytestconfig.stash:
        with ExitStack() as stack:
            browser = stack.enter_context(chromium())
            pytestconfig.stash[OPEN] = browser, stack.pop_all()
    return pytestconfig.stash[OPEN][0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if OPEN in item.config.stash and (nextitem is None or HERE not in nextitem.path.parents):
        _, stack = item.config.stash[OPEN]
        del item.config.stash[OPEN]
        stack.close()


@pytest.fixture
def visit(browser: Browser, service: RunningService, client: Client) -> Iterator[Visit]:
    """A visit on a desktop, light, without motion."""
    with visiting(browser, service.url) as visit:
        yield visit
