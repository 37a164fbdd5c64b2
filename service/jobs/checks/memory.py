"""Whether a training fits into the memory of a worker."""

from dataclasses import dataclass, replace
from math import isqrt

from service.errors import Invalid, invalid
from service.learning.network import Network
from service.learning.optimisers import LBFGS, LevenbergMarquardt, second_order_rule
from service.learning.planning.sizes import SQUARES_OF_PARAMETERS, WIDE, checkpoint_size, memory_of
from service.learning.rows.coded import Coding
from service.learning.training.paths import PathName
from service.learning.training.recipe import Recipe


@dataclass(frozen=True)
class Need:
    """The facts that decide the memory of a training."""

    network: Network
    train_rows: int
    validation_rows: int
    recipe: Recipe
    path: PathName
    weighted: bool
    sums_are_known: bool
    held: int = 0
    """Bytes of rows that are copied into memory."""
    coding: Coding | None = None
    """The way in which rows travel to the network."""

    @property
    def bytes(self) -> int:
        parts = self.network, self.train_rows, self.validation_rows, self.recipe, self.path
        known = self.sums_are_known
        return self.held + memory_of(*parts, weighted=self.weighted, sums_are_known=known, coding=self.coding)

    @property
    def checkpoint(self) -> int:
        """The bytes of a checkpoint."""
        known = self.sums_are_known
        return checkpoint_size(self.network, self.recipe, self.path, self.validation_rows, sums_are_known=known)

    def check(self, available: int) -> None:
        """Refuse a training that needs more memory than a worker may use.

        Raises:
            Invalid: with what it needs, and what helps.
        """
        if self.bytes > available:
            raise self._refusal(available)

    def _refusal(self, available: int) -> Invalid:
        needed, allowed = _megabytes(self.bytes), _megabytes(available)
        sentence = f"This training needs about {needed} of memory, and a worker may use {allowed}"
        remedies = self._smaller_batch(available) or self._without_squares(available) or self._other_path(available)
        pointer, remedy = remedies or self._narrower(available)
        return invalid(pointer, f"{sentence} (DESCENT_WORKER_MEMORY): {remedy}.", "needs_too_much_memory")

    def _smaller_batch(self, available: int) -> tuple[str, str] | None:
        """Return the largest power of two that is a batch size which fits."""
        rows = min(self.recipe.batch_size or self.train_rows, self.train_rows)
        for power in range((rows - 1).bit_length() - 1, -1, -1) if self.path == "batches" else ():
            fewer = replace(self, recipe=replace(self.recipe, batch_size=1 << power))
            if fewer.bytes <= available:
                return "#/batch_size", f'"batch_size": {1 << power} needs {_megabytes(fewer.bytes)}'
        return None

    def _without_squares(self, available: int) -> tuple[str, str] | None:
        """Return the most parameters that LevenbergMarquardt has room for, and LBFGS where it fits."""
        rule = second_order_rule(self.recipe.optimiser)
        if self.path != "second_order" or not isinstance(rule, LevenbergMarquardt):
            return None
        count, squares = self.network.parameter_count, WIDE * SQUARES_OF_PARAMETERS
        fits = isqrt(max(0, squares * count**2 - (self.bytes - available)) // squares)
        sentence = f"LevenbergMarquardt keeps squares of all {count:,} parameters, and there is room for about {fits:,}"
        other = replace(self, recipe=replace(self.recipe, optimiser=LBFGS()))
        if other.bytes <= available:
            return "#/optimiser", f'{sentence}; "optimiser": "LBFGS" needs {_megabytes(other.bytes)}'
        return "#/optimiser", f"{sentence}; Adam with a batch_size needs less"

    def _other_path(self, available: int) -> tuple[str, str] | None:
        if self.path != "quadratic":
            return None
        path: PathName = "batches" if second_order_rule(self.recipe.optimiser) is None else "second_order"
        other = replace(self, path=path)
        return ("#/path", f'"path": "{path}" needs {_megabytes(other.bytes)}') if other.bytes <= available else None

    def _narrower(self, available: int) -> tuple[str, str]:
        if self.network.dtype == "float64":
            other = replace(self, network=Network(self.network.layer, "float32"))
            if other.bytes <= available:
                return "#/model", f'a model with "dtype": "float32" needs {_megabytes(other.bytes)}'
        return "#/model", "train a model of narrower layers"


def _megabytes(count: int) -> str:
    return f"{-(-count // 1_000_000):,} MB"
