"""Every view under axe-core, as wide as a desktop and as narrow as a phone, light and dark."""

import pytest
from playwright.sync_api import Browser, expect

from tests.page.test_own_data import HOUSES, choose
from tests.support.browser import AXE, DESKTOP, PHONE, visiting
from tests.support.serving import RunningService

pytestmark = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not here: make .node-clients/.tools, which needs npm"
)


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_no_view_shuts_anybody_out(
    browser: Browser, service: RunningService, size: tuple[int, int], scheme: str
) -> None:
    with visiting(browser, service.url, size, color_scheme=scheme) as visit:
        page = visit.open()
        page.get_by_text("The requests that made this").click()
        page.get_by_role("button", name="Try 0.11").click()
        page.get_by_role("button", name="Train 201 epochs").click()
        expect(page.get_by_text("201 epochs: the loss went")).to_be_visible()
        assert (visit.violations(), visit.width_beyond()) == ([], 0)
        page = visit.open("own-data")
        choose(page, "rooms.csv", HOUSES)
        page.get_by_label("What is to be predicted?").select_option("town")
        expect(page.get_by_text("holds 'n/k'")).to_be_visible()
        page.get_by_text("How the text is read").click()
        assert (visit.violations(), visit.width_beyond()) == ([], 0)
        page.get_by_role("button", name="Read “area” as categories").click()
        page.get_by_role("button", name="Use these data").click()
        page.locator("button.main:enabled").get_by_text("Train").wait_for()
        assert (visit.violations(), visit.width_beyond()) == ([], 0)
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_role("heading", name="It has succeeded")).to_be_visible()
        assert (visit.violations(), visit.width_beyond()) == ([], 0)
