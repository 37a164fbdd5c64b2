import pytest

from service.learning.expressions import Call, Name, Number, Tree, parse
from service.learning.terms import UnreadableText


def shown(tree: Tree) -> str:
    match tree:
        case Number():
            return f"{tree.value:g}"
        case Name():
            return tree.name
        case Call():
            dims = "; dims=1" if tree.dims else ""
            return f"{tree.function}({', '.join(map(shown, tree.arguments))}{dims})"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a - b - c", "-(-(a, b), c)"),
        ("a + b * c", "+(a, *(b, c))"),
        ("a / b * c", "*(/(a, b), c)"),
        ("a ^ b ^ c", "^(a, ^(b, c))"),
        ("-x^2", "unary -(^(x, 2))"),
        ("x^-2", "^(x, unary -(2))"),
        ("- - +x", "unary -(unary -(x))"),
        ("2x^2 + 1/2x", "+(*(2, ^(x, 2)), /(1, *(2, x)))"),
        ("2(x + 1)", "*(2, +(x, 1))"),
        ("0.5f0x", "*(0.5, x)"),
        ("1e-3 + .5 + 2.", "+(+(0.001, 0.5), 2)"),
        ("0 < x <= 1", "&&(<(0, x), <=(x, 1))"),
        ("a < b < c < d", "&&(&&(<(a, b), <(b, c)), <(c, d))"),
        ("a + 1 > b && !(c ≠ d) || e ≥ f", "||(&&(>(+(a, 1), b), !(!=(c, d))), >=(e, f))"),
        ("x!=3", "!=(x, 3)"),
        ("max(a, b,)", "max(a, b)"),
        ("sum(a; dims=1)", "sum(a; dims=1)"),
        ("sum(a, dims = 1)", "sum(a; dims=1)"),
        ("y\u0302 - ŷ", "-(ŷ, ŷ)"),
    ],
)
def test_operators_bind_as_in_julia(text: str, meaning: str) -> None:
    assert shown(parse(text)) == meaning


@pytest.mark.parametrize(
    ("dotted", "plain"),
    [
        ("mean(abs2.(ŷ .- y))", "mean(abs2(ŷ - y))"),
        ("@. x * sigmoid(x)", "x * sigmoid(x)"),
        ("x .^ 2 ./ 2 .+ .-x", "x ^ 2 / 2 + -x"),
        ("2.*x", "2 * x"),
        ("x .< 1 .&& x .>= 0", "x < 1 && x >= 0"),
    ],
)
def test_dots_mean_nothing(dotted: str, plain: str) -> None:
    assert shown(parse(dotted)) == shown(parse(plain))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("x +", 3, "not the end"),
        ("foo(", 4, "not the end"),
        ("(x", 2, r"expected '\)' to close the parenthesis"),
        ("x y", 2, "expected an operator, not 'y'"),
        ("x)", 1, r"expected an operator, not '\)'"),
        ("f(a,,b)", 4, "expected a number, a name"),
        ("x = 1", 2, "expected an operator"),
        ("x > 0 ? 1 : 2", 6, "ifelse"),
        ("x $ 2", 2, "means nothing"),
        ("x'", 1, "means nothing"),
        ("x[1]", 1, "means nothing"),
        ("sum(x; dims=2)", 12, "dims must be 1"),
        ("sum(x; init=0)", 7, "only keyword"),
        ("1e999", 0, "too large"),
        ("1.2.3", 3, "expected an operator"),
        ("x.", 1, "expected an operator"),
        ("x".ljust(2001), 2000, "too long"),
        ("(" * 60 + "x", 50, "too deep"),
        ("-" * 1999 + "x", 50, "too deep"),
        ("x" + "^x" * 999, 101, "too deep"),
        ("x" + "+x" * 999, 199, "too deep"),
        ("f(" * 999, 100, "too deep"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_expression_is_refused_at_the_character_at_fault(text: str, position: int, words: str) -> None:
    with pytest.raises(UnreadableText, match=words) as refused:
        parse(text)
    assert refused.value.position == position
    assert str(refused.value).endswith(f"(at character {position + 1})")
