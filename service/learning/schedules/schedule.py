"""The base of schedules: a rate for every t, counted from 1.

t is the epoch of the job, or with `per: "step"` the update since the job's start.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from service.learning.terms import Registry, Term, TermError


@dataclass(frozen=True, slots=True)
class Schedule(Term):
    """A rate for every t."""

    follows_losses: ClassVar[bool] = False

    per: Literal["epoch", "step"] = field(default="epoch", kw_only=True)

    def rate(self, t: int) -> float:
        """The rate of epoch (or step) t ≥ 1."""
        raise NotImplementedError

    def require_same_period(self, name: str, *inner: "Schedule") -> None:
        """TermError when a schedule inside this one counts in other units."""
        for schedule in inner:
            if schedule.per != self.per:
                raise TermError(self.name, name, f"must count per {self.per}, as the schedule around it does")
            if schedule.follows_losses:
                raise TermError(self.name, name, f"cannot hold {schedule.name}, which follows losses, not epochs")


SCHEDULES: Registry[Schedule] = Registry("descent.schedules", "service.learning.schedules")
