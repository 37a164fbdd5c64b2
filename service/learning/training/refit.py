"""A training that ends with another one, of all rows: those that chose the best epoch are learnt as well."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from service.learning.arrays import Array, Saved, State, packed, under
from service.learning.rows.part import Part
from service.learning.training.changes import Change, Place
from service.learning.training.events import Diverged, EpochReport, Progress, Refit, place_of
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


def share_done(training: Training, event: EpochReport | Progress) -> float:
    """Return the share of a training that is done at one of its events, if it comes to its last epoch."""
    if isinstance(training, RefitTraining):
        return training.share_done(event)
    return place_of(event) / training.recipe.epochs


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
        learns = self._all is not None and not self._all_is_over and self._departure is None
        return self._changes.place_of(self._path) if learns and self._path is not None else super().place

    @property
    def _departure(self) -> str | None:
        """The event on the way that keeps all rows from being learnt."""
        changes = self._changes
        if changes.stop is not None:
            return "the training was stopped"
        if changes.backoffs:
            return "the training went back on its way, as it would have diverged"
        return "the training was changed on its way" if changes.made else None

    @property
    def second(self) -> Training | None:
        """The training of all rows, once its parameters are the result."""
        return self._all if self._all_is_over else None

    def _measure_result(self) -> Iterator[Progress]:
        yield from self._learn_all()
        yield from super()._measure_result()
        if self.second is not None:
            self.standardised_loss = self.second.standardised_loss

    def _learn_all(self) -> Iterator[Progress]:
        best = self._best.best
        if best is None:
            return
        reason = self._departure if best[0] else "no epoch was better than the beginning"
        if reason is not None:
            yield self._told_of_all(best[0], reason)
            return
        if self._all is None:
            self._all = self._training_of_all(best[0])
            yield self._told_of_all(best[0])
        try:
            reason = yield from self._run_all(self._all, best[0])
        except Diverged as error:
            reason = f"the training of all rows diverged, as {error.detail}"
        self._all_is_over = reason is None
        if reason is not None:
            self._all = None  # from a state in the midst of a divergence it might come to another end
            yield self._told_of_all(best[0], reason)

    def _run_all(self, second: Training, best: int) -> Generator[Progress, None, str | None]:
        """Train all rows; return the event that kept them from being learnt."""
        for event in second.run():
            if isinstance(event, Progress) or self._heartbeat.due():
                self._heartbeat.reset()
                yield Progress(self.epochs_done, place_of(event) / (best + 1))
            if self._departure is not None:
                return self._departure
        return None

    def _told_of_all(self, best: int, reason: str | None = None) -> Refit:
        self._heartbeat.reset()
        return Refit(self.epochs_done, 0.0, best, len(self._whole), reason)

    @property
    def _whole(self) -> Part:
        assert self._problem.whole is not None, "`training_of` has seen it"
        return self._problem.whole

    def share_done(self, event: EpochReport | Progress) -> float:
        """Return the share of both trainings that is done at an event, by rows."""
        first = self.rows / (self.rows + len(self._whole))
        if self._all is None or not isinstance(event, Progress):
            return first * place_of(event) / self.recipe.epochs
        return first + (1 - first) * event.fraction

    def _training_of_all(self, epochs: int) -> Training:
        recipe = recipe_of_all(self.recipe, epochs)
        everything = Problem(self._network, self._whole, None, recipe, losses_are_read=False)
        return Training(everything, self._start, fresh=self._fresh)

    def result(self) -> Array:
        return super().result() if self.second is None else self.second.result()

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
