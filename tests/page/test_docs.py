"""The documentation in a browser, under the policy of the page."""

from playwright.sync_api import expect

from service.page.files import FOLDER
from tests.support.browser import Visit


def test_docs_send_requests_and_show_the_fields_that_references_lead_to(visit: Visit) -> None:
    page = visit.page
    page.goto("/docs")
    expect(page.get_by_text("Train and serve Dense networks over HTTP").first).to_be_visible()
    page.locator("[id*=health-live] .opblock-summary").first.click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text('"live"')).to_be_visible()
    page.locator("#operations-jobs-create_job .opblock-summary-control").click()
    body = page.locator("#operations-jobs-create_job .opblock-section-request-body")
    body.get_by_role("tab", name="Schema").click()
    expect(body.get_by_text("A training to run: its model, dataset and recipe.")).to_be_visible()
    schedule = body.locator(".json-schema-2020-12-property").filter(has=page.get_by_role("button", name="schedule"))
    schedule.get_by_role("button", name="Expand all").first.click()
    expect(schedule.get_by_text("the schedule that is repeated").first).to_be_visible()


def test_the_guide_is_on_the_page(visit: Visit) -> None:
    page = visit.page
    for path in sorted((FOLDER / "guide").iterdir()):
        lines = path.read_text(encoding="utf-8").splitlines()
        visit.open(f"guide/{path.stem}")
        expect(page.get_by_role("heading", level=1)).to_have_text(lines[0].removeprefix("# "))
        expect(page.locator("article > h2")).to_have_text([line[3:] for line in lines if line[:3] == "## "])
        assert page.locator("article pre").count() == sum(line.startswith("```") for line in lines) // 2
        assert "](" not in page.locator("article").inner_text()
    page.get_by_role("navigation", name="Sections").get_by_role("link").last.click()
    expect(page.locator("article > h2").last).to_be_focused()
    page = visit.open("guide/learning")
    page.locator("article").get_by_role("link", name="more").first.click()
    expect(page.get_by_role("heading", name="How sure?", exact=True)).to_be_focused()
