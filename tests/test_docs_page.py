"""The interactive documentation, which needs nothing from the internet."""

import re
from html.parser import HTMLParser

import httpx

from service.page.headers import PAGE_HEADERS


class Links(HTMLParser):
    """Collects what a page loads, and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts = ""
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attributes if name in ("src", "href") and value]
        self._in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts += data


def test_the_page_mentions_no_other_host(http: httpx.Client) -> None:
    answer = http.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert re.findall(r"https?:|//[a-z]", answer.text) == []


def test_all_that_the_page_loads_is_served_here(http: httpx.Client) -> None:
    page = Links(http.get("/docs").text)
    assert not page.scripts.strip()
    addresses = re.findall(r'url: "([^"]+)"', http.get("/docs/assets/start.js").text)
    assert "/openapi.json" in addresses
    assert len(page.links) == 4
    kinds = {}
    for link in [*page.links, *addresses]:
        answer = http.get(link)
        assert answer.status_code == 200, link
        assert answer.content
        kinds[link.rpartition(".")[2]] = answer.headers["content-type"].partition(";")[0]
    assert kinds == {"css": "text/css", "js": "text/javascript", "png": "image/png", "json": "application/json"}


def test_the_badge_of_a_validator_elsewhere_is_off(http: httpx.Client) -> None:
    assert "validatorUrl: null" in http.get("/docs/assets/start.js").text


def test_pages_that_would_load_scripts_from_elsewhere_are_off(http: httpx.Client) -> None:
    assert http.get("/redoc").status_code == 404
    assert http.get("/docs/oauth2-redirect").status_code == 404


def test_the_page_has_the_policy_of_the_other_page(http: httpx.Client) -> None:
    docs, page = http.get("/docs"), http.get("/", headers={"Accept": "text/html"})
    for name, value in PAGE_HEADERS.items():
        assert docs.headers.get_list(name) == page.headers.get_list(name) == [value]


def test_the_root_is_a_page_for_browsers(http: httpx.Client) -> None:
    answer = http.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"].split(", ")


def test_the_root_tells_programs_that_the_server_is_alive(http: httpx.Client) -> None:
    assert http.get("/").json() == {"status": "alive"}  # what KServe's clients of V1 ask


def test_nothing_but_the_assets_is_served_from_the_disk(http: httpx.Client) -> None:
    for path in ("..%2F..%2Fapp.py", "%2e%2e/%2e%2e/app.py", "..%5c..%5capp.py", ""):
        assert http.get(f"/docs/assets/{path}").status_code == 404
