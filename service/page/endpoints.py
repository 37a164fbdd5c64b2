"""The page over HTTP: `/` for browsers, and its files under an address for each version."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from service.errors import NotFound
from service.http.key_scopes import OPEN, needs
from service.http.media_types import weights
from service.page.files import PageFile, PageFiles, page_files
from service.page.headers import PAGE_HEADERS

router = APIRouter(include_in_schema=False)

FOR_A_YEAR = "public, max-age=31536000, immutable"
AGAIN_EACH_TIME = "no-cache"


@router.get("/")
@needs(OPEN)
async def root(request: Request) -> Response:
    """The page for browsers; for programs the answer of KServe's V1 protocol to whether the server is alive."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"status": "alive"}, headers={"Vary": "Accept"})
    files = await _files()
    return _answer(request, files.index, AGAIN_EACH_TIME, "Accept, Accept-Encoding")


@router.get("/page/{version}/{name:path}")
@needs(OPEN)
async def file_of_the_page(request: Request, version: str, name: str) -> Response:
    """A file of the version of the page that runs here; others are gone, so that modules of two never mix.

    Raises:
        NotFound: the version is another, or it has no such file.
    """
    files = await _files()
    if version != files.version:
        raise NotFound("This version of the page is not served any more: load the page again.", "page_changed")
    if name not in files.by_name:
        raise NotFound(f"The page has no file {name!r}.")
    return _answer(request, files.by_name[name], FOR_A_YEAR, "Accept-Encoding")


async def _files() -> PageFiles:
    """Return the files; only the first request, which reads and packs them, is handed to a thread."""
    return page_files() if page_files.cache_info().currsize else await run_in_threadpool(page_files)


def _answer(request: Request, file: PageFile, cache_control: str, vary: str) -> Response:
    """Return a file, packed where the client reads gzip; only headers where it has that file already."""
    accepted = weights(request.headers.get("accept-encoding", ""))
    packed = accepted.get("gzip", accepted.get("*", 0.0)) > 0
    tag = f'"{file.digest}-gzip"' if packed else f'"{file.digest}"'
    headers = {**PAGE_HEADERS, "Cache-Control": cache_control, "ETag": tag, "Vary": vary}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(file.packed if packed else file.content, headers=headers, media_type=file.media_type)


def _has(if_none_match: str, tag: str) -> bool:
    """Return whether a client has the file by If-None-Match (RFC 9110, 13.1.2), which compares weakly."""
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in if_none_match.split(","))
