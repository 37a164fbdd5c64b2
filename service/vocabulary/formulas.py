"""The length of formulas that clients write."""

from service.errors import invalid
from service.learning.expressions import formulas_in
from service.learning.terms import Term


def check_formulas(term: Term, most: int, pointer: str) -> None:
    """Check the formulas of a loss, or of a layer and all that is inside it.

    Raises:
        Invalid: one is too long.
    """
    longest = max(map(len, formulas_in(term)), default=0)
    if longest > most:
        detail = f"This formula has {longest:,} characters, and at most {most:,} are allowed (DESCENT_MAX_EXPRESSION)."
        raise invalid(pointer, detail, "expression_too_long")
