"""The whole vocabulary as a client reads it, made from the dataclasses of `service.learning`."""

from dataclasses import MISSING, fields
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Len, Lt

from service.learning.initialisations import Init
from service.learning.layers import Layer
from service.learning.layers.activations import Activation
from service.learning.losses import Loss
from service.learning.optimisers import Rule
from service.learning.schedules import Schedule
from service.learning.terms import Term, hints, wire_name
from service.vocabulary.kinds import KINDS, to_json
from service.vocabulary.parameters import meaning_of
from service.vocabulary.schemas import ParameterDescription, TermDescription, Vocabulary

PLURALS: dict[str, type[Term]] = {
    "layers": Layer,
    "activations": Activation,
    "losses": Loss,
    "optimisers": Rule,
    "schedules": Schedule,
    "inits": Init,
}
WORDS = {float: "number", int: "whole number", bool: "true or false", str: "text"}


def vocabulary() -> Vocabulary:
    """Return every term of every kind, those of installed packages too."""
    return Vocabulary(
        **{plural: [_describe(term) for term in KINDS[kind][2].values()] for plural, kind in PLURALS.items()}
    )


def _describe(term: Any) -> TermDescription:
    known = hints(term)
    return TermDescription(
        name=term.name,
        formula=term.formula(),
        description=_rest(term),
        parameters=[
            ParameterDescription(
                name=wire_name(field.name),
                description=meaning_of(term, field),
                kind=_words(known[field.name]),
                required=field.default is MISSING,
                default=_default(field.default),
            )
            for field in fields(term)
        ],
    )


def _rest(term: Any) -> str:
    """Return the docstring without the formula, its lines joined."""
    return " ".join((term.__doc__ or "").partition("\n")[2].split())


def _default(value: Any) -> Any:
    if value is MISSING:
        return None
    return to_json(value) if isinstance(value, Term) else value


def _words(hint: Any) -> str:
    """Return a parameter's type and bounds: `number, greater than 0`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return ", ".join([_words(parts[0]), *map(_bound, parts[1:])])
    if origin in (Union, UnionType):
        return " or ".join(map(_words, parts))
    if origin is Literal:
        return " or ".join(repr(part) for part in parts)
    if origin is tuple:
        return f"list, each {_words(parts[0])}" if parts[-1] is Ellipsis else f"pair, each {_words(parts[0])}"
    return WORDS.get(hint, "null" if hint is type(None) else hint.__name__.lower())


def _bound(bound: Any) -> str:
    match bound:
        case Gt(gt=limit):
            return f"greater than {limit}"
        case Ge(ge=limit):
            return f"at least {limit}"
        case Lt(lt=limit):
            return f"less than {limit}"
        case Le(le=limit):
            return f"at most {limit}"
        case Len(min_length=least):
            return f"at least {least} of them"
        case _:
            return str(bound)
