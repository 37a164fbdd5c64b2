"""The signature in a file, as JSON: nothing of it is trusted unchecked."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import orjson
from pydantic import Field, StringConstraints, TypeAdapter, field_validator, model_validator

from service.datasets.columns import LONGEST_CATEGORY, MOST_ASKED_FOR, MOST_CATEGORIES, MOST_COLUMNS, DateOrder, Kind
from service.datasets.schemas import ColumnName
from service.errors import Invalid, invalid
from service.http.json_bodies import validated
from service.learning.losses import Link
from service.learning.network import Network
from service.models.signature.signature import Feature, Signature, Target
from service.vocabulary.kinds import to_json
from service.vocabulary.schemas import LossShape
from service.wire import Number, Strict

LONGEST_SIGNATURE = 1 << 22
"""Characters."""
POINTER = "#/signature"
BOOLEAN = ["false", "true"]
"""The classes of a boolean target."""

Category = Annotated[str, StringConstraints(strict=True, max_length=LONGEST_CATEGORY)]


def read(text: str, network: Network) -> Signature:
    """Read a text as the signature of the data that `network` was trained on.

    Raises:
        Invalid: it is no signature, or that of another network; with a pointer to the fault.
    """
    try:
        shape = validated(_FILE, {"signature": _object(text)}).signature
        _check_fit(shape, network)
    except Invalid as error:
        raise Invalid(error.detail, "bad_signature", error.errors) from None
    return shape.signature()


def _object(text: str) -> object:
    if len(text) > LONGEST_SIGNATURE:
        raise invalid(POINTER, f"The signature has {len(text):,} characters; at most {LONGEST_SIGNATURE:,} are read.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise invalid(POINTER, f"The signature is not JSON: {error}.") from None


class ColumnShape(Strict):
    """The fields that features and targets have in common."""

    name: ColumnName
    kind: Kind
    categories: Annotated[list[Category] | None, Field(min_length=1, max_length=MOST_ASKED_FOR)] = None

    @field_validator("categories")
    @classmethod
    def _each_once(cls, categories: list[str] | None) -> list[str] | None:
        if (twice := _first_repeated(categories or ())) is not None:
            raise ValueError(f"{twice[:50]!r} is there twice")
        return categories


class FeatureShape(ColumnShape):
    min: Number | None = None
    max: Number | None = None
    fill: Number | None = None
    dates: DateOrder | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> "FeatureShape":
        if (self.kind == "categorical") != (self.categories is not None):
            raise ValueError(f"column {self.name!r} is {self.kind}: only a categorical one has categories")
        if (self.min is None) != (self.max is None):
            raise ValueError(f"column {self.name!r} must have both min and max, or neither")
        if self.min is not None and self.max is not None:
            if self.categories is not None:
                raise ValueError(f"column {self.name!r} is categorical: it has no min and max")
            if self.min > self.max:
                raise ValueError(f"the min of column {self.name!r} is greater than its max")
        if self.dates is not None and self.kind != "numeric":
            raise ValueError(f"column {self.name!r} is {self.kind}: dates are numeric")
        codes = {"numeric": None, "boolean": 2, "categorical": len(self.categories or ())}[self.kind]
        if self.fill is not None and codes is not None and self.fill not in range(codes):
            raise ValueError(f"the fill of column {self.name!r} must be a code: a whole number from 0 to {codes - 1}")
        return self

    def feature(self) -> Feature:
        categories = None if self.categories is None else tuple(self.categories)
        return Feature(self.name, self.kind, categories, self.min, self.max, self.fill, self.dates)


class TargetShape(ColumnShape):
    @model_validator(mode="after")
    def _is_possible(self) -> "TargetShape":
        if len(self.categories or ()) > MOST_CATEGORIES:
            raise ValueError(f"column {self.name!r} has more than {MOST_CATEGORIES} classes")
        if (self.kind == "numeric") != (self.categories is None):
            raise ValueError(f"column {self.name!r} is {self.kind}: classes have categories, and numbers have none")
        if self.kind == "boolean" and self.categories != BOOLEAN:
            raise ValueError(f'column {self.name!r} is boolean: its categories are "false" and "true"')
        return self

    def target(self) -> Target:
        return Target(self.name, self.kind, None if self.categories is None else tuple(self.categories))


class SignatureShape(Strict):
    """A whole signature; absent fields are unknown."""

    features: Annotated[list[FeatureShape], Field(min_length=1, max_length=MOST_COLUMNS)]
    targets: Annotated[list[TargetShape], Field(min_length=1, max_length=MOST_COLUMNS)]
    link: Link | None = None
    loss: LossShape | None = None
    weights: ColumnName | None = None
    left_out: list[ColumnName] = Field(default_factory=list, max_length=MOST_COLUMNS)

    @model_validator(mode="after")
    def _is_possible(self) -> "SignatureShape":
        names = [column.name for column in (*self.features, *self.targets)]
        if self.weights is not None:
            names.append(self.weights)
        if (twice := _first_repeated(names)) is not None:
            raise ValueError(f"columns and weights need different names, and {twice!r} is there twice")
        kinds = {target.kind for target in self.targets}
        if self.link is not None and kinds == {"numeric"}:
            raise ValueError(f"the link {self.link} is there, but no target is a class")
        if self.link == "softmax" and "boolean" in kinds:
            raise ValueError("the link softmax is not that of a boolean target, which has one output")
        return self

    def signature(self) -> Signature:
        features = tuple(column.feature() for column in self.features)
        targets = tuple(column.target() for column in self.targets)
        loss = None if self.loss is None else to_json(self.loss.to_learning())
        return Signature(features, targets, self.link, loss, self.weights, tuple(self.left_out))


class _File(Strict):
    """A wrapper that makes pointers begin with `signature`."""

    signature: SignatureShape


_FILE = TypeAdapter(_File)


def _first_repeated(names: Sequence[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _check_fit(shape: SignatureShape, network: Network) -> None:
    """Raise Invalid where the columns have other widths than the network, or numbers that its dtype cannot hold."""
    signature = shape.signature()
    for role, columns, width in (
        ("features", signature.features, network.inputs),
        ("targets", signature.targets, network.outputs),
    ):
        own = sum(column.width for column in columns)
        if own != width:
            ends = "inputs" if role == "features" else "outputs"
            detail = f"The {role} of the signature are {own} {ends} wide, but the network has {width}."
            raise invalid(f"{POINTER}/{role}", detail)
    largest = float(np.finfo(network.dtype).max)
    for index, feature in enumerate(signature.features):
        for name in ("min", "max", "fill"):
            value = getattr(feature, name)
            if value is not None and abs(value) > largest:
                detail = f"The {name} of column {feature.name!r} is too large for {network.dtype}."
                raise invalid(f"{POINTER}/features/{index}/{name}", detail)
