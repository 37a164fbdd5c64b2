"""The files of the survey: all tables that the packages in ../tables-requirements.txt ship, listed in files.tsv."""

import bz2
import csv
import gzip
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("files.tsv")
ARCHIVES = {"pydataset": "pydataset/resources.tar.gz"}
"""Packages that keep their tables in an archive: paths in the list are those of its members."""
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.bz2", ".tsv.bz2")
UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress}


@dataclass(frozen=True)
class File:
    package: str
    version: str
    path: str
    delimiter: str
    """What divides values, for pandas: the service is not told."""
    left_out: str
    """Why the file is not sent; empty where it is."""

    def read(self) -> bytes:
        """Return the text, unpacked."""
        if self.package in ARCHIVES:
            member = _archive(self.package).extractfile(self.path)
            assert member is not None
            return member.read()
        path = packages() / self.path
        data = path.read_bytes()
        return UNPACK[path.suffix](data) if path.suffix in UNPACK else data


def packages() -> Path:
    """Return the folder that `make bench-tables` installs packages into."""
    found = list((ROOT / ".venv-tables" / "lib").glob("python*/site-packages"))
    if not found:
        sys.exit("There are no packages with tables: run `make bench-tables`.")
    return found[0]


def listed() -> list[File]:
    """Return the files of the list; end where the packages have other versions, or files that it lacks."""
    with LIST.open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        files = [File(**row) for row in rows]
    known = {(file.package, file.version, file.path) for file in files}
    if other := known ^ set(shipped({file.package for file in files})):
        sys.exit(f"{LIST.name} and the packages differ in {len(other)} files, such as {min(other)}.")
    return files


def shipped(names: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the package, the version and the path of each table in packages of these names."""
    for package in distributions(path=[str(packages())]):
        if package.name in names:
            for path in _paths(package):
                if path.lower().endswith(SUFFIXES):
                    yield package.name, package.version, path


def _paths(package: Distribution) -> Iterator[str]:
    if package.name not in ARCHIVES:
        yield from map(str, package.files or ())
        return
    for member in _archive(package.name):
        # what macOS keeps of a file beside it is no table
        if member.isfile() and not Path(member.name).name.startswith("._"):
            yield member.name


@cache
def _archive(package: str) -> tarfile.TarFile:
    return tarfile.open(packages() / ARCHIVES[package])
