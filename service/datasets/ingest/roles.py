"""The description of a new dataset, and the roles of a table's columns by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.datasets.columns import MOST_COLUMNS, MOST_ROWS
from service.datasets.faults import Faults
from service.datasets.formats.likeness import Likeness
from service.datasets.schemas import Missing, PartOfColumn, Split
from service.datasets.table import Table
from service.errors import invalid
from service.wire import Dtype


@dataclass(frozen=True)
class Most:
    """The limits of a new dataset."""

    bytes: int = 1 << 40
    """Those that its arrays may take."""
    bytes_by: str = "DESCENT_MAX_UPLOAD"
    """The setting that limits them."""
    rows: int = MOST_ROWS
    columns: int = MOST_COLUMNS


@dataclass(frozen=True)
class Options:
    """The description of a new dataset, without its rows."""

    name: str | None
    targets: Sequence[str]
    split: Split | PartOfColumn
    dtype: Dtype
    missing: Missing | None = None
    most: Most = Most()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def split_column(self) -> str | None:
        return self.split.column if isinstance(self.split, PartOfColumn) else None


@dataclass(frozen=True)
class Layout:
    """The roles of a table's columns, by name."""

    features: list[str]
    targets: list[str]
    parts: str | None = None
    """The column with the part of each row."""

    @property
    def names(self) -> list[str]:
        return [*self.features, *self.targets]


def layout(table: Table, options: Options, faults: Faults) -> Layout:
    """Divide the columns into features and targets.

    It is noted where a column does not exist or has two roles, or no feature is left.
    """
    known, taken, targets = table.kinds, options.split_column, list[str]()
    likeness = Likeness(known)
    if taken is not None and taken not in known:
        faults.note(invalid("#/split/column", likeness.no_column(taken), "unknown_column"))
        taken = None
    for index, target in enumerate(options.targets):
        pointer = f"#/targets/{index}"
        if target not in known and target not in table.groups:
            detail = likeness.no_column(target)
            if target in table.ignored:
                detail = f"{target!r} is a target, and left out as well: name it in `targets` or in `ignore` alone."
            faults.note(invalid(pointer, detail, "unknown_column"))
            continue
        for name in table.groups.get(target, [target]):
            if name in targets:
                faults.note(invalid(pointer, f"{name!r} is named twice.", "duplicate_column"))
            elif name == taken:
                detail = f"{name!r} holds the part of each row: it cannot be learnt."
                faults.note(invalid(pointer, detail, "duplicate_column"))
            else:
                targets.append(name)
    features = [name for name in known if name not in targets and name != taken]
    if not features and not faults:
        faults.note(
            invalid("#/targets", "Every column is a target; at least one must be left as input.", "no_features")
        )
    return Layout(features, targets, taken)
