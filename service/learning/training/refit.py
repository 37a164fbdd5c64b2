"""A training that ends with another one, of all rows: those that chose the best epoch are learnt as well."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from service.learning.arrays import Array, Saved, State, packed, under
from service.learning.training.changes import Change, Place
from service.learning.training.events import Diverged, Progress
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training

PREFIX = "refit"
"""Before the names of the second training's state."""


class Chosen(NamedTuple):
    """The epoch that validation rows chose, and the parameters that the training had by then."""

    epoch: int
    vector: Array


def training_of(
    problem: Problem, parameters: Array, *, fresh: bool = False, changes: Sequence[Change] = ()
) -> Training:
    """Return the training of a problem, by its recipe. Raises as `Training` does."""
    kind = Training if problem.whole is None else RefitTraining
    return kind(problem, parameters, fresh=fresh, changes=changes)


def recipe_of_all(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe by which all rows train for as many epochs as were best; no loss of other rows steers it."""
    follows = recipe.schedule is not None and recipe.schedule.follows_losses
    return replace(
        recipe,
        epochs=epochs,
        schedule=None if follows else recipe.schedule,
        early_stopping=None,
        keep="last",
        backoff=None,
        refit=False,
    )


class RefitTraining(Training):
    """A training after whose epochs all rows train, from the same start, for as many epochs as were best.

    Reports are of the first training alone. Where it was changed on its way (a stop included) or went back for a
    divergence, or the second would diverge, the best parameters of the first are the result. A change during the second
    has the place after the last report, and ends it.
    """

    _all: Training | None = None
    _all_is_over = False

    @property
    def chosen(self) -> Chosen | None:
        """The best of the first training; None before its first report."""
        best, vector = self._best.best, self._best.best_vector
        return None if best is None or vector is None else Chosen(best[0], self._raw(vector))

    @property
    def place(self) -> Place | None:
        learns = self._all is not None and not self._all_is_over and self._is_as_planned()
        return self._changes.place_of(self._path) if learns and self._path is not None else super().place

    def _is_as_planned(self) -> bool:
        return not (self._changes.made or self._changes.backoffs)

    def _measure_result(self) -> Iterator[Progress]:
        yield from self._learn_all()
        yield from super()._measure_result()
        if self._all is not None and self._all_is_over:
            self.standardised_loss = self._all.standardised_loss

    def _learn_all(self) -> Iterator[Progress]:
        best = self._best.best
        if best is None or not best[0] or not self._is_as_planned():
            return
        self._all = self._all or self._training_of_all(best[0])
        try:
            for event in self._all.run():
                if isinstance(event, Progress) or self._heartbeat.due():
                    yield self._progress(event.epoch / (best[0] + 1))
                if not self._is_as_planned():
                    return
        except Diverged:
            return
        self._all_is_over = True

    def _training_of_all(self, epochs: int) -> Training:
        problem = self._problem
        assert problem.whole is not None, "`training_of` has seen it"
        everything = Problem(problem.network, problem.whole, None, recipe_of_all(problem.recipe, epochs))
        return Training(everything, self._start, fresh=self._fresh)

    def result(self) -> Array:
        return self._all.result() if self._all is not None and self._all_is_over else super().result()

    def judge_result(self) -> Generator[Progress, None, float]:
        """Return the loss of the parameters that validation rows chose: those of the result have learnt these rows."""
        chosen = self.chosen
        return (yield from super().judge_result() if chosen is None else self.judge(chosen.vector))

    def state(self) -> State:
        return super().state() | ({} if self._all is None else packed(PREFIX, self._all.state()))

    def restore(self, state: Saved) -> None:
        super().restore(state)
        self._all, self._all_is_over = None, False
        saved, best = under(PREFIX, state), self._best.best
        if saved and best is not None:
            self._all = self._training_of_all(best[0])
            self._all.restore(saved)
