"""Files of the page, read and compressed once a process, under an address that changes with their content."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

FOLDER = Path(__file__).parent
PARTS = ("components", "guide", "lib", "style", "vendor", "views")
"""Folders of files that browsers load, the guide among them; `swagger-ui` has an address of its own."""
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".md": "text/markdown; charset=utf-8",
}
"""Media types of the files that are served, whatever the machine's own table has; no others are served."""
PLACE_OF_VERSION = "{version}"
"""In index.html it stands for the version."""


@dataclass(frozen=True)
class PageFile:
    """One file as it is sent."""

    content: bytes
    media_type: str

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    @cached_property
    def digest(self) -> str:
        return _digest(self.content)


@dataclass(frozen=True)
class PageFiles:
    """All files of one version of the page."""

    version: str
    index: PageFile
    by_name: dict[str, PageFile]


@cache
def page_files() -> PageFiles:
    """Read and compress the files. The version is a digest of them all: modules of two versions never mix."""
    paths = [path for part in PARTS for path in (FOLDER / part).rglob("*")]
    paths += [path for path in FOLDER.glob("*") if path.suffix != ".md"]  # the page's own README is not of the page
    by_name = {
        path.relative_to(FOLDER).as_posix(): PageFile(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted(paths)
        if path.suffix in MEDIA_TYPES
    }
    version = _digest("".join(f"{name} {file.digest}\n" for name, file in by_name.items()).encode())
    index = by_name.pop("index.html")
    files = PageFiles(
        version, PageFile(index.content.replace(PLACE_OF_VERSION.encode(), version.encode()), index.media_type), by_name
    )
    for file in (files.index, *by_name.values()):
        assert file.packed
    return files


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
