"""The vocabulary over HTTP."""

from fastapi import APIRouter

from service.http.key_scopes import READ, needs
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.vocabulary.description import vocabulary
from service.vocabulary.schemas import Vocabulary

router = APIRouter(prefix="/api/vocabulary", tags=["vocabulary"], route_class=JSONRoute)


@router.get("", summary="List everything that models and recipes are made of", responses=problems(422))
@needs(READ)
def show_vocabulary() -> Vocabulary:
    """Every layer, activation, loss, optimiser, schedule and init, with its formula, parameters and defaults."""
    return vocabulary()
