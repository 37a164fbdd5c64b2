"""Addresses, compression and headers of the page's files."""

import gzip
import json
import re

import httpx
import pytest

from service.page.files import FOLDER, page_files
from service.page.headers import PAGE_HEADERS
from tests.page.vendor import PACKAGES, checksum, place_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
DOCS = FOLDER.parents[1] / "docs"
FIRST_VIEW = 60_000
"""Bytes, gzipped, of all that the first view loads."""


def addresses(text: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/page/[^"]+)"', text)


@pytest.fixture(scope="module")
def index(http: httpx.Client) -> httpx.Response:
    return http.get("/", headers=BROWSER)


def test_every_file_carries_the_headers_of_a_page(http: httpx.Client, index: httpx.Response) -> None:
    for address in ["/", *addresses(index.text)]:
        answer = http.get(address, headers=BROWSER)
        assert answer.status_code == 200, address
        assert answer.headers["content-security-policy"] == POLICY
        assert {name: answer.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS


def test_files_are_kept_for_a_year_and_the_page_is_asked_for_each_time(
    http: httpx.Client, index: httpx.Response
) -> None:
    assert index.headers["cache-control"] == "no-cache"
    for address in addresses(index.text):
        answer = http.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("*", "gzip"), ("gzip;q=0", None), ("identity", None), ("br", None)],
)
def test_files_come_packed_where_the_client_reads_gzip(http: httpx.Client, accepted: str, coding: str | None) -> None:
    answer = http.get("/", headers={**BROWSER, "Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert answer.content == page_files().index.content


def test_a_browser_that_has_a_file_gets_it_once(http: httpx.Client, index: httpx.Response) -> None:
    tag = index.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        answer = http.get("/", headers={**BROWSER, "If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert http.get("/", headers={**BROWSER, "If-None-Match": '"other"'}).status_code == 200
    plain = http.get("/", headers={**BROWSER, "Accept-Encoding": "identity"})
    assert plain.headers["etag"] != tag


def test_modules_of_another_version_are_gone(http: httpx.Client) -> None:
    answer = http.get("/page/0123456789abcdef/main.js")
    assert answer.status_code == 404
    assert answer.json()["code"] == "page_changed"


def test_nothing_but_the_files_of_the_page_is_served(http: httpx.Client) -> None:
    version = page_files().version
    for name in (
        "endpoints.py",
        "README.md",
        "index.html",
        "swagger-ui/swagger-ui.css",
        "..%2Fapp.py",
        "",
    ):
        assert http.get(f"/page/{version}/{name}").status_code == 404, name


def test_the_guide_is_the_text_of_the_documents() -> None:
    guide = {name: file for name, file in page_files().by_name.items() if name.startswith("guide/")}
    assert set(guide) == {f"guide/{name}.md" for name in ("data", "learning", "operating", "write-your-own")}
    for name, file in guide.items():
        assert file.content == (DOCS / name.removeprefix("guide/")).read_bytes(), name


def test_the_first_view_is_small(http: httpx.Client, index: httpx.Response) -> None:
    prefix = f"/page/{page_files().version}/"
    names = [address.removeprefix(prefix) for address in addresses(index.text)] + ["views/fit_a_line/view.js"]
    seen = dict.fromkeys(names)
    for name in names:  # grows meanwhile
        for imported in re.findall(r'from "(\.[^"]+)"', page_files().by_name[name].content.decode()):
            path = (FOLDER / name).parent.joinpath(imported).resolve().relative_to(FOLDER).as_posix()
            if path not in seen:
                seen[path] = None
                names.append(path)
    sizes = {name: len(page_files().by_name[name].packed) for name in seen}
    assert len(sizes) > 20
    assert sum(sizes.values()) + len(gzip.compress(index.content)) <= FIRST_VIEW, sizes


def test_vendored_files_are_as_their_makers_published_them() -> None:
    for package, entry in json.loads(PACKAGES.read_text(encoding="utf-8")).items():
        for file, expected in entry["files"].items():
            assert checksum(place_of(package, file).read_bytes()) == expected, file


def test_files_of_the_page_stay_short() -> None:
    own = [
        path
        for path in FOLDER.rglob("*")
        if path.suffix in (".js", ".css", ".html") and not {"vendor", "swagger-ui"} & set(path.parts)
    ]
    assert len(own) > 20
    assert [path for path in own if len(path.read_text(encoding="utf-8").splitlines()) > 300] == []
