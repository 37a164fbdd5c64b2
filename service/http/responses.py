"""Responses that several nouns share: numbers, files, and earlier answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson
from fastapi import Response

from service.http.json_numbers import JsonObject


def numbers_response(answer: JsonObject, status: int = 200) -> Response:
    """Return an answer with arrays in it. A float32 is written with the fewest digits that identify it: 0.1, not
    0.10000000149011612.
    """
    content = orjson.dumps(answer, default=np.ascontiguousarray, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, media_type="application/json")


ATTACHMENT: JsonObject = {"description": "the name that a browser saves it by", "schema": {"type": "string"}}
"""OpenAPI: the header that `attachment` returns."""


def attachment(name: str) -> dict[str, str]:
    """Return the header by which browsers save an answer as a file. The name is safe: it is made of validated names."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@dataclass(eq=False)
class Replayed(Exception):
    """Not an error: the request was answered before, and this is the answer."""

    response: Response
