"""The states of a job, and the requests that clients make to a running one."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    """The job waits for a worker."""
    RUNNING = "running"
    """A worker is training it and sends heartbeats."""
    PAUSED = "paused"
    """The job rests with its checkpoint until a client resumes it."""
    SUCCEEDED = "succeeded"
    """The job ended with a new version of its model; or, trained again to compare the bytes, with the outcome."""
    FAILED = "failed"
    """The job ended with an error; where training had begun, its last finite parameters can be read."""
    CANCELLED = "cancelled"
    """The job ended because a client asked, and adds no version."""


ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class Asked(StrEnum):
    """A client's request to a running job; a flag that its worker reads, not a state."""

    CANCEL = "cancel"
    """Throw the job away."""


@dataclass(frozen=True)
class JobError:
    """The reason for which a job failed."""

    code: str
    """A stable word for programs, such as `diverged`."""
    detail: str
    epoch: int | None


LEASE = 10.0
"""Seconds without a beat after which a running job's worker counts as lost."""

FIRST_GAP = 0.5
LONGEST_GAP = 30.0
"""Seconds between the tries of a worker to write to a full disk, or to reach the data: each is twice as long as the one
before."""

FULL_FOR = LONGEST_GAP + LEASE
"""Seconds after a full disk was found in which no job is called back: its worker may live, but cannot beat."""

MAX_LOSSES_OF_WORKER = 5
"""Losses of workers, without a further checkpoint between them, after which a job fails."""
