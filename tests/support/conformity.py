"""Checks that the service's answers conform to its OpenAPI document."""

import re
from typing import Any

import httpx

METHODS = ("get", "put", "post", "patch", "delete")


class Conformity:
    """A hook for httpx clients: every answer of an operation has a status and a media type that it declares."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._operations = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path)), method.upper(), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def __call__(self, response: httpx.Response) -> None:
        request = response.request
        for path, method, operation in self._operations:
            if method == request.method and path.fullmatch(request.url.path):
                declared = operation["responses"].get(str(response.status_code))
                assert declared is not None, f"{method} {request.url.path} does not declare {response.status_code}"
                kind = response.headers.get("content-type", "").partition(";")[0]
                assert kind in (declared.get("content") or {""}), f"{method} {request.url.path} does not declare {kind}"
                return
