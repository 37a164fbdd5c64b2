"""The page asks for a key where the service needs one."""

from playwright.sync_api import expect

from tests.access.conftest import Owners
from tests.support.browser import Visit, chromium


def test_the_page_asks_for_a_key_and_goes_on_with_it(owners: Owners) -> None:
    with chromium() as browser:
        visit = Visit(browser, owners.service.url)
        page = visit.open()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_label("Key").fill("dsc_wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("This key is not known here")).to_be_visible()
        page.get_by_label("Key").fill(owners.ada.headers["Authorization"].removeprefix("Bearer "))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Train 201 epochs").click()
        expect(page.get_by_text("201 epochs: the loss went")).to_be_visible()
        page.get_by_role("button", name="Sign out ada").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert "dsc_" not in page.url
        assert visit.faults == []
