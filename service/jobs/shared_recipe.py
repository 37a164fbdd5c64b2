"""A recipe that many jobs share, as sweeps and cross-validations take it beside their model and dataset."""

from collections.abc import Iterable

from pydantic import TypeAdapter

from service.errors import invalid
from service.http.json_bodies import validated
from service.http.json_numbers import JsonObject
from service.jobs.recipe_schemas import NewJob

_JOB: TypeAdapter[NewJob] = TypeAdapter(NewJob)
OWN = ("model", "dataset", "labels")
"""Fields of a job that are no part of such a recipe."""


def check_own_fields(recipe: Iterable[str]) -> None:
    """Raise Invalid where a recipe has fields that stand beside it."""
    for field in OWN:
        if field in recipe:
            detail = f"{field} is no part of a recipe that jobs share: give it beside the recipe, or leave it out."
            raise invalid(f"#/recipe/{field}", detail, "impossible_recipe")


def job_of(recipe: JsonObject, model: str, dataset: str) -> NewJob:
    """Return one of the jobs, as a client would have written it.

    Raises:
        Invalid: the recipe is malformed; pointers are those of a job.
    """
    return validated(_JOB, {**recipe, "model": model, "dataset": dataset})


def place_in_recipe(pointer: str) -> str:
    """Return `pointer`, which points into a job, as a pointer into the request that holds its recipe."""
    outside = pointer in ("#/dataset", "#/model") or not pointer.startswith("#/")
    return pointer if outside else f"#/recipe/{pointer.removeprefix('#/')}"
