"""Tables as pandas reads them, and what differs from them in the service."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

MOST_CATEGORIES = 256
DELIMITERS = {"tab": "\t", "whitespace": r"\s+"}
_UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)?")
_REPEATED = re.compile(r"(.+)\.\d+")
_DAY_AND_MONTH = r"^\s*(\d\d?)[-/.]\d\d?[-/.]"
_QUARTER = r"^\s*(?:Q([1-4])[- /]*(\d{4})|(\d{4})[- /]?Q([1-4]))\s*$"
"""A quarter of a year, which pandas reads in one of these writings alone."""
_DATE = r"\d[-/]\d+[-/]\d|^\d\d?:\d\d"
_BREAKS = re.compile(r"\s*[\r\n\t\v\f]+\s*")

Said = Mapping[str, list[str]]
"""What the request says of the text, beside its targets: values of each parameter."""


class Unlike(Exception):
    """The service's table is not that of pandas."""


def read(data: bytes, delimiter: str, said: Said) -> "pd.DataFrame":
    """Return the table with every column that the text has."""
    last = {name: values[-1] for name, values in said.items() if values}
    delimiter = last.get("delimiter", delimiter)
    frame = pd.read_csv(
        io.BytesIO(data),
        sep=DELIMITERS.get(delimiter, delimiter),
        header=None if last.get("header") == "false" else "infer",
        skiprows=int(last.get("skip", 0)),
        comment=last.get("comment"),
        decimal=last.get("decimal", "."),
        thousands=last.get("thousands"),
        encoding=last.get("encoding", "utf-8"),
        na_values=said.get("missing_values"),
        skipinitialspace=True,
        float_precision="round_trip",
        low_memory=False,
    )
    if not isinstance(frame.index, pd.RangeIndex):  # the header lacks the name of the first columns
        frame = frame.reset_index()
        frame.columns = [f"Unnamed: {place}" if _is_level(name) else name for place, name in enumerate(frame.columns)]
    return frame


def _is_level(name: Any) -> bool:
    return name == "index" or str(name).startswith("level_")


def names(frame: "pd.DataFrame") -> list["Name"]:
    found = list[Name]()
    for place, said in enumerate(map(str, frame.columns)):
        repeated = _REPEATED.fullmatch(said)
        former = repeated[1] if repeated and repeated[1] in frame.columns else None
        found.append(Name(place, _plain(said), former and _plain(former)))
    return found


def _plain(name: str) -> str:
    """Return a name without line breaks, and without blanks around it."""
    return " ".join(_BREAKS.split(name)).strip()


@dataclass(frozen=True)
class Name:
    """What pandas calls a column."""

    place: int
    said: str
    former: str | None
    """The name in the header, where an earlier column has it, too."""

    @property
    def is_own(self) -> bool:
        """Whether the header has it, and for no column before."""
        return not _UNNAMED.fullmatch(self.said) and self.former is None

    def is_of(self, name: str) -> bool:
        """Whether the service may call the column so."""
        if name in (self.said, f"c{self.place}"):
            return True
        if _UNNAMED.fullmatch(self.said):
            return name == f"column_{self.place + 1}"
        return self.former is not None and name.rpartition("_")[0] == self.former


def kind(values: "pd.Series[Any]") -> str:
    filled = values.dropna()
    if pd.api.types.is_bool_dtype(values) or (len(filled) and all(isinstance(each, bool) for each in filled)):
        return "boolean"
    return "numeric" if pd.api.types.is_numeric_dtype(values) else "categorical"


def target(frame: "pd.DataFrame") -> str:
    """Return the name of the last column that can be learnt: with a value in every row, and none of many texts; where
    there is none, that of the last.
    """
    own = [name for name in names(frame) if name.is_own] or names(frame)
    fit = [name for name in own if _is_target(frame.iloc[:, name.place])]
    return (fit or own)[-1].said


def _is_target(values: "pd.Series[Any]") -> bool:
    if values.isna().any():
        return False
    if kind(values) != "categorical":
        return bool(np.isfinite(values.astype(float)).all())
    return values.nunique() <= MOST_CATEGORIES and not values.astype(str).str.contains(_DATE).any()


def compare(frame: "pd.DataFrame", answer: Mapping[str, Any], content: pyarrow.Table, said: Said) -> None:
    """Raise Unlike where a column has another kind than for pandas, a value is another, or a row is lost."""
    ignored = {*answer["ignored"], *said.get("ignore", ())}
    types = {name: type for name, _, type in (each.rpartition(":") for each in said.get("types", ()))}
    kinds = {each["name"]: each["kind"] for each in (*answer["features"], *answer["targets"])}
    own = [each for each in names(frame) if not any(map(each.is_of, ignored))]
    if len(own) > len(content.column_names):  # those without a value are left out
        own = [each for each in own if frame.iloc[:, each.place].notna().any()]
    if len(own) != len(content.column_names):
        raise Unlike(f"{len(own)} columns, here {len(content.column_names)}")
    if len(frame) != len(content):
        raise Unlike(f"{len(content)} of {len(frame)} rows are kept")
    for theirs, name in zip(own, content.column_names, strict=True):
        if not theirs.is_of(name):
            raise Unlike(f"a column is {theirs.said!r}, here {name!r}")
        _compare(name, frame.iloc[:, theirs.place], kinds[name], content.column(name), types.get(name))


def _compare(name: str, theirs: "pd.Series[Any]", found: str, ours: pyarrow.ChunkedArray, type: str | None) -> None:
    there = theirs.notna().to_numpy()
    if not there.any():
        return
    values = theirs[there]
    if type == "date":
        values, expected = _days(values), "numeric"
    elif type in ("numeric", "boolean", "categorical"):
        expected = type
    else:
        expected = kind(values)
    if found != expected:
        raise Unlike(f"column {name!r} is {expected}, here {found}")
    own = np.array(ours.to_pylist(), dtype=object)[there]
    if found == "categorical":
        same = np.array([_text(theirs) == _text(ours) for theirs, ours in zip(values, own, strict=True)])
    elif type == "date":  # the day is counted in other steps
        same = np.isclose(np.asarray(values, np.float64), own.astype(np.float64), rtol=1e-12)
    else:
        same = np.asarray(values, np.float64) == own.astype(np.float64)
    if not same.all():
        place = int((~same).argmax())
        raise Unlike(f"column {name!r} holds {values.iloc[place]!r}, here {own[place]!r}")


def _text(value: Any) -> str:
    return str(value).strip()


def _days(values: "pd.Series[Any]") -> "pd.Series[Any]":
    parts = values.astype(str).str.extract(_QUARTER)
    if parts.notna().any(axis=1).all():
        quarters = parts[1].fillna(parts[2]) + "Q" + parts[0].fillna(parts[3])
        days = pd.PeriodIndex(quarters, freq="Q").to_timestamp() - pd.Timestamp(0)
        return pd.Series(days / pd.Timedelta(days=1), values.index)
    day_first = values.astype(str).str.extract(_DAY_AND_MONTH)[0].astype(float).max() > 12
    times = pd.to_datetime(values, utc=True, format="mixed", dayfirst=day_first)
    return (times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
