"""The states of a job, and what its clients may ask of it."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    """Waits for a worker."""
    RUNNING = "running"
    """A worker trains it, and beats."""
    PAUSED = "paused"
    """Rests with its checkpoint until somebody resumes it."""
    SUCCEEDED = "succeeded"
    """Ended with a new version of its model; or, trained again to compare the bytes, with what came out."""
    FAILED = "failed"
    """Ended with an error; where training had begun, its last finite parameters can be read."""
    CANCELLED = "cancelled"
    """Ended because a client asked; adds no version."""


ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class Asked(StrEnum):
    """A client's request to a running job; a flag that its worker reads, not a state."""

    CANCEL = "cancel"
    """Throw the job away."""


LEASE = 10.0
"""Seconds without a beat after which a running job's worker counts as lost."""

FIRST_GAP = 0.5
LONGEST_GAP = 30.0
"""Seconds between the tries of a worker to write to a full disk, or to reach the data: each is twice as long as the one
before."""

FULL_FOR = LONGEST_GAP + LEASE
"""Seconds after a full disk was found in which no job is called back: its worker may live, but cannot beat."""

MAX_LOSSES_OF_WORKER = 5
"""A job fails that loses this many workers without a checkpoint further on between them."""
