"""Plans that were made before: the same recipe for the same model and data is checked and planned once."""

from dataclasses import dataclass
from typing import NamedTuple

from service.database.caller import caller
from service.database.database import Database
from service.jobs.checks.allowed import Allowed
from service.jobs.recipe import JobRecipe, Plan
from service.jobs.recipe_schemas import NewJob
from service.learning.planning.advice import Advice

MOST_KEPT = 256
"""Plans that are kept."""
MOST_LETTERS = 4096
"""Characters of the longest recipe whose plan is kept."""
OF_ITS_JOB = {"model", "dataset", "from_version", "serve", "priority", "max_seconds", "max_attempts", "labels"}
"""Fields of a request on which no plan depends, or that `Ground` has as they were found."""


class Ground(NamedTuple):
    """A dataset that is ready, and the version of a model that a training of it begins from, as the caller finds them.

    None of them ever changes, but for the dataset's name, which advice may tell.
    """

    dataset: str
    name: str
    model: str
    version: int
    is_own: bool


Question = tuple[str, Ground, Allowed, str]
"""All that a plan depends on."""


@dataclass(frozen=True)
class Planned:
    """The recipe as it is kept, its plan, and the advice."""

    recipe: JobRecipe
    plan: Plan
    advice: tuple[Advice, ...]


def question(database: Database, new: NewJob, allowed: Allowed) -> Question | None:
    """Return what a request asks; None where something of it is not there, or depends on more than this tells.

    Nothing is read in a session: microseconds.
    """
    if new.recipe is not None or new.from_epoch is not None:
        return None
    who = caller()
    given = {"dataset": new.dataset, "model": new.model, "version": new.from_version}
    found = database.look_up_all(_FOUND, {**given, "owner": who.owner, "all": who.reaches_all})
    if len(found) != 1 or found[0][3] is None:
        return None
    dataset, name, model, version, owner = found[0]
    ground = Ground(dataset, name, model, version, owner == who.owner or who.reaches_all)
    wanted = new.model_dump_json(exclude=OF_ITS_JOB)
    return (database.url, ground, allowed, wanted) if len(wanted) <= MOST_LETTERS else None


_FOUND = """
SELECT datasets.id, datasets.name, models.id, CASE
    WHEN :version IS NULL THEN (SELECT max(number) FROM versions WHERE model_id = models.id)
    ELSE (SELECT number FROM versions WHERE model_id = models.id AND number = :version)
END, models.owner
FROM datasets, models
WHERE datasets.state = 'ready' AND (
    datasets.id = :dataset AND (datasets.owner = :owner OR datasets.shared OR :all)
    OR datasets.owner = :owner AND datasets.name = :dataset
) AND (
    models.id = :model AND (models.owner = :owner OR models.shared OR :all)
    OR models.owner = :owner AND models.name = :model
)
"""
