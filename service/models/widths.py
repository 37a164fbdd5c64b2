"""Widths of a new network, taken from a dataset."""

import re
from typing import NamedTuple

from service.database.database import Database
from service.datasets import records as datasets
from service.datasets.records import DatasetRecord
from service.errors import invalid
from service.learning.network import Network
from service.learning.planning.advice import Advice
from service.learning.planning.architectures import suggested
from service.pointers import reference_at

AUTO = "auto"
INPUTS, OUTPUTS = re.compile(r"(?<!\w)_(?=\s*=>)"), re.compile(r"(=>\s*)_(?!\w)")


class Filled(NamedTuple):
    """An architecture without gaps, and advice on it."""

    architecture: str
    advice: tuple[Advice, ...] = ()


def asked(database: Database, reference: str | None) -> DatasetRecord | None:
    """Return the dataset that a request names, where it names one; NotFound and Conflict have the pointer."""
    if reference is None:
        return None
    with database.reading() as session, reference_at("#/dataset"):
        return datasets.find_ready(session, reference)


def filled(architecture: str, dataset: DatasetRecord | None) -> Filled:
    """Return the architecture with the dataset's widths in place of `_`, or one for it in place of "auto".

    Raises:
        Invalid: there is no dataset to ask.
    """
    wants = architecture.strip() == AUTO
    if dataset is None:
        if wants or INPUTS.search(architecture) or OUTPUTS.search(architecture):
            what = '"auto"' if wants else "`_`"
            detail = f'{what} asks a dataset: name it in "dataset", or write the widths as numbers.'
            raise invalid("#/architecture", detail, "no_dataset_for_widths")
        return Filled(architecture)
    if wants:
        suggestion = suggested(dataset.inputs, dataset.outputs, dataset.train_rows)
        detail = f"{suggestion.architecture} was chosen: {suggestion.reason}"
        return Filled(suggestion.architecture, (Advice("architecture_chosen", detail, "#/architecture"),))
    begun = INPUTS.sub(str(dataset.inputs), architecture)
    return Filled(OUTPUTS.sub(lambda found: f"{found[1]}{dataset.outputs}", begun))


def check(network: Network, dataset: DatasetRecord) -> None:
    """Raise Invalid where a network does not fit the dataset that its request names."""
    if (network.inputs, network.outputs) != (dataset.inputs, dataset.outputs):
        detail = (
            f"The network maps {network.inputs} inputs to {network.outputs} outputs, and dataset {dataset.name!r} has "
            f"{dataset.inputs} inputs and {dataset.outputs} outputs. `_` takes a width from the dataset."
        )
        raise invalid("#/dataset", detail, "widths_differ")
