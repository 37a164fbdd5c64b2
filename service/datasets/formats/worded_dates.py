"""Dates and times as people write them, which readers take for texts."""

import re

CLOCK = r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[ap]m)?(?: ?(?:z|(?:utc|gmt)?[+-]\d\d?(?::?\d\d)?|utc|gmt))?"
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?:1[89]|20)\d\d"
"""A year in forms that other texts have, too: 1001-1 may be an order, and 1200/8 a size."""
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY_OF_YEAR = r"(?:00[1-9]|0[1-9]\d|[12]\d\d|3[0-5]\d|36[0-6])"
_DAY = (
    r"\d{4}(?P<big>[/.-])\d\d?(?P=big)\d\d?|\d\d?(?P<little>[/.-])\d\d?(?P=little)(\d{4}|\d\d)"
    rf"|{_YEAR} \d\d? \d\d?|{_YEAR}-{_DAY_OF_YEAR}"
)
"""A date in digits; the last form has the day of the year, by ISO 8601."""
_NAMED = (
    rf"{MONTH}[ /-]+\d\d?(st|nd|rd|th)?(,?[ /-]+(\d{{4}}|\d\d))?"
    rf"|\d\d?(st|nd|rd|th)?[ /.-]+{MONTH}([ /.,-]+(\d{{4}}|\d\d))?"
    rf"|{MONTH}[ /.-]+(\d{{4}}|'?\d\d)|\d{{4}}[ /-]{MONTH}([ /-]\d\d?)?"
)
_GAP = r"(?:T|,? +)"
_WEEKDAY = r"((mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_LOGGED = rf"{MONTH} +\d\d? {CLOCK}(?: [a-z]+)? \d{{4}}"
"""A date as Unix writes it: Fri Jan 31 10:00:00 UTC 2020."""
_PERIOD = r"[12]\d{3}[- /]?Q[1-4]|Q[1-4][- /]*[12]\d{3}|[12]\d{3}-?W[0-5]\d(-?[1-7])?"
"""A quarter or a week, by ISO 8601: 2020Q1 and 2020-W05."""
_ZONE = r"(?: ?\(?(?:[a-z]{2,5}|[a-z]+/[a-z_]+)\)?|\[[a-z]+/[a-z_]+\])?"
"""A zone by a name, which no reader of dates knows."""
_BASIC = r"[12]\d{7}T\d{4}(?:\d\d)?(?:z|[+-]\d{2,4})?"
"""A date and a time without marks, by ISO 8601."""
_TIME = re.compile(
    rf"\s*({_WEEKDAY}(({_DAY}|{_NAMED})({_GAP}{CLOCK}{_ZONE})?|{_LOGGED})|{CLOCK}|{_BASIC}"
    rf"|\d{{4}}[-/]{_MONTH}|{_YEAR}[-/][1-9]|(?:{_MONTH}|[1-9])[-/][12]\d{{3}}"
    rf"|{_PERIOD})\s*",
    re.IGNORECASE | re.ASCII,
)
_DOUBTFUL = re.compile(r"\s*(?:\d{4}(?:[-/]\d\d?|-\d{3}| \d\d? \d\d?)|\d\d?[-/]\d{4})\s*", re.ASCII)
_CLOCK = re.compile(rf"\s*{CLOCK}\s*", re.IGNORECASE | re.ASCII)


def is_time(text: str) -> bool:
    """Whether a text looks like a date, a time of day or both."""
    return _TIME.fullmatch(text) is not None


def is_doubtful(text: str) -> bool:
    """Whether a date is of a form that codes have, too: 2041-300 may be a day, or a spare part."""
    return _DOUBTFUL.fullmatch(text) is not None


def is_clock(text: str) -> bool:
    """Whether a text looks like a time of day alone."""
    return _CLOCK.fullmatch(text) is not None
