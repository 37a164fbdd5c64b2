"""How many tables that people have a service takes, as pandas reads them: at once, and after one message.

    make bench-tables

Sends every file of files.tsv to a service of its own, with a column to learn and nothing else. Where the answer is
422, the first remedy that each of its faults names is followed, once. A table counts as taken where every column has
the kind, and every value is the one, that pandas finds, and no row is lost. Writes results/tables.md.
"""

import argparse
import site
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from pyarrow import ipc

from benchmarks.results import RESULTS
from benchmarks.tables.files import File, listed, packages
from benchmarks.tables.remedies import Query, remedies
from tests.support.serving import running_service

site.addsitedir(str(packages()))

from benchmarks.tables import peer

AIM = 0.97
AT_ONCE, AFTER_ONE, NOT = "at once", "after one message", "not"
CSV, ARROW = "text/csv", "application/vnd.apache.arrow.stream"
LONGEST = 200
"""Characters of a reason."""
LONGEST_WAIT = 60.0
"""Seconds for one answer."""


@dataclass(frozen=True)
class Outcome:
    file: File
    how: str
    reason: str = ""
    followed: Query = field(default_factory=list)


def outcome(http: httpx.Client, file: File) -> Outcome:
    """Send a file, and once more as the answer tells."""
    data, query, detail = file.read(), Query(), ""
    for how in (AT_ONCE, AFTER_ONE):
        try:
            frame = peer.read(data, file.delimiter, said(query))
        except ValueError as fault:
            return Outcome(file, NOT, f"pandas does not read it so: {fault}", query)
        asked: list[tuple[str, Any]] = [("targets", peer.target(frame)), ("dtype", "float64"), *query]
        answer = http.post("/api/datasets", content=data, headers={"Content-Type": CSV}, params=asked)
        if answer.status_code == 201:
            reason = unlike(http, frame, answer.json(), query)
            return Outcome(file, NOT if reason else how, reason, query)
        detail = str(answer.json()["detail"])
        if how == AT_ONCE and not (query := remedies(answer.json())):
            break
    return Outcome(file, NOT, detail, query)


def said(query: Query) -> peer.Said:
    gathered = defaultdict[str, list[str]](list)
    for name, value in query:
        gathered[name].append(value)
    return gathered


def unlike(http: httpx.Client, frame: Any, dataset: Mapping[str, Any], query: Query) -> str:
    """Return what differs from what pandas reads; nothing where nothing does."""
    address = f"/api/datasets/{dataset['id']}"
    content = http.get(f"{address}/content", headers={"Accept": ARROW}).read()
    http.delete(address)
    try:
        peer.compare(frame, dataset, ipc.open_stream(content).read_all(), said(query))
    except (peer.Unlike, ValueError) as reason:
        return f"{reason}"
    return ""


def report(outcomes: Sequence[Outcome], left_out: Sequence[File]) -> Iterator[str]:
    """Yield the lines of the table, and the reason of each file that is not taken."""
    yield "| package | files | at once | after one message | not |"
    yield "| --- | --- | --- | --- | --- |"
    packages = dict.fromkeys((each.file.package, each.file.version) for each in outcomes)
    for package, number in packages:
        yield _row(f"{package} {number}", [each for each in outcomes if each.file.package == package])
    yield _row("all", outcomes)
    yield ""
    yield f"Taken at once or after one message: {taken(outcomes):.1%} (aim: {AIM:.0%})."
    yield f"Left out: {len(left_out)} files."
    yield from (f"* {count}: {reason}" for reason, count in Counter(each.left_out for each in left_out).most_common())
    yield ""
    yield "| not taken | followed | reason |"
    yield "| --- | --- | --- |"
    for each in outcomes:
        if each.how == NOT:
            followed = " ".join(f"{name}={value}" for name, value in each.followed)
            yield (
                "| " + " | ".join(map(_cell, (f"{each.file.package}: {each.file.path}", followed, each.reason))) + " |"
            )


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    counts = Counter(each.how for each in outcomes)
    return f"| {name} | {len(outcomes)} | {counts[AT_ONCE]} | {counts[AFTER_ONE]} | {counts[NOT]} |"


def _cell(text: str) -> str:
    return " ".join(text.split())[:LONGEST].replace("|", "\\|")


def taken(outcomes: Sequence[Outcome]) -> float:
    """Return the share of the files that are taken, after one message at most."""
    return sum(each.how != NOT for each in outcomes) / len(outcomes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__.splitlines()[0])
    parser.add_argument("--package", help="send the files of one package alone, and write nothing")
    package = parser.parse_args().package
    files = [file for file in listed() if package in (None, file.package)]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        service = stack.enter_context(running_service(Path(folder) / "data", "--workers", "1"))
        http = stack.enter_context(httpx.Client(base_url=service.url, timeout=LONGEST_WAIT))
        outcomes = [outcome(http, file) for file in files if not file.left_out]
    lines = ["# Tables: CSV files that packages ship, sent to the service", ""]
    lines += [*report(outcomes, [file for file in files if file.left_out]), "", f"* pandas {version('pandas')}"]
    lines += [f"* measured: {datetime.now(UTC):%Y-%m-%d}, by `make bench-tables`", ""]
    print("\n".join(lines))
    if package is None:
        (RESULTS / "tables.md").write_text("\n".join(lines))
    sys.exit(0 if taken(outcomes) >= AIM else 1)


if __name__ == "__main__":
    main()
