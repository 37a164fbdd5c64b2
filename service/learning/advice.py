"""Advice: something worth considering, and what would mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """A stable word for programs, a sentence for people, and the place that it is about as a JSON pointer."""

    code: str
    detail: str
    pointer: str
