"""The vocabulary of `service.learning` on the wire: for each kind a tagged union, made from its frozen dataclasses.

A term is an object with its tag and fields, `{"rule": "Adam", "eta": 0.01}`; where the tag is `name`, the bare name
stands for all defaults, and `{"expression": "..."}` for a written one. So does the bare name of a rule.
"""

from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Field, create_model, model_serializer, model_validator
from typing_extensions import TypeAliasType

from service.learning.initialisations import Init
from service.learning.layers import Layer
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.losses import Loss
from service.learning.optimisers import Rule
from service.learning.schedules import Schedule
from service.learning.terms import Term, hints, wire_name
from service.vocabulary.kinds import EXPRESSION, KINDS, to_json
from service.vocabulary.parameters import meaning_of
from service.wire import WHOLE, Number, Strict


class TermShape(Strict):
    """A term on the wire."""

    of: ClassVar[type[Term]]
    tag: ClassVar[str]

    def to_learning(self) -> Any:
        """The term itself."""
        return self.of(**{field.name: _plain(getattr(self, field.name)) for field in fields(self.of)})  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _is_possible(self) -> "TermShape":
        self.to_learning()  # bounds that concern several fields
        return self

    @model_serializer
    def _dump(self) -> Any:
        return to_json(self.to_learning(), self.tag)


def _plain(value: Any) -> Any:
    if isinstance(value, TermShape):
        return value.to_learning()
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _wire_hint(hint: Any) -> Any:
    """The annotation of a wire field for that of a term's field; bounds carry over."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is int or (origin is Annotated and parts[0] is int):
        return Annotated[int, Field(strict=True), *parts[1:], WHOLE]
    if origin is Annotated:
        return Annotated[_wire_hint(parts[0]), *parts[1:]]
    if origin in (Union, UnionType):
        return Union[tuple(_wire_hint(part) for part in parts)]  # noqa: UP007 - a union made at run time
    if origin is tuple:
        return tuple[tuple(part if part is Ellipsis else _wire_hint(part) for part in parts)]  # type: ignore[misc]
    if isinstance(hint, type) and issubclass(hint, Term):
        return KINDS[hint][0]
    if hint is float:
        return Number
    if hint is bool:
        return Annotated[bool, Field(strict=True)]
    if hint is str:  # a formula, which is never empty
        return Annotated[str, Field(strict=True, min_length=1)]
    assert hint is NoneType or origin is Literal, f"no wire form for {hint}"
    return hint


def _shape_of(term: Any, tag: str, title: str) -> type[TermShape]:
    known = hints(term)
    own: dict[str, Any] = {tag: (Annotated[Literal[term.name], Field(description="the name of the term")], ...)}
    for field in fields(term):
        default = ... if field.default is MISSING else field.default
        own[field.name] = (
            Annotated[
                _wire_hint(known[field.name]),
                Field(alias=wire_name(field.name), validate_default=True, description=meaning_of(term, field)),
            ],
            to_json(default) if isinstance(default, Term) else default,
        )
    shape = create_model(title, __base__=TermShape, __doc__=term.__doc__, __module__=__name__, **own)
    shape.of, shape.tag = term, tag
    _SHAPES.append(shape)
    return shape


def _has_defaults(term: Any) -> bool:
    return all(field.default is not MISSING for field in fields(term))


def _union(kind: type[Term]) -> Any:
    _, tag, registry = KINDS[kind]
    shapes = [_shape_of(registry[name], tag, registry[name].__name__) for name in registry]
    bare = tuple(name for name in registry if _has_defaults(registry[name]))
    if kind is Layer:  # a bare activation is a layer
        shapes += [_shape_of(term, tag, f"{term.__name__}Layer") for term in ACTIVATIONS.values()]
        bare = tuple(name for name in ACTIVATIONS if _has_defaults(ACTIVATIONS[name]))
    union: Any = Annotated[Union[tuple(shapes)], Field(discriminator=tag)]  # noqa: UP007

    names_of = ACTIVATIONS if kind is Layer else registry

    def spell_out(value: Any) -> Any:
        if isinstance(value, str):
            return {tag: names_of.aliases.get(value, value)}
        if not isinstance(value, dict) or tag == "rule" or tag in value:
            return value
        name = value.get("name", EXPRESSION if EXPRESSION in value else None)
        rest = {key: item for key, item in value.items() if key != "name"}
        return value if name is None else {tag: name, **rest}

    spelt: Any = Union[Literal[bare], union] if bare else union  # noqa: UP007
    return Annotated[union, BeforeValidator(spell_out, json_schema_input_type=spelt)]


_SHAPES: list[type[BaseModel]] = []

if TYPE_CHECKING:  # a checker cannot follow types that are made at run time
    ActivationShape: TypeAlias = TermShape
    InitShape: TypeAlias = TermShape
    LossShape: TypeAlias = TermShape
    OptimiserShape: TypeAlias = TermShape
    ScheduleShape: TypeAlias = TermShape
    LayerShape: TypeAlias = TermShape
else:
    ActivationShape = TypeAliasType("Activation", _union(Activation))
    InitShape = TypeAliasType("Initialisation", _union(Init))
    LossShape = TypeAliasType("Loss", _union(Loss))
    OptimiserShape = TypeAliasType("Optimiser", _union(Rule))
    ScheduleShape = TypeAliasType("Schedule", _union(Schedule))
    LayerShape = TypeAliasType("Layer", _union(Layer))

for _shape in _SHAPES:
    _shape.model_rebuild()


class ParameterDescription(BaseModel):
    """A parameter of a word of the vocabulary."""

    name: str = Field(description="the name of the field")
    description: str = Field(description="its meaning in the formula")
    kind: str = Field(description="type and bounds, in words", examples=["number, greater than 0"])
    required: bool = Field(description="whether it has to be given")
    default: Any = Field(description="the value where it is left out; null where it is required")


class TermDescription(BaseModel):
    """One word of the vocabulary."""

    name: str = Field(description="its name in requests")
    formula: str = Field(description="its definition")
    description: str = Field(description="notes on the formula, and where it comes from; mostly empty")
    parameters: list[ParameterDescription] = Field(description="the fields of its object")


class Vocabulary(BaseModel):
    """Everything that models and recipes are made of."""

    layers: list[TermDescription] = Field(description="layers of networks")
    activations: list[TermDescription] = Field(description="activations, which are layers of their own, too")
    losses: list[TermDescription] = Field(description="losses of trainings and evaluations")
    optimisers: list[TermDescription] = Field(description="rules of optimisers")
    schedules: list[TermDescription] = Field(description="schedules of rates")
    inits: list[TermDescription] = Field(description="distributions that weights are drawn from")
