"""Dates as people write them, as days since 1970-01-01 in UTC."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from service.datasets.columns import UNAMBIGUOUS, DateOrder
from service.datasets.formats.worded_dates import CLOCK, MONTH
from service.learning.planning.advice import Advice
from service.pointers import escape

if TYPE_CHECKING:
    import pyarrow

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS_FIRST: Mapping[DateOrder, bool] = {"day_first": False, "month_first": True}
"""Whether 1/2/2020 is in January, where that is known."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FAR_AHEAD = 10
"""Years from now on in which few dates of a table are."""
FIRST_OF_CENTURY = 69
"""Two digits from here on are years of the last century, as in C and Python."""

_YEAR, _NUMBER = r"(?P<year>\d{4}|'?\d\d)", r"(?P<day>\d\d?)(?:st|nd|rd|th)?"
_NAMED = rf"(?P<name>{MONTH})"
_DAYS = (
    r"(?P<year>\d{4})[-/. ](?P<month>\d\d?)(?:[-/. ](?P<day>\d\d?))?",
    rf"(?P<first>\d\d?)(?P<mark>[-/.])(?P<second>\d\d?)(?P=mark){_YEAR}",
    rf"{_NAMED}[ /-]+{_NUMBER},?[ /-]+{_YEAR}",
    rf"{_NUMBER}[ /.-]+{_NAMED}[ /.,-]+{_YEAR}",
    rf"{_NAMED}[ /.-]+{_YEAR}",
    rf"(?P<year>\d{{4}})[ /-]{_NAMED}(?:[ /-]{_NUMBER})?",
    r"(?P<month>\d\d?)[-/](?P<year>\d{4})",
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
    r"(?P<year>\d{4})-(?P<yearday>[0-3]\d\d)",
    r"(?P<year>\d{4})[- /]?Q(?P<quarter>[1-4])",
    r"Q(?P<quarter>[1-4])[- /]*(?P<year>\d{4})",
    r"(?P<year>\d{4})-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_LOGGED = rf"{_NAMED} +{_NUMBER} (?P<clock>{CLOCK}) (?P<year>\d{{4}})"
"""A date as Unix writes it: Fri Jan 31 10:00:00 UTC 2020."""
_FORMS = [
    re.compile(rf"\s*{_WEEKDAY}{form}\s*", re.IGNORECASE | re.ASCII)
    for form in (*(rf"{days}(?:(?:T|,? +)(?P<clock>{CLOCK}))?" for days in _DAYS), _LOGGED)
]
_FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)
_PLACE = re.compile(r"(?<=[\dz])\[[a-z]+/[a-z_]+\]", re.IGNORECASE)
"""The place that Java writes behind the zone of a time."""
_WITHOUT_MARKS = re.compile(r"^(\s*\d{8}T\d\d)(\d\d)(?!:)(\d\d)?", re.IGNORECASE)
"""A time without marks between hours, minutes and seconds, by ISO 8601."""
_TIME = re.compile(
    r"(\d\d?):(\d\d)(?::(\d\d)([.,]\d+)?)?(?: ?([ap])m)?(?: ?(?:z|(?:utc|gmt)?([+-])(\d\d?)(?::?(\d\d))?|utc|gmt))?",
    re.IGNORECASE | re.ASCII,
)


def month_first(texts: Iterable[str]) -> bool | None:
    """Whether dates such as 1/2/2020 begin with the month; None where they do not tell."""
    for text in texts:
        found = _FORMS[1].fullmatch(text)
        if found and found["mark"] != "." and max(int(found["first"]), int(found["second"])) > len(MONTHS):
            return int(found["first"]) <= len(MONTHS)
    return None


def is_in_doubt(texts: Iterable[str]) -> bool:
    """Whether some dates may begin with the day or with the month."""
    return any((found := _FORMS[1].fullmatch(text)) and found["mark"] != "." for text in texts)


def order_of(texts: Iterable[str], order: bool | None) -> DateOrder:
    """Return how dates are read of which `month_first` has told an order, or none."""
    if order is not None:
        return "month_first" if order else "day_first"
    return "month_first" if is_in_doubt(texts) else UNAMBIGUOUS


def read_month_first(name: str) -> Advice:
    """Return that a column's dates do not tell whether the day or the month comes first."""
    detail = f"Column {name!r} holds dates such as 1/2/2020, read month first: if the day is first, write 2020-02-01."
    return Advice("months_first", detail, f"#/columns/{escape(name)}")


def in_far_years(name: str, texts: Iterable[str], *, months_first: bool) -> list[Advice]:
    """Return advice where years of two digits are read as ones far ahead, and days of birth may be meant."""
    latest = datetime.now(UTC).year + FAR_AHEAD
    for text in texts:
        if _FOUR_DIGITS.search(text) is None and (day := day_of(text, months_first=months_first)) is not None:
            year = (EPOCH + day * DAY).year
            if year > latest:
                detail = f"Column {name!r} holds years of two digits, and {text.strip()!r} is read as a day of {year}"
                remedy = f"write all years in four digits where {year - 100} is meant"
                return [Advice("years_of_two_digits", f"{detail}: {remedy}.", f"#/columns/{escape(name)}")]
    return []


def days_of(texts: "pyarrow.Array", *, months_first: bool) -> "tuple[pyarrow.Array, int | None]":
    """Return days, and the first row that holds no date; None where every row does."""
    import pyarrow  # here: it takes a third of a second, and JSON can do without

    encoded = texts.dictionary_encode()
    known = [day_of(text, months_first=months_first) for text in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(-1).to_numpy()
    wrong = np.array([day is None for day in known] + [False])[codes]
    if wrong.any():
        return texts, int(wrong.argmax())
    days = np.array([*known, np.nan], np.float64)[codes]
    return pyarrow.array(days), None


def day_of(text: str, *, months_first: bool) -> float | None:
    """Return the days since 1970 of a text; None where it is no date."""
    for form in _FORMS:
        if found := form.fullmatch(text):
            try:
                return (_date(found.groupdict(), months_first=months_first) - EPOCH) / DAY
            except (ValueError, OverflowError):
                return None
    usual = _WITHOUT_MARKS.sub(_marked, _PLACE.sub("", text))
    return None if usual == text else day_of(usual, months_first=months_first)


def _marked(found: re.Match[str]) -> str:
    return ":".join(filter(None, found.groups()))


def _date(parts: dict[str, str | None], *, months_first: bool) -> datetime:
    year, day, month = int((parts["year"] or "").lstrip("'")), parts.get("day"), parts.get("month")
    if len((parts["year"] or "").lstrip("'")) == 2:
        year += 1900 if year >= FIRST_OF_CENTURY else 2000
    if week := parts.get("week"):
        return datetime.combine(date.fromisocalendar(year, int(week), int(parts.get("weekday") or 1)), time(), UTC)
    if yearday := parts.get("yearday"):
        first = date(year, 1, 1) + timedelta(int(yearday) - 1)
        if first.year != year:
            raise ValueError(yearday)
        month, day = str(first.month), str(first.day)
    if quarter := parts.get("quarter"):
        month = str(3 * int(quarter) - 2)
    if name := parts.get("name"):
        month = str(MONTHS.index(name[:3].lower()) + 1)
    if parts.get("mark"):
        day, month = parts["first"], parts["second"]
        if months_first and parts["mark"] != ".":
            day, month = month, day
    midnight = datetime(year, int(month or 1), int(day or 1), tzinfo=UTC)
    return midnight + _clock(parts["clock"]) if parts["clock"] else midnight


def _clock(text: str) -> timedelta:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, minute, second, part, half, sign, zone_hour, zone_minute = found.groups()
    hours = int(hour) % 12 + 12 * (half.lower() == "p") if half else int(hour)
    since = timedelta(
        hours=hours, minutes=int(minute), seconds=int(second or 0) + float((part or "0").replace(",", "."))
    )
    if hours > 24 or int(minute) > 59 or int(second or 0) > 60:
        raise ValueError(text)
    zone = timedelta(hours=int(zone_hour or 0), minutes=int(zone_minute or 0))
    return since + zone if sign == "-" else since - zone
