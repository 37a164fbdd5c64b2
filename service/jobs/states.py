"""The states of a job, the requests that clients make, and the table of moves from state to state."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self


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
UNENDED = tuple(state for state in State if state not in ENDED)
END_IN_WORDS = {State.SUCCEEDED: "has succeeded", State.FAILED: "has failed", State.CANCELLED: "was cancelled"}


class Asked(StrEnum):
    """A request to a job that a worker has, or will have; a flag that the worker reads, not a state."""

    CANCEL = "cancel"
    """Throw the job away."""
    STOP = "stop"
    """End now, and keep what was learned."""
    PAUSE = "pause"
    """Rest, and give the worker to another job."""


@dataclass(frozen=True)
class Wish:
    """Changes of a training that a client asked for; None leaves as it is."""

    rate: float | None = None
    frozen: tuple[str, ...] | None = None
    """The paths of all layers that are to rest."""

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        frozen = kept["frozen"]
        return cls(kept["rate"], None if frozen is None else tuple(frozen))


class Verb(StrEnum):
    """A request of a client."""

    CANCEL = "cancel"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"


class Standing(NamedTuple):
    """The state of a job, and a request that it has still to follow."""

    state: State
    asked: Asked | None = None


_QUEUED, _RUNNING, _PAUSED = Standing(State.QUEUED), Standing(State.RUNNING), Standing(State.PAUSED)
_QUEUED_TO_STOP = Standing(State.QUEUED, Asked.STOP)
_CANCELLED = Standing(State.CANCELLED)
_TO_CANCEL, _TO_STOP, _TO_PAUSE = (Standing(State.RUNNING, asked) for asked in Asked)

MOVES: Mapping[Standing, Mapping[Verb, Standing]] = {
    _QUEUED: {
        Verb.CANCEL: _CANCELLED,
        Verb.STOP: _QUEUED_TO_STOP,
        Verb.PAUSE: _PAUSED,
        Verb.RESUME: _QUEUED,
    },
    _QUEUED_TO_STOP: {Verb.CANCEL: _CANCELLED, Verb.STOP: _QUEUED_TO_STOP},
    _RUNNING: {Verb.CANCEL: _TO_CANCEL, Verb.STOP: _TO_STOP, Verb.PAUSE: _TO_PAUSE, Verb.RESUME: _RUNNING},
    _TO_PAUSE: {Verb.CANCEL: _TO_CANCEL, Verb.STOP: _TO_STOP, Verb.PAUSE: _TO_PAUSE, Verb.RESUME: _RUNNING},
    _TO_STOP: {Verb.CANCEL: _TO_CANCEL, Verb.STOP: _TO_STOP},
    _TO_CANCEL: {Verb.CANCEL: _TO_CANCEL},
    _PAUSED: {
        Verb.CANCEL: _CANCELLED,
        Verb.STOP: _QUEUED_TO_STOP,
        Verb.PAUSE: _PAUSED,
        Verb.RESUME: _QUEUED,
    },
    _CANCELLED: {Verb.CANCEL: _CANCELLED},
}
"""The moves that clients can make, from each standing. A repeated request leaves a job as it is; a stronger one
(cancel before stop before pause) replaces a weaker one; what is not here is a conflict."""

WITHOUT_WORKER: Mapping[Asked | None, Standing] = {
    None: _QUEUED,
    Asked.PAUSE: _PAUSED,
    Asked.STOP: _QUEUED_TO_STOP,
    Asked.CANCEL: _CANCELLED,
}
"""The standing of a running job that its worker gives up or loses, by the client's last request."""


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
