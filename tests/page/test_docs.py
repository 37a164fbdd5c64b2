"""The documentation in a browser, under the policy of the page."""

from typing import Any

from playwright.sync_api import expect

from service.page.files import FOLDER
from tests.support.browser import Visit

SENT = "/health/live"
SCHEMAS = ("Life", "Problem", "FaultShape")
"""What the answers of that operation consist of."""
TOLD = ("operationId", "tags", "summary", "description")


def test_docs_show_and_send_requests_without_a_report(visit: Visit) -> None:
    page = visit.page
    page.route("**/openapi.json", lambda route: route.fulfill(json=shortened(route.fetch().json())))
    page.goto("/docs")
    expect(page.get_by_text("Train and serve Dense networks over HTTP").first).to_be_visible()
    page.locator("[id*=health-live] .opblock-summary").first.click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text('"live"')).to_be_visible()


def shortened(document: dict[str, Any]) -> dict[str, Any]:
    """Leave of all operations but one what is told: among all fields Swagger UI takes ten seconds to open one."""
    paths = {path: {method: told(path, each) for method, each in of.items()} for path, of in document["paths"].items()}
    schemas = {name: document["components"]["schemas"][name] for name in SCHEMAS}
    return {**document, "paths": paths, "components": {**document["components"], "schemas": schemas}}


def told(path: str, operation: Any) -> Any:
    if path == SENT or not isinstance(operation, dict):
        return operation
    return {key: operation[key] for key in TOLD if key in operation} | {"responses": {"200": {"description": "Done"}}}


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
