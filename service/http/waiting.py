"""Waiting as RFC 7240 has it: `Prefer: wait` in requests for what takes its time."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Header, Response
from pydantic import BaseModel

LONGEST_WAIT = 60
"""Seconds."""


class Ending(Protocol):
    """An answer about what ends at some time."""

    ended_at: datetime | None

    def model_dump_json(self) -> str: ...


async def _wait(  # async, or FastAPI would call it in a thread
    prefer: Annotated[
        list[str] | None,
        Header(description="`wait=10` waits up to that many seconds (60 at most) for the job to end or pause"),
    ] = None,
) -> int | None:
    """Seconds of RFC 7240's `wait`; other preferences are unknown here, and ignored as that RFC asks."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?", ", ".join(prefer or ()), re.IGNORECASE)
    return min(int(found[1]), LONGEST_WAIT) if found else None


Wait = Annotated[int | None, Depends(_wait)]


def say_applied(response: Response, wait: int) -> None:
    """Tell that the preference was followed."""
    response.headers["Preference-Applied"] = f"wait={wait}"


async def after_waiting(response: Response, wait: int | None, until: Callable[[int], Awaitable[Ending]]) -> Response:
    """Return `response`, a 202, at once; where the request waits, with what there is then, as a 200 if it has ended."""
    if wait is not None:
        shown = await until(wait)
        say_applied(response, wait)
        replace_answer(response, 202 if shown.ended_at is None else 200, shown)
    if response.status_code == 202:
        response.headers["Retry-After"] = "1"
    return response


def replace_answer(response: Response, status: int, answer: BaseModel | Ending) -> None:
    """Replace the status and body of an answer; its headers stay."""
    response.body, response.status_code = answer.model_dump_json().encode(), status
    response.headers["Content-Length"] = str(len(response.body))
