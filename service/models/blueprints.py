"""The beginning of a new model: described, read from a file, or taken from an existing model or job."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from service.datasets.records import DatasetRecord
from service.errors import Fault, NotFound, invalid
from service.http import json_numbers
from service.http.json_numbers import Array, JsonObject
from service.http.long_json.lists import LongList
from service.learning import notation
from service.learning.expressions import MAX_LENGTH
from service.learning.layers import ArchitectureError, Chain, Layer
from service.learning.network import Network
from service.learning.parameters import ParameterError
from service.learning.planning.advice import Advice
from service.learning.terms import UnreadableText
from service.models import parameter_bytes, widths
from service.models.files.tensors import TensorFile
from service.models.left import records as left_parameters
from service.models.networks import Networks
from service.models.schemas import JobOrigin, NewModel, Origin, UploadedModel
from service.models.signature.signature import Signature
from service.pointers import escape, reference_at
from service.settings import Settings
from service.vocabulary.formulas import check_formulas

ARCHITECTURE_IN_A_QUERY = "?architecture=Dense(1%20=%3E%201)"
"""`Dense(1 => 1)`, as an address holds it."""
FIELDS_OF_AN_ORIGIN = {"model_not_found": "model", "version_not_found": "version", "epoch_not_kept": "epoch"}
"""By the code of the error where the field leads nowhere."""


@dataclass(frozen=True)
class Largest:
    """Parameters of the largest network, and characters of its longest formula."""

    parameters: int
    formula: int = MAX_LENGTH

    @classmethod
    def by(cls, settings: Settings) -> "Largest":
        return cls(settings.max_parameters, settings.max_expression)


@dataclass(frozen=True)
class Blueprint:
    """A network that can be built, and its first parameters."""

    architecture: str
    network: Network
    vector: Array
    seeded: bool
    signature: Signature | None = None
    advice: tuple[Advice, ...] = ()


class GivenParameters(Protocol):
    """Parameters from outside, in any form."""

    def vector(self, network: Network) -> Array:
        """The flat vector of these parameters; Invalid where they do not fit the network."""

    def signature(self, network: Network) -> Signature | None:
        """The signature of their training data, if there is one; Invalid where it does not fit the network."""


@dataclass(frozen=True)
class LayerByLayer:
    """Parameters as JSON has them; `pointer` is their place in the body."""

    layers: list[JsonObject]
    pointer: str

    def vector(self, network: Network) -> Array:
        """The flat vector of these parameters.

        Raises:
            Invalid: they do not fit the network; with the pointer of the first fault.
        """
        try:
            return network.flatten(_with_arrays(self.layers, self.pointer))
        except ParameterError as error:
            where = self.pointer + error.pointer
            raise invalid(where, f"{where} {error.message}.", "bad_parameters") from None

    def signature(self, network: Network) -> None:
        """None: JSON carries parameters alone."""


def _with_arrays(layers: Any, pointer: str) -> Any:
    """Layers' parameters with arrays in place of long lists."""
    if isinstance(layers, LongList):
        layers = layers.whole()
    if not isinstance(layers, list):
        return layers
    return [_layer(each, f"{pointer}/{index}") for index, each in enumerate(layers)]


def _layer(given: Any, pointer: str) -> Any:
    if not isinstance(given, dict):
        return given
    return {name: _parameter(name, value, f"{pointer}/{escape(name)}") for name, value in given.items()}


def _parameter(name: str, value: Any, pointer: str) -> Any:
    if name == "layers":
        return _with_arrays(value, pointer)
    return _array(value, pointer) if isinstance(value, LongList) else value


def _array(values: LongList, pointer: str) -> Array:
    first = values.first
    if isinstance(first, list | LongList):
        if not len(first):  # as all the others may be, which would be looked at one by one
            raise invalid(f"{pointer}/0", "This row has no numbers.")
        return json_numbers.matrix(values, len(first), "float64", pointer)
    return json_numbers.column(values, "float64", pointer)


def blueprint(new: NewModel, largest: Largest, dataset: DatasetRecord | None = None) -> Blueprint:
    """The network that a request describes, for the dataset that it names.

    Raises:
        Invalid: the notation cannot be read, widths or parameters do not fit, or there are too many parameters.
    """
    pointer = "#/architecture" if new.architecture else "#/layers"
    filled = widths.filled(new.architecture, dataset)
    with _faults_at(pointer):
        layer = notation.read(filled.architecture) if new.architecture else _chain(new)
        network = Network(layer, new.dtype)
    if dataset is not None:
        widths.check(network, dataset)
    _check_size(network, largest, pointer)
    given = new.parameters
    vector = network.initial(new.seed) if given is None else LayerByLayer(given, "#/parameters").vector(network)
    written = notation.write(network.layer)
    return Blueprint(written, network, vector, seeded=given is None, advice=filled.advice)


def from_file(file: TensorFile, new: UploadedModel, largest: Largest) -> Blueprint:
    """The network whose parameters a file holds; the architecture is its own where the request names none.

    Raises:
        Invalid: there is no architecture, it cannot be read, or the tensors or the signature do not fit it.
    """
    pointer = "query/architecture"
    architecture = new.architecture or file.architecture
    if architecture is None:
        detail = f"The file does not name its architecture: give {ARCHITECTURE_IN_A_QUERY} or the like."
        raise invalid(pointer, detail)
    with _faults_at(pointer):
        network = Network(notation.read(architecture), new.dtype or file.dtype)
    _check_size(network, largest, pointer)
    vector, signature = file.vector(network), file.signature(network)
    return Blueprint(notation.write(network.layer), network, vector, seeded=False, signature=signature)


def from_origin(session: Session, networks: Networks, origin: Origin) -> Blueprint:
    """The network of a version of a model, or the one that a job left behind when it broke off.

    Raises:
        NotFound: there is no such model, version or kept epoch, or the job has left nothing.
    """
    if isinstance(origin, JobOrigin):
        return _left_by(session, origin.job)
    with reference_at("#/from", FIELDS_OF_AN_ORIGIN):
        trained = networks.latest(session, origin.model, origin.version, origin.epoch)
    network = trained.network
    return Blueprint(notation.write(network.layer), network, trained.vector, trained.fresh, trained.signature)


def _left_by(session: Session, job: str) -> Blueprint:
    left = left_parameters.find(session, job)
    if left is None:
        detail = (
            f"Job {job!r} left no parameters: only jobs that failed or were cancelled during training do. "
            'The result of a succeeded one is a version of its model: {"from": {"model": ..., "version": ...}}.'
        )
        raise NotFound(detail, "no_last_parameters", (Fault("#/from/job", detail),))
    network = Network(notation.read(left.architecture), left.dtype)
    vector = parameter_bytes.from_bytes(left.parameters)
    return Blueprint(left.architecture, network, vector, seeded=False, signature=left.signature)


def _chain(new: NewModel) -> Layer:
    layers = [shape.to_learning() for shape in new.layers]
    return layers[0] if len(layers) == 1 else Chain(tuple(layers))


def _check_size(network: Network, largest: Largest, pointer: str) -> None:
    if network.vector_length > largest.parameters:
        detail = f"This network has {network.parameter_count:,} parameters; at most {largest.parameters:,} are allowed."
        raise invalid(pointer, f"{detail} (DESCENT_MAX_PARAMETERS)", "too_many_parameters")
    check_formulas(network.layer, largest.formula, pointer)


@contextmanager
def _faults_at(pointer: str) -> Iterator[None]:
    try:
        yield
    except UnreadableText as error:
        raise invalid(pointer, f"At character {error.position}: {error.message}", "bad_notation") from None
    except ArchitectureError as error:
        where = pointer + error.pointer if pointer == "#/layers" else pointer
        raise invalid(where, error.message, "bad_architecture") from None
