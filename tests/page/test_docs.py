"""The documentation in a browser, under the policy of the page."""

from playwright.sync_api import expect

from tests.support.browser import Visit


def test_docs_show_and_send_requests_without_a_report(visit: Visit) -> None:
    page = visit.page
    page.goto("/docs")
    expect(page.get_by_text("Train and serve Dense networks over HTTP").first).to_be_visible()
    page.locator(
        "#operations-health-live_health_live_get .opblock-summary, [id*=health-live] .opblock-summary"
    ).first.click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text('"live"')).to_be_visible()
