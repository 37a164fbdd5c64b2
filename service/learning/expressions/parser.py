"""The small language of written losses and activations, from text to a tree: Julia's syntax, read by hand.

comparison:  a < b <= c, ==, !=, joined by && and ||
arithmetic:  + - * / ^, 2x for 2 * x; dots as in .* or f.(x) are allowed and mean nothing, since all is elementwise
calls:       f(a, b), sum(a; dims=1)
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

from service.learning.terms import UnreadableText

MAX_LENGTH = 2000
MAX_NESTING = 50  # of parentheses and signs while reading
MAX_DEPTH = 100  # of the tree: a chain of operators deepens it too

NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eEf][+-]?\d+)?", re.ASCII)
NAME = re.compile("[^\\W\\d][\\w\u0300-\u036f]*")  # combining accents: ŷ may be typed as y with a hat
OPERATOR = re.compile(r"\.?(?:\|\||&&|<=|>=|==|!=|[-+*/^<>≤≥≠!])|@\.|[(),;=?:.]")
PATTERNS = {"number": NUMBER, "name": NAME, "operator": OPERATOR}
SPELLINGS = {"≤": "<=", "≥": ">=", "≠": "!="}
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
BINDING = {"||": 1, "&&": 2, **dict.fromkeys(COMPARISONS, 3), "+": 4, "-": 4, "*": 5, "/": 5}


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    position: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    position: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator, `+` as well as `exp`, of its arguments; dims is 1 where it was given."""

    function: str
    arguments: tuple["Tree", ...]
    position: int
    dims: int | None = None
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        depth = 1 + max((argument.depth for argument in self.arguments), default=0)
        if depth > MAX_DEPTH:
            raise UnreadableText(f"too deep: at most {MAX_DEPTH} operations inside one another", self.position)
        object.__setattr__(self, "depth", depth)


Tree = Number | Name | Call


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # "number", "name", "operator", "end"
    text: str
    position: int
    end: int


def parse(text: str) -> Tree:
    """Return the tree of an expression.

    Raises:
        UnreadableText: it is not one, is longer than 2,000 characters, or nests too deep.
    """
    if len(text) > MAX_LENGTH:
        raise UnreadableText(f"too long: {len(text)} characters, at most {MAX_LENGTH}", MAX_LENGTH)
    return Parser(tokens(text)).whole_expression()


def tokens(text: str) -> list[Token]:
    found, position = [], 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        kind, match = next(
            ((kind, match) for kind, pattern in PATTERNS.items() if (match := pattern.match(text, position))),
            ("", None),
        )
        if match is None:
            raise UnreadableText(f"{text[position]!r} means nothing here", position)
        symbol = match[0].removeprefix(".") if kind == "operator" and len(match[0]) > 1 else match[0]
        symbol = SPELLINGS.get(symbol, unicodedata.normalize("NFC", symbol))
        if symbol != "@.":  # Julia's "put dots everywhere"
            found.append(Token(kind, symbol, position, match.end()))
        position = match.end()
    return [*found, Token("end", "", len(text), len(text))]


class Parser:
    """A parser by precedence climbing: a binary operator takes operands that bind more tightly than itself."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._nesting = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._next]

    def whole_expression(self) -> Tree:
        if self.token.kind == "end":
            raise UnreadableText("the expression is empty", 0)
        tree = self.expression()
        if self.token.text == "?":
            raise UnreadableText("write ifelse(condition, a, b) instead of condition ? a : b", self.token.position)
        if self.token.kind != "end":
            raise UnreadableText(f"expected an operator, not {self.token.text!r}{self._remedy()}", self.token.position)
        return tree

    def _remedy(self) -> str:
        """Return the remedy for a form of Python's or Julia's that means nothing here."""
        if self.token.text == ".":
            return ": functions stand alone, and work elementwise: tanh(x) for np.tanh(x) or tanh.(x)"
        return ""

    def expression(self, binding: int = 1) -> Tree:
        left, compared = self.signed(), None
        while BINDING.get(self.token.text, 0) >= binding:
            operator = self.take()
            right = self.expression(BINDING[operator.text] + 1)
            tree = Call(operator.text, (left, right), operator.position)
            if operator.text in COMPARISONS:  # a < b < c means a < b && b < c
                tree = tree if compared is None else Call("&&", (compared, tree), operator.position)
                compared, left = tree, right
                if self.token.text in COMPARISONS:
                    continue
            left, compared = tree, None
        return left

    def signed(self) -> Tree:
        """Return a power, with signs before it: -x^2 is -(x^2)."""
        if self.token.text not in ("-", "+", "!"):
            return self.power()
        sign = self.take()
        operand = self.nested(self.signed, sign)
        return operand if sign.text == "+" else Call("unary -" if sign.text == "-" else "!", (operand,), sign.position)

    def power(self) -> Tree:
        number = self.token
        base = self.primary()
        following = self.token
        if (
            number.kind == "number"
            and following.position == number.end
            and (following.kind == "name" or following.text == "(")
        ):
            return Call("*", (base, self.power()), number.position)  # 2x, 2(x + 1)
        if following.text != "^":
            return base
        self.take()
        return Call("^", (base, self.nested(self.signed, following)), following.position)

    def primary(self) -> Tree:
        token = self.take()
        if token.kind == "number":
            value = float(token.text.replace("f", "e"))
            if not isfinite(value):
                raise UnreadableText("this number is too large", token.position)
            return Number(value, token.position)
        if token.kind == "name":
            if self.token.text == "." and self._tokens[self._next + 1].text == "(":
                self.take()
            return self.call(token) if self.token.text == "(" else Name(token.text, token.position)
        if token.text == "(":
            tree = self.nested(self.expression, token)
            self.expect(")", "to close the parenthesis")
            return tree
        found = "the end" if token.kind == "end" else repr(token.text)
        power = ": a power is written x ^ 2" if token.text == "*" else ""
        raise UnreadableText(f"expected a number, a name or a parenthesis, not {found}{power}", token.position)

    def call(self, function: Token) -> Tree:
        self.take()
        arguments: list[Tree] = []
        while self.token.text not in (")", ";") and not self._at_keyword():
            arguments.append(self.nested(self.expression, function))
            if self.token.text != ",":
                break
            self.take()
        dims = None
        if self.token.text == ";" or self._at_keyword():
            dims = self.keyword()
        self.expect(")", f"to close {function.text}(")
        return Call(function.text, tuple(arguments), function.position, dims)

    def keyword(self) -> int:
        if self.token.text == ";":
            self.take()
        name = self.take()
        if name.text != "dims":
            raise UnreadableText("the only keyword is dims=1, each row on its own", name.position)
        self.expect("=", "after dims")
        value = self.take()
        if value.text != "1":
            raise UnreadableText("dims must be 1, each row on its own", value.position)
        return 1

    def _at_keyword(self) -> bool:
        return self.token.kind == "name" and self._tokens[self._next + 1].text == "="

    def nested(self, read: Callable[[], Tree], opening: Token) -> Tree:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise UnreadableText(f"too deep: at most {MAX_NESTING} levels", opening.position)
        tree = read()
        self._nesting -= 1
        return tree

    def expect(self, text: str, purpose: str) -> None:
        if self.token.text != text:
            found = "the end" if self.token.kind == "end" else repr(self.token.text)
            raise UnreadableText(f"expected {text!r} {purpose}, not {found}", self.token.position)
        self.take()

    def take(self) -> Token:
        token = self.token
        if token.kind != "end":
            self._next += 1
        return token
