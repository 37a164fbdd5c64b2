"""The reader of Flux's notation for layers: `Chain(Dense(4 => 16, tanh), Dense(16 => 3))`.

A layer is its name with values in parentheses, keywords behind `;`. A bare activation is a layer, and so is a Julia
lambda where one has parameters: `x -> leakyrelu(x, 0.2)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from service.learning.initialisations import INITS, Init
from service.learning.layers import DEEPEST, LAYERS, Layer
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.notation.tokens import Tokens
from service.learning.notation.writer import EXPRESSION
from service.learning.synonyms import PARAMETERS, TERMS, hint
from service.learning.terms import T, Term, TermError, UnreadableText, fields_of, hints, wire_name

LONGEST_NAME = 100
"""Characters of an unknown name; a client's text is not repeated whole."""


def read(text: str) -> Layer:
    """Return the layer that `text` stands for.

    Raises:
        UnreadableText: the text cannot be read; the error has the position.
    """
    reader = Reader(text)
    layer = reader.layer()
    reader.tokens.expect_end()
    return layer


def is_activation(name: str) -> bool:
    """Whether the name alone stands for an activation; a written one has none."""
    return name in ACTIVATIONS and name != EXPRESSION


class Reader:
    """A reader of layers, one token ahead."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text)
        self._depth = 0

    def layer(self) -> Layer:
        name, position = self.tokens.name("a layer such as Dense(4 => 2) or relu")
        if self.tokens.accept("->"):
            return self._lambda(name)
        if is_activation(name):
            return self._bare(name, position)
        if name not in LAYERS:
            raise self._unknown(
                "layer and no activation", name, position, [*LAYERS, *ACTIVATIONS, *ACTIVATIONS.aliases]
            )
        self._depth += 1
        if self._depth > DEEPEST + 1:
            raise UnreadableText(f"layers nest at most {DEEPEST} deep", position)
        layer = self._arguments(LAYERS[name], position)
        self._depth -= 1
        return layer

    def activation(self) -> Activation:
        name, position = self.tokens.name("an activation such as relu")
        if self.tokens.accept("->"):
            return self._lambda(name)
        if not is_activation(name):
            raise self._unknown("activation", name, position, [*ACTIVATIONS, *ACTIVATIONS.aliases])
        return self._bare(name, position)

    def _bare(self, name: str, position: int) -> Activation:
        if self.tokens.next_is("("):
            raise UnreadableText(f"an activation stands without parentheses: {name}, or x -> {name}(x, ...)", position)
        return build(ACTIVATIONS[name], {}, position)

    def _lambda(self, variable: str) -> Activation:
        call = self.tokens.call_of(variable, is_activation)
        if call is None:
            text, position = self.tokens.raw()
            return build(ACTIVATIONS[EXPRESSION], {"expression": text}, position)
        term = ACTIVATIONS[call.name]
        names = [field.name for field in fields_of(term)]
        if len(call.numbers) > len(names):
            raise UnreadableText(f"{term.name} takes x and {len(names)} numbers", call.position)
        return build(term, dict(zip(names, call.numbers, strict=False)), call.position)

    def init(self) -> Init:
        name, position = self.tokens.name("an initialisation such as glorot_uniform")
        if name not in INITS:
            raise self._unknown("initialisation", name, position, [*INITS])
        if self.tokens.next_is("("):
            return self._arguments(INITS[name], position)
        return build(INITS[name], {}, position)

    def _arguments(self, term: type[T], position: int) -> T:
        """Read the arguments in parentheses behind a name: positional values, then keywords."""
        annotations = hints(term)  # type: ignore[arg-type]  # classes are hashable
        known = {field.name: annotations[field.name] for field in fields_of(term)}
        positional = [field.name for field in fields_of(term) if not field.kw_only]
        values: dict[str, Any] = {}
        self.tokens.expect("(")
        while not self.tokens.next_is(")", ";") and not self.tokens.next_is_keyword():
            if not positional:
                raise UnreadableText(f"{term.name} takes no more values here", self.tokens.position)
            name = positional.pop(0)
            if name == "layers":
                values["layers"] = (*values.get("layers", ()), self.layer())
                positional.insert(0, name)
            else:
                values[name] = self._value(known[name])
            if name == "in_":
                self._expect_arrow(term)
            elif not self.tokens.accept(","):
                break
        self.tokens.accept(";")
        while not self.tokens.next_is(")"):
            self._keyword(term, known, values)
            if not self.tokens.accept(","):
                break
        self.tokens.expect(")")
        return build(term, values, position)

    def _keyword(self, term: type[Term], known: Mapping[str, Any], values: dict[str, Any]) -> None:
        word, position = self.tokens.name("a keyword")
        name = next((name for name in known if wire_name(name) == word), None)
        if name is None or name in values:
            words = [wire_name(each) for each in known]
            taken = "is given twice" if name else f"is no keyword of {term.name}: {hint(word, words, PARAMETERS)}"
            raise UnreadableText(f"{word} {taken}", position)
        self.tokens.expect("=")
        values[name] = self._value(known[name])

    def _expect_arrow(self, term: type[Term]) -> None:
        if not self.tokens.accept("=>"):
            found, position = self.tokens.next_in_words()
            raise UnreadableText(
                f"write inputs => outputs, as in {term.name}(4 => 2): '=>' is expected here, not {found}", position
            )

    def _unknown(self, kind: str, name: str, position: int, known: list[str]) -> UnreadableText:
        """Return the error about a name, which may have that of a module before it, as in nn.Linear."""
        whole = (name + self.tokens.dotted())[:LONGEST_NAME]
        names = [each for each in known if each != EXPRESSION]
        return UnreadableText(f"there is no {kind} {whole!r}: {hint(whole.rpartition('.')[2], names, TERMS)}", position)

    def _value(self, annotation: Any) -> Any:
        """Return a value that the annotation allows; its bounds are checked when the term is made."""
        origin, parts = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._value(parts[0])
        if origin in (Union, UnionType):
            is_list, is_flag = self.tokens.next_is("["), self.tokens.next_is("true", "false")
            fitting = [part for part in parts if (get_origin(part) is tuple) == is_list and (part is bool) == is_flag]
            return self._value((fitting or parts)[0])
        if origin is tuple:
            return self.tokens.numbers()
        if origin is Literal:
            return self.tokens.one_of(parts)
        if annotation is bool:
            return self.tokens.one_of(("true", "false")) == "true"
        if annotation in (int, float):
            return self.tokens.number()
        readers: dict[Any, Callable[[], Any]] = {Activation: self.activation, Init: self.init, Layer: self.layer}
        return readers[annotation]()


def build(term: type[T], values: dict[str, Any], position: int) -> T:
    """Return the term with these values; UnreadableText where one is wrong or missing."""
    for field in fields_of(term):
        if field.default is MISSING and field.name not in values:
            raise UnreadableText(f"{term.name} lacks {wire_name(field.name)}", position)
    try:
        return term(**values)
    except TermError as error:
        if isinstance(error.__cause__, UnreadableText):
            raise UnreadableText(error.__cause__.message, position + error.__cause__.position) from None
        raise UnreadableText(str(error), position) from None
