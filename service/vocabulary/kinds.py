"""The kinds of terms, and terms as JSON, written and read without pydantic: workers do it too."""

from dataclasses import MISSING, fields
from typing import Any, TypeVar, cast, get_args

from service.learning import expressions  # noqa: F401 - written losses and activations are terms, too
from service.learning.initialisations import INITS, Init
from service.learning.layers import LAYERS, Layer
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.losses import LOSSES, Loss
from service.learning.optimisers import OPTIMISERS, Rule
from service.learning.schedules import SCHEDULES, Schedule
from service.learning.terms import Registry, Term, hints, wire_name

EXPRESSION = "expression"

KINDS: dict[type[Term], tuple[str, str, Registry[Any]]] = {
    Activation: ("ActivationShape", "name", ACTIVATIONS),
    Init: ("InitShape", "name", INITS),
    Loss: ("LossShape", "name", LOSSES),
    Rule: ("OptimiserShape", "rule", OPTIMISERS),
    Schedule: ("ScheduleShape", "name", SCHEDULES),
    Layer: ("LayerShape", "type", LAYERS),
}
"""The name of the union, the tag and the terms of each kind."""

T = TypeVar("T", bound=Term)


def to_json(term: Term, tag: str = "") -> Any:
    """A term as a client would write it: shortest where the tag is `name`, else with all fields.

    `tag` is by default that of its kind: an activation that stands as a layer of its own has `type`.
    """
    tag = tag or next(own for kind, (_, own, _) in KINDS.items() if isinstance(term, kind))
    known = hints(cast("Any", type(term)))
    own = {wire_name(name): _json(getattr(term, name), known[name]) for name in known}
    if tag == "name" and term.name == EXPRESSION:
        return own
    if tag == "name" and own == _defaults(type(term)):
        return term.name
    return {tag: term.name, **own}


def _json(value: Any, hint: Any) -> Any:
    if isinstance(value, Term):
        return to_json(value, KINDS[_kind_in(hint)][1])
    return [_json(item, hint) for item in value] if isinstance(value, tuple) else value


def from_json(kind: type[T], written: Any) -> T:
    """Return the term of a kind that `to_json` wrote."""
    _, tag, registry = KINDS[kind]
    own = {tag: written} if isinstance(written, str) else written
    term: Any = registry[own.get(tag, EXPRESSION)]
    known = {name: hint for name, hint in hints(term).items() if wire_name(name) in own}
    read: T = term(**{name: _read(own[wire_name(name)], hint) for name, hint in known.items()})
    return read


def _read(value: Any, hint: Any) -> Any:
    if value is None or not _speaks_of_terms(hint):
        return value
    return tuple(_read(item, hint) for item in value) if isinstance(value, list) else from_json(_kind_in(hint), value)


def _kind_in(hint: Any) -> type[Term]:
    """The kind of term in an annotation."""
    if hint in KINDS:
        return cast("type[Term]", hint)
    return next(_kind_in(part) for part in get_args(hint) if _speaks_of_terms(part))


def _speaks_of_terms(hint: Any) -> bool:
    return hint in KINDS or any(_speaks_of_terms(part) for part in get_args(hint))


def _defaults(term: Any) -> dict[str, Any]:
    known = hints(term)
    given = {field.name: field.default for field in fields(term) if field.default is not MISSING}
    return {wire_name(name): _json(default, known[name]) for name, default in given.items()}
