"""Numbers as people write them, which readers take for texts: with units, signs, separators and comments."""

import re
from math import nan
from typing import Final

from service.datasets.columns import Kind

MISSING = ["", " ", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "null", "NULL"]
MISSING += ["-1.#IND", "1.#IND", "-1.#QNAN", "1.#QNAN"]  # as C writes NaN on Windows
"""Texts that stand for a missing value in CSV, in quotes too, and wherever texts are read as numbers."""
LONGEST = 100
"""Characters of a number as people write it."""

MONEY = (  # PHP 8, PEN 5 and COP 26 are rather versions, pens and conferences
    r"(?:[A-Z]{0,3}[$\xa2-\xa5\u20a0-\u20cf]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|KRW|TRY|RUB"
    r"|SGD|HKD|TWD|THB|MYR|IDR|VND|PKR|BDT|LKR|AED|SAR|QAR|KWD|ILS|EGP|NGN|KES|ARS|CLP|RON|BGN|UAH|KZT|ISK|BTC"
    r"|Rs\.?|Fr\.?|kr\.?|z\u0142|K\u010d)"
)
PLAIN = r"[0-9](?:[0-9.,'\u00a0\u2019\u202f ]*[0-9])?[.,]?"
_GROUP = r"[,.'_\u00a0\u2019\u202f ]"
SEPARATED: Final = re.compile(
    rf"\s*[-+]?(?:[0-9]{{1,3}}(?:{_GROUP}[0-9]{{3}})+(?:[.,][0-9]*)?"  # 1,234.5
    r"|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}|[0-9]*,[0-9]+(?:[eE][-+]?[0-9]+)?)\s*"  # 12,34,567 and 1,5e3
)
_LARGE = r"(?:[kKMBT]|MM|[bmt]n|[Mm]io\.?|[Mm]rd\.?|Tsd\.?|thousand|[mbtr]{1,2}illion|lakhs?|crores?|Cr)"
_PER = r"(?:\s?(?:/|per|a)\s?[A-Za-z]{1,10})?"
_SIGNED = re.compile(
    rf"\s*[-+\u2212(]{{0,2}}\s*{MONEY}\s*[-+\u2212]?\s*{PLAIN}\s?{_LARGE}?{_PER}\)?\s*"  # -$5, ($1,234), $1.5M
    rf"|\s*[-+\u2212]?{PLAIN}\s?{_LARGE}?\s*(?:{MONEY}{_PER}|[%\u2030])\s*"  # 12 % and 1.234,50 EUR
    rf"|\s*(?:\u2212\s*{PLAIN}|\((?!.*,\s)\s*{PLAIN}\s*\))\s*"  # typographic minus, and parentheses of accountants
)
UNITS = (
    # 2B is a place in baseball, 1990s a decade, 1st no stone
    r"[kKM]|bn|mn|mio|mrd|thousand|[mbtr]{1,2}illion|lakhs?|crores?"
    r"|[kKMGTmu\u00b5\u03bcn]?(?:g|m|l|L|W|Hz|Pa|Wh|bit)|[kKMGTm](?:V|A|J|B|s)|[cdh]m|cl|hl|dl|t|tons?|lbs?|oz"
    r"|ft|in|yd|mi|miles?|inches|feet|cc|[ckm]?m[23\u00b2\u00b3]|sq ?ft|sqm|acres?|ha|gal"
    r"|[KMGT]iB|bytes?|[kKMGT]?bps|mcg|IU|mmHg|bpm|fps|dpi|MP|mAh|pp"
    r"|y|yo|mos?|h|hrs?|hours?|mins?|minutes?|secs?|seconds?|days?|wks?|weeks?|months?|yrs?|years?"
    r"|[\u00b0\u00ba] ?[CFK]?|deg|rad|mph|kmh|kmpl|mpg|rpm|bhp|hp|PS|bar|psi|kcal|cal|Nm|mol|ppm|dB"
    r"|x|percent|pct|px|pt|people|persons?"
)
_AMOUNT = rf"{PLAIN}(?:[eE][-+]?[0-9]+)?\s*(?:{UNITS})(?:/[A-Za-z]{{1,10}})?\.?"
_MEASURED = re.compile(
    rf"\s*[-+\u2212]?{_AMOUNT}(?:\s*,?\s*{_AMOUNT}){{0,3}}\s*|\s*[-+\u2212]?[0-9]+[.,][0-9]+\s?[BT]\s*"
)
"""5 kg, 1.5M, 90 min, 1h30m, 18.9 km/kg."""
_COMMENTED = re.compile(r"\s*[-+]?[0-9][0-9.,]*\s+(?:#|//|--|;|%).*", re.DOTALL)
_NUMBER = re.compile(r"\s*[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?\s*", re.ASCII)

_ANY_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
BOOLEANS = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}
"""Numbers by the texts, in small letters, that stand for true and false."""


def is_plain(text: str) -> bool:
    """Whether a text is a number as programs write it; with zeros before it, it is rather a code."""
    return _NUMBER.fullmatch(text) is not None


def number_in(text: str, kind: Kind) -> float | None:
    """Return the number or boolean that a text is, NaN where it stands for a missing one; None where it is none."""
    text = text.strip()
    if text in MISSING:
        return nan
    if kind == "boolean":
        return BOOLEANS.get(text.lower())
    return float(text) if _ANY_NUMBER.fullmatch(text) else None


def is_measured(text: str) -> bool:
    """Whether a text is a number with a unit."""
    return len(text) <= LONGEST and _MEASURED.fullmatch(text) is not None and not _SIGNED.fullmatch(text)


def worded(text: str) -> str | None:
    """Return what a text is that a person takes for a number, and the remedy of all forms; None where it is none."""
    if len(text) > LONGEST:
        return None
    if _SIGNED.fullmatch(text):
        return "a number with a sign: write numbers as in 1234.5"
    if _MEASURED.fullmatch(text):
        return "a number with a unit: write numbers alone, all in the same unit, as in 1234.5"
    if _COMMENTED.fullmatch(text):
        return "a number with a comment behind it: take that off, as in 1234.5"
    return None
