"""A version of a model as a file for other tools."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Literal

from service.errors import NotInstalled
from service.learning import notation
from service.models.files import flux, npz, safetensors
from service.models.files.tensors import named_tensors
from service.models.trained_network import TrainedNetwork

FormatName = Literal["onnx", "safetensors", "npz", "flux"]


@dataclass(frozen=True)
class Export:
    """A trained network, and the name of its model."""

    trained: TrainedNetwork
    name: str

    @property
    def architecture(self) -> str:
        return notation.write(self.trained.network.layer)

    @property
    def signature(self) -> str | None:
        """The signature as JSON; None where the data are unknown."""
        signature = self.trained.signature
        return None if signature is None else json.dumps(asdict(signature))

    @property
    def metadata(self) -> dict[str, str]:
        """The file's description of itself, where its format has a place for that."""
        trained = self.trained
        about = {
            "format": "descent",
            "model": self.name,
            "version": str(trained.version),
            "architecture": self.architecture,
            "dtype": trained.network.dtype,
        }
        if trained.epoch is not None:
            about["epoch"] = str(trained.epoch)
        if self.signature is not None:
            about["signature"] = self.signature
        return about

    @property
    def stem(self) -> str:
        """The file's name, without the suffix of the format."""
        epoch = self.trained.epoch
        return f"{self.name}-v{self.trained.version}" + (f"-epoch{epoch}" if epoch is not None else "")


def _onnx(export: Export) -> bytes:
    try:
        from service.models.files.onnx import model
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "onnx":
            raise
        detail = "ONNX files need the package onnx where the service runs: pip install onnx."
        raise NotInstalled(detail, "onnx_not_installed") from None
    return model.write(export.trained.network, export.trained.vector, export.metadata)


def _safetensors(export: Export) -> bytes:
    return safetensors.write(named_tensors(export.trained.network, export.trained.vector), export.metadata)


def _npz(export: Export) -> bytes:
    tensors = named_tensors(export.trained.network, export.trained.vector)
    return npz.write(tensors, export.architecture, export.signature)


def _flux(export: Export) -> Iterator[str]:
    heading = [
        f"{export.stem}: {export.architecture}",
        "Written for Flux 0.16.11. model(x) takes features × observations, a column for each row here.",
    ]
    return flux.write(export.trained.network, export.trained.vector, heading)


@dataclass(frozen=True)
class Format:
    suffix: str
    media_type: str
    write: Callable[[Export], bytes | Iterator[str]]


FORMATS: dict[FormatName, Format] = {
    "onnx": Format(".onnx", "application/onnx", _onnx),
    "safetensors": Format(".safetensors", "application/safetensors", _safetensors),
    "npz": Format(".npz", "application/npz", _npz),
    "flux": Format(".jl", "text/x-julia; charset=utf-8", _flux),
}


def tag_of(export: Export, format: FormatName) -> str:
    """Return a strong entity tag, known before the file is written: a hash of all that decides its bytes."""
    trained = export.trained
    parts = (version("descent"), format, trained.model, export.name, trained.version, trained.epoch)
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
