"""Query parameters of a streamed upload: the options that a JSON body would carry."""

from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter

from service.datasets.columns import MOST_COLUMNS, Kind
from service.datasets.schemas import MISSING, ColumnName, Missing, PartOfColumn, Split
from service.datasets.table import ReadOptions
from service.errors import Fault, Invalid, invalid
from service.http.media_types import TSV, name_of, parameter
from service.http.query import GivenLabels
from service.wire import Dtype, Name, Strict

Share = Annotated[float | None, Field(ge=0, lt=1, description="share of all rows, drawn by the seed")]
RowCount = Annotated[int | None, Field(ge=0, description="number of rows of the data")]

_WAYS = {part: {f"{part}_{way}": way for way in ("fraction", "first", "last")} for part in Split().kept}
"""For each part, the parameters that may choose its rows."""


DATE = "date"
"""The type of columns that hold dates; as days they are numeric."""
_MISSING: TypeAdapter[Missing] = TypeAdapter(Missing)


class StreamedOptions(Strict):
    """The query parameters of a body that holds rows alone."""

    validate_only: Annotated[
        bool,
        Field(description="answer with all advice and faults of the first megabyte, and store nothing; also for JSON"),
    ] = False
    name: Annotated[Name | None, Field(description="unique; without one the id serves")] = None
    targets: Annotated[
        list[str], Field(description="a column to learn; repeat for several", default_factory=list, examples=[["y"]])
    ]
    types: Annotated[
        list[str],
        Field(
            description="`column:kind`, the kind being numeric, boolean, categorical or date (days since "
            "1970-01-01 UTC), where it is not to be guessed; "
            "repeat for several",
            default_factory=list,
        ),
    ]
    ignore: Annotated[
        list[str],
        Field(description="a column to leave out; repeat for several", default_factory=list),
    ]
    missing: Annotated[
        list[str],
        Field(
            description=f"{MISSING}. Or by kind, repeated: numeric:mean, numeric:drop, categorical:mode, "
            "categorical:category (missing is a category of its own), categorical:drop, targets:drop",
            default_factory=list,
            examples=[["mean"], ["numeric:mean", "categorical:category", "targets:drop"]],
        ),
    ]
    missing_values: Annotated[
        list[Annotated[str, Field(max_length=100)]],
        Field(
            description="a text in CSV that stands for a missing value, beside an empty one, NA, N/A, n/a, #N/A, #NA, "
            "<NA>, NaN, nan, null, NULL and 1.#IND; repeat for several",
            default_factory=list,
            max_length=100,
            examples=[["?", "-999"]],
        ),
    ]
    labels: GivenLabels
    validation_fraction: Share = None
    validation_first: RowCount = None
    validation_last: RowCount = None
    test_fraction: Share = None
    test_first: RowCount = None
    test_last: RowCount = None
    calibration_fraction: Share = None
    calibration_first: RowCount = None
    calibration_last: RowCount = None
    seed: Annotated[int, Field(ge=0, le=2**53 - 1, description="of the fractions")] = 0
    stratify: Annotated[bool, Field(description="draw each fraction from every class of the target")] = False
    split_column: Annotated[
        str | None, Field(description="the column with the part of each row: train, validation, test or calibration")
    ] = None
    dtype: Dtype = "float32"
    delimiter: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=10,
            description="between the values of CSV: one character, or `whitespace` for runs of blanks; else guessed",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        Field(
            max_length=50,
            description="of CSV, such as latin-1; else the charset of Content-Type, else UTF-8, or UTF-16 by its mark",
        ),
    ] = None
    skip: Annotated[int, Field(ge=0, le=10_000, description="so many lines of CSV above the header")] = 0
    comment: Annotated[
        str | None,
        Field(min_length=1, max_length=10, description="how lines of CSV begin that are none of the table, such as #"),
    ] = None
    decimal: Annotated[str, Field(pattern="^[.,]$", description="before the decimals of numbers in CSV")] = "."
    thousands: Annotated[
        str | None, Field(min_length=1, max_length=1, description="between thousands of numbers in CSV")
    ] = None
    header: Annotated[
        bool,
        Field(description="whether the first line of CSV has the names of the columns; else as Content-Type tells"),
    ] = True
    columns: Annotated[
        list[ColumnName],
        Field(
            description="names of all columns, in order, in place of those in the header; without a header c0, c1, ...",
            default_factory=list,
            max_length=MOST_COLUMNS,
        ),
    ]

    def split(self) -> Split | PartOfColumn:
        """The parts that these parameters describe.

        Raises:
            Invalid: parts are described in two ways.
        """
        if self.split_column is not None:
            others = self.model_fields_set & {"seed", "stratify", *(name for ways in _WAYS.values() for name in ways)}
            if others:
                detail = f"Choose the parts in one way: split_column or {min(others)}."
                raise invalid("query/split_column", detail)
            return PartOfColumn(column=self.split_column)
        parts: dict[str, Any] = {"seed": self.seed, "stratify": self.stratify}
        for part, ways in _WAYS.items():
            given = [name for name in ways if getattr(self, name) is not None]
            if len(given) > 1:
                raise invalid(f"query/{given[1]}", f"Choose the rows in one way: {' or '.join(given)}.")
            for name in given:
                parts[part] = {ways[name]: getattr(self, name)}
        return Split.model_validate(parts)

    def missing_ways(self) -> Missing | None:
        """Return what is done about missing values.

        Raises:
            Invalid: `missing` is neither one word nor made of kinds and ways.
        """
        if not self.missing:
            return None
        if len(self.missing) == 1 and ":" not in self.missing[0]:
            given: Any = self.missing[0]
        else:
            given = dict(each.split(":", 1) for each in self.missing if ":" in each)
        try:
            if isinstance(given, dict) and len(given) < len(self.missing):
                raise ValueError
            return _MISSING.validate_python(given)
        except ValueError:
            detail = (
                f"{', '.join(self.missing)[:100]!r} is neither mean nor drop, nor made of numeric:mean, numeric:drop, "
                "categorical:mode, categorical:category, categorical:drop and targets:drop, each kind once."
            )
            raise invalid("query/missing", detail) from None

    def names_columns(self, content_type: str) -> bool | None:
        """Return whether the first line of CSV has the names, as the query or else Content-Type (RFC 4180) tells; None
        where neither does.
        """
        if "header" in self.model_fields_set:
            return self.header
        told = (parameter(content_type, "header") or "").lower()
        return told == "present" if told in ("present", "absent") else None

    def reading(self, limit: int, content_type: str = "") -> ReadOptions:
        """Return the options for the reader of the body, with those that Content-Type tells of a text; `limit` is the
        bytes that it may have once decompressed.

        Raises:
            Invalid: `types` is not made of columns and kinds.
        """
        kinds: dict[str, Kind] = {}
        dates = list[str]()
        for each in self.types:
            name, _, kind = each.rpartition(":")
            if name in kinds or name in dates:
                detail = f"{name[:100]!r} has two types: give it one."
                raise invalid("query/types", detail)
            if kind == DATE and name:
                dates.append(name)
                continue
            if kind not in get_args(Kind) or not name:
                detail = (
                    f"{each[:100]!r} is not column:kind, the kind being one of {', '.join((*get_args(Kind), DATE))}."
                )
                raise invalid("query/types", detail)
            kinds[name] = kind  # type: ignore[assignment]  # it is one of them
        ignored = [name for name in self.ignore if name]  # a form sends the fields that are left empty
        named = {*self.targets, *([self.split_column] if self.split_column else ())}
        return ReadOptions(
            limit,
            kinds,
            self.delimiter or ("\t" if name_of(content_type) == TSV else None),
            self.names_columns(content_type) is not False,
            self.columns,
            ignored,
            named,
            self.missing_values,
            self.encoding or parameter(content_type, "charset"),
            self.skip,
            self.comment,
            dates,
            self.decimal,
            self.thousands,
            refuses_missing=not self.missing,
        )

    def in_query(self, refused: Invalid) -> Invalid:
        """The same refusal, its pointers into a JSON body being names of these parameters."""
        faults = tuple(Fault(self.parameter(fault.pointer), fault.detail) for fault in refused.errors)
        return Invalid(refused.detail, refused.code, faults)

    def parameter(self, pointer: str) -> str:
        """Return the name of the parameter that a pointer into a JSON body stands for, or else the pointer."""
        match pointer.removeprefix("#/").split("/"):
            case ["split", part] if part in _WAYS:
                return f"query/{next(name for name in _WAYS[part] if getattr(self, name) is not None)}"
            case ["split", "stratify"]:
                return "query/stratify"
            case ["split", "column"]:
                return "query/split_column"
            case [("targets" | "types" | "missing") as name, *_]:
                return f"query/{name}"
            case _:
                return pointer
