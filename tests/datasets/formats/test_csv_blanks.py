"""Blanks around the values of CSV are no part of them, but for those in quotes."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.datasets.formats.csv.blanks import stripped
from service.datasets.formats.media_types import MediaType
from tests.support.datasets.reading import read, refusal

NAN = pytest.approx(float("nan"), nan_ok=True)


def columns(text: str, **options: Any) -> dict[str, list[Any]]:
    return read(MediaType.CSV, text.encode(), **options)[1]


def test_a_value_of_blanks_is_missing() -> None:
    assert columns("x,t,y\n1,a,2\n ,  ,3\n\t,\t ,4\n") == {"x": [1, NAN, NAN], "t": ["a", None, None], "y": [2, 3, 4]}
    assert columns('x,y\n1,2\n" ",3\n') == {"x": [1, NAN], "y": [2, 3]}


def test_blanks_around_texts_go_and_those_in_quotes_stay() -> None:
    text = 'age, work, class\n39, State-gov, <=50K\n50,  NA ,>50K \n38, " Private ",<=50K\n41,"a, b", >50K\n'
    assert columns(text)["work"] == ["State-gov", None, " Private ", "a, b"]
    assert columns(text)["class"] == ["<=50K", ">50K", "<=50K", ">50K"]
    assert columns("t;y\n a b ;1\nc\t;2\n")["t"] == ["a b", "c"]


def test_marks_of_inches_do_not_hide_blanks() -> None:
    assert columns('t, y\n5" pipe , 1\n"a, b" , 2\n')["t"] == ['5" pipe', "a, b"]


def test_tabs_that_divide_values_stay() -> None:
    assert columns("x\tt\ty\n1\t\t2\n3\t a \t4\n") == {"x": [1, 3], "t": [None, "a"], "y": [2, 4]}


def test_faults_have_their_lines_where_blanks_went() -> None:
    text = 'x, t, y\n1, a, 2\n  \n3, "b\nc", 4\n5, d, six\n'
    assert refusal(MediaType.CSV, text.encode())[1].startswith("Line 6: column 'y' holds 'six'")


@settings(max_examples=120)
@given(st.lists(st.sampled_from([" ", "\t", "a", ",", "\n", "b c", '"q, r "', '"s"']), max_size=30).map("".join))
def test_stripping_leaves_no_blank_at_an_edge(text: str) -> None:
    bare = stripped(text.encode(), ",").decode()
    outside = re.sub(r'(?:(?<=[,\n])|\A)"[^"]*"(?=[,\n]|\Z)', "Q", bare)
    if not re.search(r'[a-z"] *"|"[ \t]*[a-z"]', text):  # quotes within values are none
        assert not re.search(r"(?:[,\n]|\A)[ \t]|[ \t](?:[,\n]|\Z)", outside)
    assert re.sub(r"[ \t]", "", bare) == re.sub(r"[ \t]", "", text)
