"""The meaning of a dataset's columns to a network that learnt from them, compared with those of another dataset."""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from service.datasets.columns import Column
from service.datasets.records import DatasetRecord
from service.errors import Invalid, invalid
from service.learning.losses import Link, Loss
from service.learning.network import Network
from service.learning.planning.advice import Advice
from service.learning.planning.suitability import last_function
from service.models.signature.signature import Feature, Signature, Target
from service.vocabulary.kinds import to_json

GENERATED = re.compile(r"c[0-9]+")
"""Names of columns without a header, which tell nothing but their place in a file."""


def signature_of(dataset: DatasetRecord, network: Network, loss: Loss, weights: str | None) -> Signature:
    """Return the signature of `network` trained on `dataset` by `loss`; the column of `weights` is no input."""
    parts = {column["name"]: column["parts"]["train"] for column in dataset.statistics}
    features = tuple(_feature(column, parts[column.name]) for column in _inputs(dataset, weights))
    targets = tuple(Target(each.name, each.kind, each.labels) for each in dataset.targets)
    return Signature(features, targets, link_of(dataset, network, loss), to_json(loss), weights)


def _inputs(dataset: DatasetRecord, weights: str | None) -> list[Column]:
    return [column for column in dataset.features if column.name != weights]


def _feature(column: Column, seen: Mapping[str, Any]) -> Feature:
    if column.categories is not None:
        return Feature(column.name, column.kind, column.categories, fill=column.fill)
    return Feature(column.name, column.kind, None, seen["min"], seen["max"], column.fill)


def link_of(dataset: DatasetRecord, network: Network, loss: Loss) -> Link | None:
    """Return the link that makes class probabilities of outputs trained by `loss`; None where nothing does."""
    kinds = {target.kind for target in dataset.targets}
    if kinds == {"numeric"}:
        return None
    function = last_function(network)
    of = None if function is None else function.probabilities
    link = loss.link or (None if of is None else "identity")
    shares = link == "softmax" or (link == "identity" and of == "softmax")
    # Of the one output of a boolean target, softmax would make 1 whatever it is. Where the network itself ends in one
    # that spans several targets, the outputs of each add up to less.
    apart = "boolean" not in kinds and (link == "softmax" or len(dataset.targets) == 1)
    return None if shares and not apart else link


def no_probabilities(dataset: DatasetRecord, network: Network, loss: Loss) -> Advice | None:
    """Advise where the one target is a class, and nothing will make probabilities of the network's outputs for it."""
    if len(dataset.targets) > 1 or link_of(dataset, network, loss) is not None:
        return None
    (target,) = dataset.targets
    if target.kind == "numeric":
        return None
    better = "logitbinarycrossentropy" if target.kind == "boolean" else "logitcrossentropy"
    function = last_function(network)
    bare = "" if function is not None and function.name == "identity" else ", with a network that ends in a plain Dense"
    detail = (
        f"{target.name!r} is {target.kind}, and this loss makes no probabilities of the network's outputs: "
        f'predictions will have labels, but "probabilities": null. The loss {better} would give them{bare}.'
    )
    return Advice("no_probabilities", detail, "#/loss")


def check_columns(signature: Signature, dataset: DatasetRecord, weights: str | None, pointer: str) -> None:
    """Whether the network would take each column of `dataset` for one of the same meaning.

    Columns are taken in their order. Their names decide nothing by themselves, but a name that the network knows
    from another place shows that columns were swapped.

    Raises:
        Invalid: with the first column whose place, kind or categories are others.
    """
    _check("input", signature.features, _inputs(dataset, weights), dataset.name, pointer)
    _check("target", signature.targets, dataset.targets, dataset.name, pointer)


def _check(role: str, known: Sequence[Feature | Target], given: Sequence[Column], dataset: str, pointer: str) -> None:
    places = {column.name: place for place, column in enumerate(known, start=1)}
    for place, (ours, theirs) in enumerate(zip_longest(known, given), start=1):
        if theirs is None:
            break  # widths differ: another message names both
        name = theirs.name
        where = f"{role.capitalize()} {place} of dataset {dataset!r}, {name!r},"
        if places.get(name, place) != place and not GENERATED.fullmatch(name):
            raise _differs(pointer, f"{where} is {role} {places[name]} of the model: columns go by their order.")
        if ours is None:
            break
        if theirs.kind != ours.kind:
            raise _differs(pointer, f"{where} is {theirs.kind}; the model was trained with a {ours.kind} one there.")
        differs = _first_difference(ours.categories or (), theirs.categories) if theirs.categories is not None else None
        if differs is not None:
            raise _differs(pointer, f"{where} has other categories than the model was trained with: {differs}.")


def _first_difference(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    for place, (mine, other) in enumerate(zip_longest(ours, theirs), start=1):
        if mine != other:
            names = ("none" if each is None else repr(each) for each in (other, mine))
            return "category {} is {}, and {} to the model".format(place, *names)
    return None


def _differs(pointer: str, detail: str) -> Invalid:
    return invalid(pointer, detail, "columns_differ")
