"""The meaning of a dataset's columns to a network that learnt from them."""

from collections.abc import Iterator, Sequence

from service.datasets.arrangement import Arrangement, SeenColumn
from service.datasets.columns import Column
from service.learning.losses import Link, Loss
from service.learning.network import Network
from service.learning.planning.advice import Advice
from service.learning.planning.loss_fits_outputs import last_function
from service.models.signature.signature import Feature, Signature, Target
from service.vocabulary.kinds import to_json


def signature_of(columns: Arrangement, network: Network, loss: Loss, start: Signature | None = None) -> Signature:
    """Return the signature of `network` trained on these columns by `loss`; `start` is that of the version before."""
    features = tuple(_feature(each, columns) for each in columns.features)
    targets = tuple(Target(each.name, each.kind, each.labels) for each in columns.target_columns)
    weights = None if columns.weights is None else columns.weights.column.name
    known = {weights, *(each.name for each in features), *(each.name for each in targets)}
    left_out = tuple(name for name in dict.fromkeys(_left_out(columns, start)) if name not in known)
    link = link_of(columns.target_columns, network, loss)
    return Signature(features, targets, link, to_json(loss), weights, left_out)


def _feature(seen: SeenColumn, columns: Arrangement) -> Feature:
    column = seen.column
    if column.categories is not None:
        return Feature(column.name, column.kind, column.categories, fill=column.fill)
    training = columns.summary(seen)["train"]
    return Feature(column.name, column.kind, None, training["min"], training["max"], column.fill, column.dates)


def _left_out(columns: Arrangement, start: Signature | None) -> Iterator[str]:
    """Yield the columns that training does not take, now or before."""
    dataset = columns.dataset
    if start is not None:
        yield from start.left_out
        if start.weights is not None:
            yield start.weights
    yield from dataset.ignored or ()
    if dataset.split_column is not None:
        yield dataset.split_column
    yield from columns.unused


def link_of(targets: Sequence[Column], network: Network, loss: Loss) -> Link | None:
    """Return the link that makes class probabilities of outputs trained by `loss`; None where nothing does."""
    kinds = {target.kind for target in targets}
    if kinds == {"numeric"}:
        return None
    function = last_function(network)
    of = None if function is None else function.probabilities
    link = loss.link or (None if of is None else "identity")
    shares = link == "softmax" or (link == "identity" and of == "softmax")
    # Of the one output of a boolean target, softmax would make 1 whatever it is. Where the network itself ends in one
    # that spans several targets, the outputs of each add up to less.
    apart = "boolean" not in kinds and (link == "softmax" or len(targets) == 1)
    return None if shares and not apart else link


def no_probabilities(targets: Sequence[Column], network: Network, loss: Loss) -> Advice | None:
    """Advise where the one target is a class, and nothing will make probabilities of the network's outputs for it."""
    if len(targets) > 1 or link_of(targets, network, loss) is not None:
        return None
    (target,) = targets
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
