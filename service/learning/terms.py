"""The base of all vocabulary: a frozen dataclass whose fields are checked, in a registry under its wire name.

    @ACTIVATIONS.add
    @dataclass(frozen=True, slots=True)
    class LeakyReLU(Activation):
        \"\"\"max(a x, x)\"\"\"

        name = "leakyrelu"
        a: float = 0.01

is a whole definition: the first line of the docstring is its formula, the annotations are its bounds.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Len, Lt

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Lt(1)]
Count = Annotated[int, Ge(1)]


class TermError(ValueError):
    """A value that a field of a term cannot have; `message` tells what would be right."""

    def __init__(self, term: str, field: str, message: str) -> None:
        super().__init__(f"{term}: {field} {message}")
        self.term = term
        self.field = field
        self.message = message


class UnreadableText(ValueError):
    """Text that is no network or no expression; `position` is the offset of the character at fault, from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


class Term:
    """An activation, loss, layer, initialisation, optimiser rule or schedule with its parameters."""

    __slots__ = ()
    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Convert every field to its annotated type, or raise TermError."""
        for field, hint in hints(type(self)).items():  # type: ignore[arg-type]  # classes are hashable
            try:
                value = conform(getattr(self, field), hint)
            except ValueError as error:
                raise TermError(self.name, wire_name(field), str(error)) from None
            object.__setattr__(self, field, value)

    @classmethod
    def formula(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


def wire_name(field: str) -> str:
    """`lambda_` and `in_` avoid Python's keywords; on the wire they are `lambda` and `in`."""
    return field.rstrip("_")


def fields_of(term: Any) -> tuple[Field[Any], ...]:
    """Return the fields of a term, or of its class: every term is a dataclass, though the type of terms cannot tell."""
    return fields(term)


@cache
def hints(term: type[Any]) -> dict[str, Any]:
    """Return the annotations of a term's fields, bounds included."""
    known = get_type_hints(term, include_extras=True)
    return {field.name: known[field.name] for field in fields(term)}


def conform(value: Any, hint: Any) -> Any:
    """The value as its annotation wants it (an int becomes a float, a list a tuple); ValueError names the remedy."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *bounds = get_args(hint)
        value = conform(value, base)
        for bound in bounds:
            check_bound(value, bound)
        return value
    if origin in (Union, UnionType):
        return conform_union(value, get_args(hint))
    if origin is Literal:
        choices = get_args(hint)
        if value not in choices or isinstance(value, bool) != any(isinstance(c, bool) for c in choices):
            raise ValueError("must be one of " + ", ".join(map(repr, choices)))
        return value
    if origin is tuple:
        return conform_tuple(value, get_args(hint))
    return conform_plain(value, hint)


def conform_union(value: Any, hints: tuple[Any, ...]) -> Any:
    if value is None and NoneType in hints:
        return None
    problems = []
    for hint in hints:
        if hint is not NoneType:
            try:
                return conform(value, hint)
            except ValueError as error:
                problems.append(str(error))
    raise ValueError(", or ".join(problems))


def conform_tuple(value: Any, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, tuple | list):
        raise ValueError("must be a list")
    if hints[-1] is Ellipsis:
        return tuple(conform(item, hints[0]) for item in value)
    if len(value) != len(hints):
        raise ValueError(f"must have {len(hints)} values, not {len(value)}")
    return tuple(conform(item, hint) for item, hint in zip(value, hints, strict=True))


def conform_plain(value: Any, hint: type) -> Any:
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("must be a number")
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value
    if hint is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError("must be a whole number")
    if not isinstance(value, hint):
        raise ValueError(f"must be {KINDS.get(hint, f'a kind of {hint.__name__}')}")
    return value


KINDS: dict[type, str] = {int: "a whole number", bool: "true or false", str: "text"}


def check_bound(value: Any, bound: Any) -> None:
    match bound:
        case Gt(gt=limit):
            good, words = value > limit, f"greater than {limit:g}"
        case Ge(ge=limit):
            good, words = value >= limit, f"at least {limit:g}"
        case Lt(lt=limit):
            good, words = value < limit, f"less than {limit:g}"
        case Le(le=limit):
            good, words = value <= limit, f"at most {limit:g}"
        case Len(min_length=least, max_length=most):
            good = len(value) >= least and (most is None or len(value) <= most)
            words = f"{least} values or more" if most is None else f"{least} to {most} values long"
        case _:
            return
    if not good:
        raise ValueError(f"must be {words}, not {value:g}" if isinstance(value, int | float) else f"must be {words}")


T = TypeVar("T", bound=Term)


class Registry(Mapping[str, type[T]]):
    """The terms of one kind by wire name: those of `modules`, then those of installed packages.

    A package adds terms by an entry point of the registry's group whose value names a class
    decorated like ours, or a module that defines such classes. They are loaded when first needed.
    """

    def __init__(self, group: str, *modules: str) -> None:
        self.group = group
        self.modules = modules
        self.terms: dict[str, type[T]] = {}
        self.aliases: dict[str, str] = {}
        self.complete = False

    def add(self, term: type[T]) -> type[T]:
        """Class decorator; ValueError if the name is taken by another term."""
        for name in (term.name, *term.aliases):
            if name in self.terms or name in self.aliases:
                raise ValueError(f"{self.group} has a {name!r} already")
        self.terms[term.name] = term
        self.aliases.update(dict.fromkeys(term.aliases, term.name))
        return term

    def load(self) -> None:
        if not self.complete:
            self.complete = True  # first, since what is loaded may ask for this registry
            for module in self.modules:
                import_module(module)
            for entry in entry_points(group=self.group):
                entry.load()

    def __getitem__(self, name: str) -> type[T]:
        if name not in self.terms and name not in self.aliases:
            self.load()
        return self.terms[self.aliases.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        self.load()
        return iter(self.terms)

    def __len__(self) -> int:
        self.load()
        return len(self.terms)
