"""The bodies of `benchmarks.hostile`."""

from collections.abc import Iterator
from dataclasses import dataclass

MEBIBYTE = 1 << 20
LONG = 30 * MEBIBYTE
"""Bytes; a little less than `DESCENT_MAX_BODY`."""

INFER = "/v2/models/target/infer"
PREDICT = "/api/models/target/predictions"
INVOKE = "/api/models/target/invocations"
PARAMETERS = "/api/models/target/parameters"


@dataclass(frozen=True)
class Attack:
    """A body, its address, and the number of copies sent at once."""

    name: str
    path: str
    body: bytes
    media_type: str = "application/json"
    copies: int = 1

    @property
    def size(self) -> float:
        """Mebibytes of one copy."""
        return len(self.body) / MEBIBYTE


def keys(count: int) -> bytes:
    return b"{" + b",".join(b'"k%d":0' % i for i in range(count)) + b',"inputs":[]}'


def filled(start: bytes, item: bytes, end: bytes) -> bytes:
    """A body with a list of items, of about `LONG` bytes."""
    return start + b",".join([item] * (LONG // (len(item) + 1))) + end


def attacks() -> Iterator[Attack]:
    """Yield the attacks one at a time: they are large."""
    yield Attack("35,000 unknown keys, infer, text/plain", INFER, keys(35_000), "text/plain")
    yield Attack("35,000 unknown keys, infer", INFER, keys(35_000))
    many = keys(500_000)
    yield Attack("500,000 unknown keys, infer, text/plain", INFER, many, "text/plain")
    for path in ("/api/jobs", "/api/models", "/api/datasets", PREDICT):
        yield Attack(f"500,000 unknown keys, {path}", path, many)
    yield Attack("500,000 unknown keys, four at once, /api/datasets", "/api/datasets", many, copies=4)
    tensor = b'{"inputs":[{"name":"inputs","shape":[2,2],"datatype":"FP32","data":['
    columns = b'{"targets":["y"],"columns":{"y":['
    yield Attack("empty lists, jobs", "/api/jobs", filled(b"[", b"[]", b"]"))
    yield Attack("empty lists, predictions", PREDICT, filled(b'{"inputs":[', b"[]", b"]}"))
    yield Attack("empty lists, invocations", INVOKE, filled(b'{"instances":[', b"[]", b"]}"))
    yield Attack("empty lists, infer", INFER, filled(tensor, b"[]", b"]}]}"))
    yield Attack("empty lists, a column", "/api/datasets", filled(columns, b"[]", b"]}}"))
    yield Attack(
        "empty lists, parameters",
        "/api/models",
        filled(b'{"architecture":"Dense(2 => 1)","parameters":[', b"[]", b"]}"),
    )
    yield Attack("deep lists, jobs", "/api/jobs", b"[" * LONG)
    yield Attack("deep lists, predictions", PREDICT, b'{"inputs":' + b"[" * (LONG // 2) + b"]" * (LONG // 2) + b"}")
    yield Attack("a long text, an architecture", "/api/models", b'{"architecture":"' + b"a" * LONG + b'"}')
    yield Attack("a long text, a row", PREDICT, b'{"rows":[{"x":"' + b"a" * LONG + b'"}]}')
    yield Attack("short texts, a column", "/api/datasets", filled(columns, b'"a"', b"]}}"))
    yield Attack("a long number, a row", PREDICT, b'{"inputs":[[0.' + b"1" * LONG + b",1]]}")
    rows = filled(b'{"inputs":[', b"[0.12345678,-1.2345678]", b"]}")
    yield Attack("numbers, predictions", PREDICT, rows)
    yield Attack("numbers, four at once, predictions", PREDICT, rows, copies=4)
    yield Attack("numbers, two columns", "/api/datasets", two_columns())
    yield Attack("rows by name, predictions", PREDICT, filled(b'{"rows":[', b'{"x":6,"y":0.125}', b"]}"))


def two_columns() -> bytes:
    column = b",".join([b"0.12345678"] * (LONG // 2 // 11))
    return b'{"targets":["y"],"columns":{"x":[' + column + b'],"y":[' + column + b"]}}"
