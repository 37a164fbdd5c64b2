"""Numbers as people write them, which readers take for texts: with units, signs, separators and comments."""

import re

LONGEST = 100
"""Characters of a number as people write it."""

_MONEY = (
    r"(?:[A-Z]{0,3}[$\xa2-\xa5\u20a0-\u20cf]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|KRW|TRY|RUB"
    r"|Rs\.?|Fr\.?|kr\.?|z\u0142|K\u010d)"
)
_PLAIN = r"[0-9](?:[0-9.,'\u00a0\u2019\u202f ]*[0-9])?[.,]?"
_SIGNED = re.compile(
    rf"\s*[-+\u2212(]{{0,2}}\s*{_MONEY}\s*[-+\u2212]?\s*{_PLAIN}\)?\s*"  # -$5 and ($1,234)
    rf"|\s*[-+\u2212]?{_PLAIN}\s*(?:{_MONEY}|[%\u2030])\s*"  # 12 % and 1.234,50 EUR
    rf"|\s*(?:\u2212\s*{_PLAIN}|\(\s*{_PLAIN}\s*\))\s*"  # typographic minus, and parentheses of accountants
)
_UNITS = (
    r"[kKM]|bn|mn|mio|mrd|thousand|million|billion"  # 2B is a place in baseball, 1990s a decade, 1st no stone
    r"|[kKMGTmu\u00b5\u03bcn]?(?:g|m|l|L|W|Hz|Pa|Wh|bit)|[kKMGTm](?:V|A|J|B|s)|[cdh]m|cl|hl|dl|t|tons?|lbs?|oz"
    r"|ft|in|yd|mi|miles?|inches|feet|cc|[ckm]?m[23\u00b2\u00b3]|sq ?ft|sqm|acres?|ha|gal"
    r"|h|hrs?|hours?|mins?|minutes?|secs?|seconds?|days?|wks?|weeks?|months?|yrs?|years?"
    r"|[\u00b0\u00ba] ?[CFK]?|deg|rad|mph|kmh|kmpl|mpg|rpm|bhp|hp|PS|bar|psi|kcal|cal|Nm|mol|ppm|dB"
    r"|x|percent|pct|px|pt|people|persons?"
)
_AMOUNT = rf"{_PLAIN}(?:[eE][-+]?[0-9]+)?\s*(?:{_UNITS})(?:/[A-Za-z]{{1,10}})?\.?"
_MEASURED = re.compile(rf"\s*[-+\u2212]?{_AMOUNT}(?:\s*,?\s*{_AMOUNT}){{0,3}}\s*")
"""5 kg, 1.5M, 90 min, 1h30m, 18.9 km/kg."""
_COMMENTED = re.compile(r"\s*[-+]?[0-9][0-9.,]*\s+(?:#|//|--|;|%).*", re.DOTALL)
_NUMBER = re.compile(r"\s*[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?\s*", re.ASCII)


def is_plain(text: str) -> bool:
    """Whether a text is a number as programs write it; with zeros before it, it is rather a code."""
    return _NUMBER.fullmatch(text) is not None


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
