"""The faults of a body, gathered while it is read, so that a sender hears of all of them at once."""

from collections.abc import Callable
from itertools import chain, zip_longest

from service.errors import Fault, Invalid
from service.pointers import MOST_FAULTS

MOST_OF_A_KIND = 10
"""Faults of one kind that are told."""

VALUE = 2
"""Slashes in the pointer to a column; one to a value of it, `#/columns/x/1`, has more."""

Note = Callable[[Invalid], None]
"""A function that is called with faults after which reading can go on."""


def refuse(refused: Invalid) -> None:
    """Raise the faults: for those who can do nothing with the rest."""
    raise refused


class Faults:
    """Refusals so far, each with the first faults of one kind.

    The first fault of each has the words of the whole, as there is no other place for them; but not that of the first
    refusal, whose words the answer begins with, unless `with_remedies`.
    """

    def __init__(self, *, with_remedies: bool = False) -> None:
        self._refusals: list[Invalid] = []
        self._with_remedies = with_remedies
        self._values: set[str] = set()
        """Pointers to values that have a fault."""

    def __bool__(self) -> bool:
        return bool(self._refusals)

    def note(self, refused: Invalid) -> None:
        """Take faults of one kind; those of values that have one already are left out."""
        new = [fault for fault in refused.errors if fault.pointer not in self._values]
        if not new:
            return
        self._values.update(fault.pointer for fault in new if fault.pointer.count("/") > VALUE)
        first, *others = new
        if (self._with_remedies or self._refusals) and refused.detail.startswith(first.detail):
            first = Fault(first.pointer, refused.detail)
        self._refusals.append(Invalid(refused.detail, refused.code, (first, *others)))

    @property
    def all(self) -> list[Fault]:
        """As many as an answer lists, of every kind some, in the order in which they were noted."""
        kinds = [each.errors for each in self._refusals]
        in_turn = chain.from_iterable(zip_longest(*kinds))
        chosen = [fault for fault in in_turn if fault is not None][:MOST_FAULTS]
        return list(dict.fromkeys(fault for kind in kinds for fault in kind if fault in chosen))

    @property
    def refusal(self) -> Invalid:
        """The words of the first refusal, and the faults of all."""
        first = self._refusals[0]
        return Invalid(first.detail, first.code, tuple(self.all))

    def check(self) -> None:
        """Raise Invalid where there are faults."""
        if self._refusals:
            raise self.refusal
