"""Changes of a training on its way, and the places where they take hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

StopReason = Literal["stop", "max_seconds"]


class Place(NamedTuple):
    """A place in a training where a change can take hold: the same in every run of it.

    The last report was that of `epoch`, and since then `position` rows of a pass are done (0 right after the report).
    The training has gone back to its best parameters `backoffs` times before.
    """

    epoch: int
    position: int = 0
    backoffs: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A change that took hold at a place: a rate in place of the schedule, the layers that are frozen, or the end."""

    place: Place
    rate: float | None = None
    frozen: tuple[str, ...] | None = None
    stop: StopReason | None = None


class Changeable(Protocol):
    """A path of a training, as far as changes reach."""

    break_at: Place | None

    @property
    def reported(self) -> int: ...
    @property
    def place(self) -> Place | None: ...
    @property
    def rate(self) -> float | None: ...
    @rate.setter
    def rate(self, eta: float) -> None: ...
    def freeze(self, paths: Sequence[str]) -> None: ...


class Changes:
    """The changes of one training in order: those `made`, and recorded ones to come, the `next` first."""

    def __init__(self, recorded: Sequence[Change]) -> None:
        self._all = list(recorded)
        self.backoffs = 0
        self.go_to(0)

    def go_to(self, made: int) -> None:
        """Count `made` changes as made."""
        if made > len(self._all):
            raise ValueError(f"the state has seen {made} changes, of which {len(self._all)} are given")
        self.made = made
        self.changed_at: Place | None = None  # since the last event: a batch that begins again is at another place
        self.next = self._all[made] if made < len(self._all) else None
        self.stop = next((change.stop for change in self._all[:made] if change.stop is not None), None)

    def place_of(self, path: Changeable) -> Place | None:
        """Return the present place, the same until the next event."""
        place = self.changed_at or path.place
        return None if place is None else place._replace(backoffs=self.backoffs)

    def make(self, change: Change, path: Changeable) -> None:
        """Make the next change: a recorded one, or, where none is to come, one that is recorded now."""
        if self.next is None:
            self._all.append(change)
        if change.rate is not None:
            path.rate = change.rate
        if change.frozen is not None:
            path.freeze(change.frozen)
        self.go_to(self.made + 1)
        self.changed_at = change.place

    def catch_up(self, path: Changeable) -> None:
        """Make the changes that are recorded for the present place, and let the path pause at the next one's."""
        while self.next is not None and self.next.place == self.place_of(path):
            self.make(self.next, path)
        self.check_reached(path.reported)
        awaited = self.next is not None and self.next.place.backoffs == self.backoffs
        path.break_at = self.next.place if self.next is not None and awaited else None

    @property
    def frozen(self) -> tuple[str, ...] | None:
        """The layers that the last change of them froze; None where there was none."""
        made = reversed(self._all[: self.made])
        return next((change.frozen for change in made if change.frozen is not None), None)

    def check_reached(self, epoch: float) -> None:
        """Raise ValueError where a change is to come at a place before this epoch's report: it was not passed."""
        if self.next is not None and self.next.place.epoch < epoch:
            raise ValueError(f"the training never was at the place of a recorded change, {self.next.place}")
