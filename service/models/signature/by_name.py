"""The columns of a dataset by the names that a trained version knows, in its order, with its categories."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import orjson

from service.datasets.arrangement import Arrangement, SeenColumn
from service.datasets.columns import Column, Rename, WantedKind, with_type
from service.datasets.records import DatasetRecord
from service.errors import Fault, Invalid, invalid
from service.learning.synonyms import listed, suggestion
from service.models.signature.signature import Feature, Signature, Target
from service.pointers import LONGEST_NAME, MOST_FAULTS, escape

SHOWN = 20
"""Names that a message lists."""
OF_PLACES = re.compile(r"c[0-9]+|column_[0-9]+")
"""Names of columns without a header, which tell nothing but their place in a file."""
NEAR = 0.5
"""Likeness from which a name may be meant by another."""


def check_rename(signature: Signature | None, dataset: DatasetRecord, rename: Rename) -> None:
    """Raise Invalid where a new name is not one of the version's, or an old one not the dataset's, or two meet."""
    if not rename:
        return
    if signature is None:
        detail = "This version was not trained on a dataset and knows no names: leave `rename` out."
        raise invalid("#/rename", detail, "no_signature")
    own = [each.name for each in (*dataset.features, *dataset.targets)]
    known = [each.name for each in signature.features] + [each.name for each in signature.targets]
    known += [signature.weights] if signature.weights is not None else []
    taken: dict[str, str] = {name: name for name in own if name not in rename}
    for name, other in rename.items():
        pointer = f"#/rename/{escape(name[:LONGEST_NAME])}"
        if name not in own:
            detail = f"Dataset {dataset.name!r} has no column {name[:LONGEST_NAME]!r}: {_hint(name, own)}"
            raise invalid(pointer, detail, "unknown_column")
        if other not in known:
            detail = f"The version knows no column {other[:LONGEST_NAME]!r}: {_hint(other, known)}"
            raise invalid(pointer, detail, "unknown_column")
        if other in taken:
            detail = f"{name!r} would be {other!r}, and so {'is' if taken[other] == other else 'would be'} "
            raise invalid(pointer, f"{detail}column {taken[other]!r}: give one of them alone.", "duplicate_column")
        taken[other] = name


def _hint(name: str, known: Sequence[str]) -> str:
    near = suggestion(name[:LONGEST_NAME], known, {})
    return (f"did you mean {near!r}? " if near else "") + f"there are {_listed(known)}."


def stored_name(dataset: DatasetRecord, name: str | None, rename: Rename) -> str | None:
    """Return the stored name of a column that may be called by its new name; None where the dataset has no such input.

    New names go first: they may have belonged to other columns.
    """
    inputs = [each.name for each in dataset.features]
    return next((each for each in inputs if rename.get(each, each) == name), name if name in inputs else None)


def arranged(
    dataset: DatasetRecord,
    signature: Signature | None,
    weights: str | None,
    rename: Rename | None = None,
    *,
    inputs_alone: bool = False,
) -> Arrangement:
    """Return the columns that a version with this signature takes, `weights` (as it is stored) being no input.

    A version without a signature takes all in their own order. `rename` is None where nothing can be renamed. With
    `inputs_alone`, targets are none of its columns, whatever they are.

    Raises:
        Invalid: a column is missing, or of another kind, or has a category that the version does not know.
    """
    if signature is None:
        return Arrangement.as_stored(dataset, weights)
    names = rename or {}
    of_inputs = {
        names.get(each.name, each.name): (place, each)
        for place, each in enumerate(dataset.features)
        if each.name != weights
    }
    of_targets = {names.get(each.name, each.name): (place, each) for place, each in enumerate(dataset.targets)}
    features = _Search("input", dataset.name, of_inputs)
    targets = _Search("target", dataset.name, of_targets)
    found = (
        tuple(features.columns(signature.features)),
        () if inputs_alone else tuple(targets.columns(signature.targets)),
    )
    taken = {each.column.name for columns in found for each in columns}
    unused = [name for name in (*of_inputs, *of_targets) if name not in taken]
    if inputs_alone:
        unused = [name for name in unused if name not in of_targets]
    faults = (*features.faults, *targets.faults)
    if faults:
        pairs = {} if rename is None else features.pairs(unused) | targets.pairs(unused)
        missing = [each.name for each in (*features.missing, *targets.missing)]
        raise _refusal(dataset.name, faults, missing, unused, None if rename is None else pairs)
    place = next((index for index, each in enumerate(dataset.features) if each.name == weights), None)
    weighing = None
    if place is not None:
        stored = dataset.features[place]
        weighing = SeenColumn(Column(names.get(stored.name, stored.name)), stored, place)
    return Arrangement(dataset, *found, weighing, tuple(unused))


@dataclass
class _Search:
    """A search among the inputs or the targets of a dataset, by the names that they have to a version."""

    role: str
    dataset: str
    given: Mapping[str, tuple[int, Column]]
    missing: list[Feature | Target] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def columns(self, wanted: Sequence[Feature | Target]) -> Iterator[SeenColumn]:
        for each in wanted:
            if each.name not in self.given:
                self.missing.append(each)
                self.faults.append(Fault("#/dataset", f"There is no {self.role} {each.name!r}."))
                continue
            place, stored = self.given[each.name]
            fault = _difference(each, stored)
            if fault is None:
                yield _seen(each, stored, place)
            else:
                self.faults.append(Fault("#/dataset", f"{self.role.capitalize()} {each.name!r} {fault}"))

    def pairs(self, unused: Collection[str]) -> dict[str, str]:
        """Return the stored names of unused columns that may be meant by the missing ones."""
        left = {name: column for name, (_, column) in self.given.items() if name in unused}
        pairs = dict[str, str]()
        for each in self.missing:
            fitting = [
                name
                for name, column in left.items()
                if _difference(each, column) is None and not OF_PLACES.fullmatch(name)
            ]
            near = get_close_matches(each.name, fitting, n=1, cutoff=NEAR) or (fitting if len(fitting) == 1 else [])
            if near:
                pairs[left.pop(near[0]).name] = each.name
        return pairs


def _labels(column: Feature | Target | Column) -> tuple[str, ...] | None:
    """Return the texts of a column's classes, a boolean's too; None for numbers."""
    return ("false", "true") if column.kind == "boolean" else column.categories


def _difference(ours: Feature | Target, theirs: Column) -> str | None:
    """Explain why a stored column cannot be the version's; None where it can."""
    known, given = _labels(ours), _labels(theirs)
    if (known is None) != (given is None):
        wanted: WantedKind = "date" if isinstance(ours, Feature) and ours.dates is not None else ours.kind
        numbers = "give numbers in it" if wanted == "numeric" else f"upload it with {with_type(theirs.name, wanted)}"
        remedy = f"upload it with {with_type(theirs.name, ours.kind)}" if given is None else numbers
        return f"is {theirs.kind}, and the version learnt it as {ours.kind}: {remedy}."
    ours_known = frozenset(known or ())
    strange = [text for text in given or () if text not in ours_known]
    if not strange:
        return None
    if ours.kind == "boolean":
        return f"has {_listed(strange)}, and the version learnt it as boolean: false and true alone."
    many = "a category that the version does not know" if len(strange) == 1 else "categories unknown to the version"
    return f"has {many}, {_listed(strange)}; it knows {_listed(known or ())}."


def _seen(ours: Feature | Target, theirs: Column, place: int) -> SeenColumn:
    known, given = _labels(ours), _labels(theirs)
    codes = None
    if known is not None and given is not None and known[: len(given)] != given:
        codes_of = {text: code for code, text in enumerate(known)}
        codes = tuple(codes_of[text] for text in given)
    fill = theirs.fill
    if fill is None:
        fill = ours.fill if isinstance(ours, Feature) else None
    elif codes is not None:
        fill = float(codes[int(fill)])
    categories = ours.categories if ours.kind == "categorical" else None
    dates = theirs.dates or (ours.dates if isinstance(ours, Feature) else None)
    return SeenColumn(Column(ours.name, ours.kind, categories, fill, dates), theirs, place, codes)


def _refusal(
    dataset: str,
    faults: Sequence[Fault],
    missing: Sequence[str],
    unused: Sequence[str],
    pairs: dict[str, str] | None,
) -> Invalid:
    """Return the refusal; `pairs` are new names that may be meant, None where nothing can be renamed."""
    if not missing:
        more = len(faults) - 1
        detail = f"Dataset {dataset!r}: {faults[0].detail}" + (f" (And {more} more.)" if more else "")
        return Invalid(detail, "columns_differ", tuple(faults[:MOST_FAULTS]))
    detail = f"Dataset {dataset!r} lacks {_listed(missing)}, which the version takes"
    if unused:
        detail += f"; it does not use {_listed(unused)}"
    if unused and pairs is not None:
        detail += f". {_remedy(pairs)}"
    return Invalid(f"{detail}.", "columns_differ", tuple(faults[:MOST_FAULTS]))


def _remedy(pairs: dict[str, str]) -> str:
    if pairs:
        return f'Where that is meant, "rename": {orjson.dumps(pairs).decode()} tells which column is which'
    return '"rename": {"its name": "the name that the version knows"} tells which column is which'


def _listed(names: Sequence[Any]) -> str:
    return listed([repr(name[:LONGEST_NAME]) for name in names], SHOWN)
