"""The limits that the operator sets to each job."""

from dataclasses import dataclass

from service.errors import invalid
from service.learning.expressions import MAX_LENGTH
from service.settings import Settings
from service.startup.machine import worker_memory


@dataclass(frozen=True)
class Allowed:
    """Bytes that a job may write into the database, those of its worker's memory, seconds, and characters of a formula.

    None: any number.
    """

    bytes: int
    memory: int | None = None
    seconds: float | None = None
    formula: int = MAX_LENGTH

    @classmethod
    def by(cls, settings: Settings) -> "Allowed":
        return cls(settings.max_job_bytes, worker_memory(settings), settings.max_job_seconds, settings.max_expression)

    def seconds_of(self, asked: float | None) -> float | None:
        """Return the seconds after which a job stops that asks for so many.

        Raises:
            Invalid: these are too many.
        """
        if self.seconds is None or asked is None:
            return self.seconds if asked is None else asked
        if asked > self.seconds:
            detail = f"At most {self.seconds:,} seconds are allowed (DESCENT_MAX_JOB_SECONDS)."
            raise invalid("#/max_seconds", detail, "too_many_seconds")
        return asked
