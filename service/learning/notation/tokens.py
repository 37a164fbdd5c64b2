"""The words and signs of the notation."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from service.learning.terms import UnreadableText

SIGNED_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eEf][+-]?\d+)?"
TOKEN = re.compile(rf"(?P<number>{SIGNED_NUMBER})|(?P<name>[^\W\d]\w*)|(?P<sign>=>|->|[(),;=\[\]+*])")
CALL = re.compile(
    rf"(?P<name>[^\W\d]\w*)\(\s*(?P<variable>[^\W\d]\w*)\s*(?P<numbers>(?:,\s*{SIGNED_NUMBER}\s*)*)\)(?=\s*(?:[,;)]|$))"
)
SPACE = re.compile(r"\s*")


DOTTED = re.compile(r"(?:\.[^\W\d]\w*)+")


class WrittenCall(NamedTuple):
    """A function's name, and the numbers behind its variable."""

    name: str
    numbers: tuple[float, ...]
    position: int


class Tokens:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._move(0)

    def _move(self, position: int) -> None:
        space = SPACE.match(self._text, position)
        self.position = space.end() if space else position
        self._token = TOKEN.match(self._text, self.position)

    @property
    def _next(self) -> str:
        return self._token.group() if self._token else self._text[self.position : self.position + 1]

    def next_is(self, *texts: str) -> bool:
        return self._next in texts

    def next_is_keyword(self) -> bool:
        """Whether `name =` comes next."""
        return re.compile(r"[^\W\d]\w*\s*=(?!>)").match(self._text, self.position) is not None

    def accept(self, text: str) -> bool:
        """Step over `text` if it comes next."""
        if self._next != text:
            return False
        self._move(self.position + len(text))
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self._unexpected(repr(text))

    def expect_end(self) -> None:
        if self.position < len(self._text):
            raise self._unexpected("the end")

    def name(self, what: str) -> tuple[str, int]:
        """Return the name that comes next, and its position."""
        if self._token is None or self._token.lastgroup != "name":
            raise self._unexpected(what)
        name, position = self._token.group(), self.position
        self._move(self._token.end())
        return name, position

    def one_of(self, choices: Sequence[str]) -> str:
        """Return the word or sign that comes next, one of `choices`."""
        text = self._next
        if text not in choices:
            raise self._unexpected(" or ".join(choices))
        self._move(self.position + len(text))
        return text

    def number(self) -> int | float:
        if self._token is None or self._token.lastgroup != "number":
            raise self._unexpected("a number")
        text = self._token.group()
        self._move(self._token.end())
        return number_of(text)

    def numbers(self) -> tuple[int | float, ...]:
        """Return a list of numbers in brackets."""
        self.expect("[")
        numbers = []
        while not self.next_is("]"):
            numbers.append(self.number())
            if not self.accept(","):
                break
        self.expect("]")
        return tuple(numbers)

    def call_of(self, variable: str, known: Callable[[str], bool]) -> WrittenCall | None:
        """`name(variable, number, ...)` with a known name, if that and nothing else comes next; steps over it."""
        found = CALL.match(self._text, self.position)
        if found is None or found["variable"] != variable or not known(found["name"]):
            return None
        position = self.position
        self._move(found.end())
        return WrittenCall(found["name"], tuple(number_of(text) for text in found["numbers"].split(",")[1:]), position)

    def raw(self) -> tuple[str, int]:
        """Return the text up to the comma, semicolon or parenthesis that ends it, and its position."""
        start, depth = self.position, 0
        for end in range(start, len(self._text)):
            character = self._text[end]
            if depth == 0 and character in ",;)":
                break
            depth += (character in "([") - (character in ")]")
        else:
            end = len(self._text)
        self._move(end)
        return self._text[start:end].strip(), start

    def dotted(self) -> str:
        """Return the rest of a name such as nn.Linear, whose first part was read."""
        rest = DOTTED.match(self._text, self.position)
        return rest.group() if rest else ""

    def next_in_words(self) -> tuple[str, int]:
        """Return what comes next, in words, and its position."""
        return repr(self._next) if self._next else "the end", self.position

    def _unexpected(self, expected: str) -> UnreadableText:
        found, position = self.next_in_words()
        return UnreadableText(f"expected {expected}, found {found}", position)


def number_of(text: str) -> int | float:
    """Return a number as Julia writes it: 1_000, 1f-5."""
    text = text.strip().replace("_", "").replace("f", "e")
    try:
        return int(text)
    except ValueError:
        return float(text)
