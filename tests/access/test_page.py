"""The page asks for a key where the service needs one; pages of others get nothing in a browser that has signed in."""

from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.access.conftest import Owners
from tests.support.browser import Visit, chromium

REBOUND = "rebound.example"
LENIENT = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"
"""Without the defence that newer browsers have of their own: the service's is tried."""
ATTACK = """async (target) => {
  const body = '{"architecture": "Dense(1 => 1)"}';
  const asked = [
    ["/api/models", {mode: "no-cors"}],
    ["/api/models", {method: "POST", mode: "no-cors", body}],
    ["/api/models", {method: "POST", headers: {"Content-Type": "application/json"}, body}],
    ["/api/sign-in", {method: "DELETE"}],
    ["/api/keys", {}],
    ["/metrics", {mode: "no-cors"}],
  ];
  const read = [];
  for (const [path, options] of asked) {
    try {
      const answer = await fetch(target + path, {credentials: "include", ...options});
      if (answer.ok) read.push(await answer.text());
    } catch { /* not even a status */ }
  }
  return read;
}"""
FORM = """(target) => {
  document.body.innerHTML = `<form method=post enctype=text/plain action="${target}/api/models"><input name=a></form>`;
  document.forms[0].submit();
}"""


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


def unnamed(owners: Owners) -> list[str]:
    """Ada's models without names: those of the service's own page have some."""
    items = owners.ada.get("/api/models?limit=1000").json()["items"]
    return [each["id"] for each in items if each["id"] == each["name"]]


def test_pages_elsewhere_get_nothing_from_a_browser_that_signed_in(owners: Owners) -> None:
    """Of another site, of another port of this host, and of a name that was bound to the service's address."""
    ours, key = owners.service.url, owners.ada.headers["Authorization"].removeprefix("Bearer ")
    port = urlsplit(ours).port
    others = ["http://evil.example", f"http://127.0.0.1:{port - 1 if port else 9}"]
    with chromium(f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1", unwanted=LENIENT) as browser:
        context = browser.new_context()
        page = context.new_page()
        page.goto(ours)
        page.evaluate(
            "key => fetch('/api/sign-in', {method: 'POST', body: JSON.stringify({key}), headers: "
            "{'Content-Type': 'application/json'}})",
            key,
        )
        assert page.evaluate("fetch('/api/models').then(answer => answer.status)") == 200
        before = unnamed(owners)
        statuses: list[int] = []
        for origin in (*others, f"http://{REBOUND}:{port}"):
            context.route(f"{origin}/", lambda route: route.fulfill(body="<p>Hello", content_type="text/html"))
            target = f"http://{REBOUND}:{port}" if REBOUND in origin else ours
            other = context.new_page()
            other.goto(f"{origin}/")
            other.on("response", lambda answer: statuses.append(answer.status))
            assert other.evaluate(ATTACK, target) == []
            with other.expect_navigation():
                other.evaluate(FORM, target)
            other.close()
        assert len(statuses) > 12
        assert set(statuses) <= {400, 401, 403}
        assert unnamed(owners) == before
        assert page.evaluate("fetch('/api/models').then(answer => answer.status)") == 200
