"""Numbers and dates in texts that may be meant as categories, such as <5, 10-20 or FY2020, and so are no faults."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote

from service.datasets.formats.worded_dates import is_clock, is_doubtful, is_time
from service.datasets.formats.worded_numbers import (
    LONGEST,
    MONEY,
    PLAIN,
    SEPARATED,
    UNITS,
    is_measured,
    is_plain,
    worded,
)

SAMPLED = 60
"""Categories of a column that are looked at."""

MOST_OTHERS = 5
"""Texts among numbers that a remedy names."""


class Form(NamedTuple):
    """A way to write numbers or dates, in words, and the remedy, where it is one for whatever form a body has."""

    what: str
    remedy: str = ""


NUMBER: Final = Form("a plain number")
DATE: Final = Form("a date or a time")
BOUND: Final = Form("a bound", "write the number alone, as in 5")
_CLOCK: Final = Form("a time of day", "write one number in one unit, as in 90")
_RANGE: Final = Form("a range", "write its middle, as in 15, or its ends in columns of their own")
_WITH_WORD: Final = Form("a number with a word", "write the number alone, as in 5")
_SEPARATED: Final = Form("a number with separators", "write numbers as in 1234.5")
_UNSEEN: Final = Form("a number with a character that nobody sees", "write the number alone, as in 12")
_ROMAN: Final = Form("a Roman numeral", "write digits, as in 4")
_WORDS: Final = Form("a number in words", "write digits, as in 4")

_D = r"(?>[-+\u2212]?[0-9]+(?:[.,][0-9]+)*)"
"""A number in digits; atomic, as that of blanks and separators below: no text is read in many ways."""
_N = rf"[-+\u2212]?(?:(?:{MONEY})\s?)?(?>{PLAIN})(?:\s?(?:{UNITS}|{MONEY}|%))?"
_SINGLE = r"(?>[-+\u2212]?[0-9]+(?:\.[0-9]+)?)"
_ENDLESS = r"[-+]?(?:inf|\u221e)"
_YEAR = r"'?(?:[12][0-9])?[0-9]{2}"
_HALF = r"(?:[HSQ][1-4]|[1-4][HSQ])"
_FRACTIONS = r"[\u00bc-\u00be\u2150-\u215e]"
_POWERS = r"[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]"
_COMPASS = r"(?-i:[NSEWO])"
_FORMS: Final[dict[Form, tuple[str, ...]]] = {  # of texts in which every digit is a 1, as each may be any
    Form("feet and inches", "write one number in one unit, as in 71"): (
        r"""[0-9]{1,3}\s?['\u2032\u2019]\s?(?:[0-9]{1,2}(?:[.,][0-9]+)?\s?(?:["\u2033\u201d]|''|in)?)?""",
        r"""[0-9]+(?:[.,][0-9]+)?\s?(?:["\u2033\u201d]|'')""",
    ),
    Form("an angle", "write decimal degrees, as in -48.5"): (
        rf"{_COMPASS}?\s?{_D}\s?\u00b0.+",
        rf"[0-9]+[.,][0-9]+\s?{_COMPASS}",
        rf"{_COMPASS}\s[0-9]+[.,][0-9]+",  # without a blank, E11.9 is diabetes
    ),
    Form("an approximate number", "write the number alone, as in 5"): (
        rf"(?:[~\u223c\u2243\u2245\u2248\u00b1]|\+/-|c\.|ca\.)\s*{_N}",
        rf"(?:ca|circa|about|around|roughly|almost|nearly|est\.?|approx\.?|approximately)\s\s*{_N}",
        rf"{_N}\s*(?:\u00b1|\+/?-)\s*{_N}",
        rf"{_N}(?:\s?ish|\s\(?(?:approx|estimated|est|ca|circa)\.?\)?)",
    ),
    BOUND: (
        rf"(?:[<>\u2264\u2265\u2a7d\u2a7e]=?|=[<>])\s*{_N}",
        rf"(?:(?:more|less|fewer|(?:old|young|high|low|great)er) than|over|under|above|below)\s{_N}",
        rf"(?:at least|at most|up to|min\.?|max\.?|from|since|until|before|after)\s{_N}",
        rf"{_N}\s?\+(?:\s?[a-z]+)?",
        rf"{_N}\s(?:[a-z]+\s)?(?:or|and|&)\s(?:over|above|under|below|up|more|less|fewer|(?:old|young|high|low|great)er)",
    ),
    Form("a period of time", "write a number, as in 2020, or a date, as in 2020-07-01"): (
        rf"(?:FY|CY|AY|SY|TY|MY)\s?-?{_YEAR}(?:\s?[-/\u2013]\s?[0-9]{{2,4}})?(?:[-\s]?{_HALF})?",
        rf"{_HALF}[-\s/]*(?:FY|CY)?\s?{_YEAR}",
        rf"(?:FY|CY)?\s?[12][0-9]{{3}}[-\s/]*{_HALF}",
        r"[12][0-9]{3}\s?(?:[AEFP]|M[01][0-9]|[-/\u2013]\s?[0-9]{2})",
        r"'?[0-9]{2,4}'?s",
        r"[0-9]+\s?(?:BCE?|AD|CE)|(?:AD|BC)\s?[0-9]+",
        r"(?:years?|months?|weeks?|wk|days?|hours?|hrs?|minutes?|mins?|quarter)\.?\s?#?[0-9]+",
    ),
    Form("a date in words", "write dates as in 2020-01-31, which the type date reads"): (
        r"(?:[^\W\d]+\.?,?\s+)?1{1,2}\.?\s+(?:de\s+)?[^\W\d]+\.?,?\s+(?:de\s+)?1111",
        r"1111\s?\u5e74\s?1{1,2}\s?\u6708(?:\s?1{1,2}\s?\u65e5)?|1111\s?\ub144\s?1{1,2}\s?\uc6d4(?:\s?1{1,2}\s?\uc77c)?",
    ),
    Form("a duration", "write one number in one unit, as in 90"): (
        r"P(?=[0-9T])(?:[0-9.]+[YMWD])*(?:T(?:[0-9.]+[HMS])+)?",
        r"-?[0-9]+\s?d(?:ays?)?,?\s(?:[0-9]+:)+[0-9.]+",
        r"(?:[0-9]+:){2,3}[0-9.]+",
    ),
    _RANGE: (
        rf"(?:between\s)?{_N}\s*(?:[-\u2010-\u2015\u2212~\u2026]|\.\.+|to|and|until|through)\s*{_N}(?:\s[a-z]+)?",
    ),
    Form("a fraction", "write its value, as in 0.5, or its numbers in columns of their own"): (
        rf"{_N}\s*(?:/|\u2044|\u00f7|:|out of|of|in)\s*{_N}",
        rf"{_D}[\s-]+[0-9]+\s?[/\u2044]\s?[0-9]+",
        rf"[-+]?[0-9]*\s?{_FRACTIONS}",
    ),
    Form("a number in another base", "write it in decimals, as in 31"): (
        r"[-+]?(?:0x[0-9a-f]+|0b[0-9]+|0o[0-9]+|&h[0-9a-f]+|\\x[0-9a-f]+)",
    ),
    Form("a number in scientific notation", "write it as in 1.5e3"): (
        rf"{_D}\s?[x\u00d7*\u00b7]\s?11(?:\s?(?:\^|\*\*|e)\s?[-+\u2212]?[0-9]+|{_POWERS}+)",
        r"[-+]?[0-9]*\.[0-9]+d[0-9]{1,3}",
        rf"{_D}(?:\s+[ed]\s*[-+\u2212]?\s*[0-9]+|[ed]\s+[-+]?\s*[0-9]+|[ed][-+]\s+[0-9]+|d[-+][0-9]+|e\u2212[0-9]+)",
    ),
    Form("several numbers", "write each in a column of its own"): (
        rf"{_N}(?:\s*[x\u00d7*@]\s*{_N})+",
        rf"[\[({{]\s*(?:{_SINGLE}|{_ENDLESS})(?:[\s,;|:]+(?:{_SINGLE}|{_ENDLESS}))*\s*[\])}}]",
        rf"{_SINGLE}(?:(?:\s*[;|&]\s*|,\s+){_SINGLE})+",
    ),
    Form("a number with a mark", "write the number alone, as in 12"): (
        rf"{_N}\s?(?:[*\u2020\u2021^\u00a7#?!]+|{_POWERS}|\[[0-9a-z]{{1,3}}\]|\([a-z.]{{1,12}}\))",
        rf"'{_N}|=?[\"']{_N}[\"']",
        r"[0-9]+[.,][0-9]+\s?[a-z]{1,2}",
        rf"{_N}\s(?:[a-z]|CR|DR|n\.?s\.?)|{_D}[-\u2212]|[-+]\s{_D}",
    ),
    Form("a rank", "write the number alone, as in 1"): (
        r"[0-9]+\s?(?:st|nd|rd|th|\u00ba|\u00aa)\.?|#\s?[0-9]+|no\.?\s?[0-9]+",
    ),
    Form("a formula", "save the file with values in place of formulas"): (r"=\s?[-+(@$a-z].*",),
    _WITH_WORD: (rf"{_N}[\s-][a-z]{{2,15}}(?:\([a-z]+\))?",),
}  # fmt: skip
_DIGIT = re.compile(r"(?!0[xbo])[0-9]", re.IGNORECASE)
_NO_LETTER = re.compile(r"[\W\d]")
_DESCENT = re.compile(r"([0-9]+)-([0-9]+)")
_NUMERAL = re.compile(r"\s*(?=[IVXLC])(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})\s*")
_WORD = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    "|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|half|dozen"
)
_IN_WORDS = re.compile(rf"\s*(?:{_WORD})(?:(?:[\s-]|\sand\s)(?:{_WORD}))*\s*", re.IGNORECASE)


def without_unseen(text: str) -> str:
    """Return a text without characters that have no width, such as the mark of a byte order within it."""
    return text if text.isascii() else "".join(each for each in text if unicodedata.category(each) != "Cf")


def form_of(text: str) -> Form | None:
    """Return the way in which a text stands for a number or a date; None where it is a text."""
    if len(text) > LONGEST:
        return None
    text = text.strip()
    if is_plain(text):
        return NUMBER
    seen = without_unseen(text)
    if seen != text:
        return _UNSEEN if form_of(seen) else None
    digits = unicodedata.normalize("NFKC", text)
    if not any(map(str.isdecimal, digits)):
        return _WORDS if _IN_WORDS.fullmatch(text) else None
    if what := worded(text):
        return Form(*what.split(": ", 1))
    if is_time(text):
        return _CLOCK if is_clock(text) else DATE
    if SEPARATED.fullmatch(text):
        return _SEPARATED
    if found := _form_of(_DIGIT.sub("1", text)):
        return None if found == _RANGE and _descends(text) else found
    usual = "".join(str(unicodedata.decimal(each, each)) for each in digits)
    return Form("a number in other digits", f"write it as in {usual.strip()}") if is_plain(usual) else None


@lru_cache(1024)
def _form_of(text: str) -> Form | None:
    """Return the way of texts that differ in their digits alone."""
    return next((form for form in _FORMS if _pattern(form).fullmatch(text)), None)


@cache
def _pattern(form: Form) -> re.Pattern[str]:
    # here: to compile them all takes a twentieth of the service's start
    return re.compile(rf"\s*(?:{'|'.join(_FORMS[form])})\s*", re.IGNORECASE)


def _descends(text: str) -> bool:
    """Whether a text is two numbers, the greater one first, as in postcodes and scores: 12345-678 and 2-1."""
    ends = _DESCENT.fullmatch(text)
    return ends is not None and int(ends[1]) > int(ends[2])


class Found(NamedTuple):
    """The form of numbers or dates among the categories of a column: the commonest that has to be written anew, or of
    those that are read as they are.
    """

    form: Form
    example: str
    others: Sequence[str] = ()
    """Texts among them that are no numbers."""

    @property
    def sentence(self) -> str:
        """Describe the values."""
        what = "dates" if self.form == DATE else "numbers"
        kind = f", {self.form.what}" if self.form.remedy else ""
        return f"{what} in texts, such as {self.example!r}{kind}"

    def remedy(self, name: str, missing: str = "") -> str:
        """Return the remedy for a column, whose `name` is as it stands in a query; `missing` is what a query has to
        say beside values that are missing.
        """
        if self.form.remedy:
            return self.form.remedy
        kind, read = ("date", "days since 1970-01-01") if self.form == DATE else ("numeric", "numbers")
        if not self.others:
            return f"types={name}:{kind} (in JSON in `types`) reads them as {read}"
        if len(self.others) > MOST_OTHERS:
            marks = f"each other text, such as {self.others[0]!r}"
            return f"types={name}:{kind}{missing} reads them in CSV as {read} where missing_values= names {marks}"
        marks = "".join(f"&missing_values={quote(text)}" for text in self.others)
        return f"types={name}:{kind}{marks}{missing} reads them in CSV as {read}"


def found_among(categories: Collection[str]) -> Found | None:
    """Return the form of the numbers or dates that most categories are; None where most are texts."""
    if "II" in categories and all(map(_NUMERAL.fullmatch, categories)):
        return Found(_ROMAN, "II")
    looked_at = list(categories)[:: -(-len(categories) // SAMPLED)]
    forms = _without_names({text: form for text in looked_at if (form := form_of(text))})
    if 2 * len(forms) <= len(looked_at):
        return None
    written_anew = [form for form in forms.values() if form.remedy]
    ((most, _),) = Counter(written_anew or forms.values()).most_common(1)
    example = next(text for text, form in forms.items() if form == most)
    if most.remedy:
        return Found(most, example, [text for text in looked_at if text not in forms])
    return Found(most, example, [text for text in categories if form_of(text) != most])


def is_one_of_texts(text: str, others: Collection[str]) -> bool:
    """Whether a number with a unit, such as 3M or 5K, stands among texts most of which are no numbers at all, or a date
    such as 2041-300 among those most of which are no dates.
    """
    looked_at = list(others)[:SAMPLED]
    if is_doubtful(text):
        return 2 * sum(not is_time(each) for each in looked_at) > len(looked_at)
    return is_measured(text) and 2 * sum(form_of(each) is None for each in looked_at) > len(looked_at)


def _without_names(forms: Mapping[str, Form]) -> Mapping[str, Form]:
    """Leave out numbers with words that differ: 75001 Paris and 14 Elm are names, and 4 doors and 5 doors are not."""
    texts = [text for text, form in forms.items() if form == _WITH_WORD]
    words = {_NO_LETTER.sub("", text).lower().removesuffix("s") for text in texts}
    return forms if 2 * len(words) <= len(texts) else {text: form for text, form in forms.items() if text not in texts}
