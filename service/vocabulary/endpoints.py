"""The vocabulary over HTTP."""

from fastapi import APIRouter

from service.vocabulary.description import vocabulary
from service.vocabulary.schemas import Vocabulary

router = APIRouter(prefix="/api/vocabulary", tags=["vocabulary"])


@router.get("", summary="List everything that models and recipes are made of")
def show_vocabulary() -> Vocabulary:
    """Every layer, activation, loss, optimiser, schedule and init, with its formula, parameters and defaults."""
    return vocabulary()
