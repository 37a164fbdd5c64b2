"""The protocol's description of a network: the tensors that it takes and returns."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.datasets.columns import Kind
from service.inference.requests import ONLY_INPUT
from service.inference.schemas import ConfiguredTensor, Datatype, ModelConfiguration, ModelMetadata, TensorMetadata
from service.inference.tensors import DATATYPE_OF
from service.models.signature.signature import Target
from service.models.trained_network import TrainedNetwork

PLATFORM = "descent_dense"
RAW = "outputs"
LABELS = "labels"
PROBABILITIES = "probabilities"


@dataclass(frozen=True)
class Description:
    """A tensor of any number of rows."""

    name: str
    datatype: Datatype
    width: int


def datatype_of(trained: TrainedNetwork) -> Datatype:
    return DATATYPE_OF[trained.network.dtype]


def inputs_of(trained: TrainedNetwork) -> list[Description]:
    """Return the tensors to send: one a column where the data had categories, else one with a row for each row.

    Both are taken wherever the columns are known: a network that never saw a dataset knows none.
    """
    datatype, signature = datatype_of(trained), trained.signature
    if signature is None or all(feature.kind != "categorical" for feature in signature.features):
        return [Description(ONLY_INPUT, datatype, trained.network.inputs)]
    datatypes: dict[Kind, Datatype] = {"numeric": datatype, "boolean": "BOOL", "categorical": "BYTES"}
    return [Description(feature.name, datatypes[feature.kind], 1) for feature in signature.features]


def outputs_of(trained: TrainedNetwork) -> list[Description]:
    """Return the tensors of the answer: the raw outputs, and for each class target the labels and any probabilities."""
    datatype = datatype_of(trained)
    described = [Description(RAW, datatype, trained.network.outputs)]
    if trained.signature is None:
        return described
    targets = trained.signature.targets
    for target in targets:
        if target.kind == "numeric":
            continue
        described.append(Description(named(LABELS, target.name, targets), "BYTES", 1))
        if trained.signature.link is not None:
            width = len(target.categories or ())
            described.append(Description(named(PROBABILITIES, target.name, targets), datatype, width))
    return described


def named(what: str, target: str, targets: Sequence[Target]) -> str:
    """Return the tensor of one target: with several targets, their names tell them apart."""
    return what if len(targets) == 1 else f"{what}.{target}"


def describe(name: str, versions: list[int], trained: TrainedNetwork) -> ModelMetadata:
    """Return the tensors of a version, in the form of the protocol's metadata."""
    return ModelMetadata(
        name=name,
        versions=[str(version) for version in versions],
        platform=PLATFORM,
        inputs=[_metadata(each) for each in inputs_of(trained)],
        outputs=[_metadata(each) for each in outputs_of(trained)],
    )


def _metadata(tensor: Description) -> TensorMetadata:
    return TensorMetadata(name=tensor.name, datatype=tensor.datatype, shape=[-1, tensor.width])


def configure(name: str, trained: TrainedNetwork) -> ModelConfiguration:
    """Return the tensors of a version, in the form of Triton's model configuration."""
    return ModelConfiguration(
        name=name,
        platform=PLATFORM,
        backend="descent",
        version_policy={"all": {}},
        max_batch_size=0,
        input=[_configured(each) for each in inputs_of(trained)],
        output=[_configured(each) for each in outputs_of(trained)],
    )


def _configured(tensor: Description) -> ConfiguredTensor:
    kind = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
    return ConfiguredTensor(name=tensor.name, data_type=f"TYPE_{kind}", dims=[-1, tensor.width])
