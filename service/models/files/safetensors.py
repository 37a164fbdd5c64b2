"""The safetensors format: a length, a JSON header, then the tensors' bytes one after another."""

import json
from collections.abc import Callable, Mapping

import numpy as np
from safetensors import SafetensorError, deserialize

from service.errors import invalid
from service.http.json_numbers import Array
from service.models.files.tensors import Tensor, TensorFile

DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LENGTH = 8
"""Bytes of the header's length; the header ends at a multiple of these, too."""


def write(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return the file of these tensors (float32 or float64).

    Written here, since the library puts metadata in an order that changes from run to run: one version of a model is
    to be the same bytes whenever it is asked for.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": NAMES[tensor.dtype.name], "shape": tensor.shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH)
    numbers = (tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes() for tensor in tensors.values())
    return b"".join([len(text).to_bytes(LENGTH, "little"), text, *numbers])


def is_one(body: bytes) -> bool:
    """Whether these bytes begin as the format does."""
    return body[LENGTH : LENGTH + 1] == b"{" and int.from_bytes(body[:LENGTH], "little") < len(body)


def read(body: bytes) -> TensorFile:
    """Read the file.

    Raises:
        Invalid: it is broken.
    """
    try:
        found = deserialize(body)  # type: ignore[no-untyped-call]  # it has no types
    except SafetensorError as error:
        raise invalid("#", f"This safetensors file is broken: {error}.", "malformed") from None
    header = json.loads(body[LENGTH : LENGTH + int.from_bytes(body[:LENGTH], "little")])
    metadata = header.get("__metadata__") or {}  # the library lets null pass
    tensors = {name: _tensor(described) for name, described in found}
    return TensorFile(tensors, metadata.get("architecture"), metadata.get("signature"))


def _tensor(described: Mapping[str, object]) -> Tensor:
    shape, name, data = described["shape"], described["dtype"], described["data"]
    assert isinstance(shape, list)
    assert isinstance(name, str)
    assert isinstance(data, bytes | bytearray)
    dtype = DTYPES.get(name, name)
    return Tensor(tuple(shape), dtype, _reader(data, dtype, tuple(shape)))


def _reader(data: bytes | bytearray, dtype: str, shape: tuple[int, ...]) -> Callable[[], Array]:
    def read() -> Array:
        if dtype != "bfloat16":
            return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).reshape(shape)
        upper_half = np.frombuffer(data, "<u2").astype(np.uint32)  # of a float32
        return (upper_half << 16).view(np.float32).reshape(shape)

    return read
