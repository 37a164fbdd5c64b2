"""Bytes that a job will write into the database, counted before it runs, and advice where they are many."""

from dataclasses import dataclass

from service.errors import Invalid, invalid
from service.jobs.reports.packing import BLOCK, NARROW, WIDE
from service.learning.optimisers import second_order_rule
from service.learning.planning.advice import Advice
from service.learning.training.recipe import Recipe

MANY = 100_000_000
"""Bytes above which a job gets advice."""
BYTES_OF_A_JOB = 6_000
"""Bytes of a job's row with recipe, plan and receipt, and of its version's row."""
BYTES_OF_A_BLOCK = 1_100
"""Bytes of keys, headers and the index entry of a block of reports, and the rest of its last page."""
BYTES_OF_A_POINT = 260
"""Bytes of keys, headers and the index entries of parameters that are kept."""
PAGES = 1.02
"""Factor that pages add to long rows."""


@dataclass(frozen=True)
class Growth:
    """The writes of a job: a report an epoch, a point every `keep_every` epochs, and one version and checkpoint."""

    epochs: int
    keep_every: int | None
    bytes_of_report: float
    bytes_of_point: int
    bytes_once: int

    @property
    def reports(self) -> int:
        return round((self.epochs + 1) * self.bytes_of_report)

    @property
    def points(self) -> int:
        return 0 if self.keep_every is None else self.epochs // self.keep_every * self.bytes_of_point

    @property
    def total(self) -> int:
        return self.reports + self.points + self.bytes_once

    def most_epochs(self, limit: int) -> int:
        """Return the number of epochs that stay within a limit; 0 or less where none do."""
        points = 0.0 if self.keep_every is None else self.bytes_of_point / self.keep_every
        return int((limit - self.bytes_once - self.bytes_of_report - 1) // (self.bytes_of_report + points))

    def least_keep_every(self, limit: int) -> int | None:
        """Return the least `keep_every` that stays within a limit; None where only null does."""
        sets = (limit - self.bytes_once - self.reports) // self.bytes_of_point
        return self.epochs // (sets + 1) + 1 if sets > 0 else None


def growth_of(recipe: Recipe, vector: int, checkpoint: int, validation_rows: int, keep_every: int | None) -> Growth:
    """Return the writes of a job that reaches its last epoch; `vector` is the bytes of its parameters."""
    numbers = (
        2 + (validation_rows > 0) + (recipe.schedule is not None or second_order_rule(recipe.optimiser) is not None)
    )
    columns = numbers * WIDE.itemsize + NARROW.itemsize  # loss, norm, perhaps more; seconds
    return Growth(
        recipe.epochs,
        keep_every,
        columns + BYTES_OF_A_BLOCK / BLOCK,
        round(PAGES * vector) + BYTES_OF_A_POINT,
        BYTES_OF_A_JOB + round(PAGES * (vector * (2 if recipe.refit else 1) + checkpoint)),
    )


def check(growth: Growth, allowed: int) -> None:
    """Refuse a job that would write more than is allowed.

    Raises:
        Invalid: the kept points alone, or everything together, are too large.
    """
    if growth.points > allowed:
        sets = allowed // growth.bytes_of_point
        assert growth.keep_every is not None, "without it there are no points"
        raise invalid(
            "#/keep_every",
            f"{growth.epochs // growth.keep_every:,} sets of {growth.bytes_of_point:,} bytes would be kept, and "
            f"{_megabytes(allowed)} are allowed: at most {sets:,} sets of this network.",
            "too_many_points",
        )
    if growth.total > allowed:
        raise _too_large(growth, allowed)


def _too_large(growth: Growth, allowed: int) -> Invalid:
    sentence = (
        f"This job would write about {_megabytes(growth.total)}, and DESCENT_MAX_JOB_BYTES allows {_megabytes(allowed)}"
    )
    epochs = growth.most_epochs(allowed)
    remedy = (
        f'at most "epochs": {epochs}'
        if epochs > 0
        else f"a version and a checkpoint of this network alone take {_megabytes(growth.bytes_once)}"
    )
    return invalid("#/epochs", f"{sentence}: {remedy}.", "job_too_large")


def advice(growth: Growth) -> Advice | None:
    """Return advice where a job will write much: the largest share, and a smaller setting."""
    if growth.total <= MANY:
        return None
    sentence = f"This job will write about {_megabytes(growth.total)} into the database"
    if growth.points > max(growth.reports, growth.bytes_once):
        keep_every = growth.least_keep_every(MANY)
        remedy = f'"keep_every": {"null" if keep_every is None else keep_every}'
        return _advice(f"{_megabytes(growth.points)} of them kept parameters", remedy, "#/keep_every", sentence)
    epochs = growth.most_epochs(MANY)
    if epochs > 0:
        share = f"{_megabytes(growth.reports)} of them {growth.epochs + 1:,} epoch reports"
        return _advice(share, f'"epochs": {epochs}', "#/epochs", sentence)
    detail = f"{sentence}; a version and a checkpoint of this network alone take {_megabytes(growth.bytes_once)}."
    return Advice("large_job", detail, "#/model")


def _advice(share: str, remedy: str, pointer: str, sentence: str) -> Advice:
    return Advice("large_job", f"{sentence}, {share}: {remedy} writes less than {_megabytes(MANY)}.", pointer)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
