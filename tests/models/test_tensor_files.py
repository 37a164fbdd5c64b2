"""Safetensors and npz: their own libraries read the files that are written, and files are checked before reading."""

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import safetensors.numpy as safetensors_library
from ml_dtypes import bfloat16

from service.errors import Invalid, WrongFormat
from service.learning.arrays import Array
from service.models.files import npz, reading, safetensors
from service.models.files.tensors import named_tensors
from tests.support.learning.networks import LAYERS, network
from tests.support.models.networks import random_parameters

WRITERS = {
    "safetensors": lambda tensors, architecture: safetensors.write(tensors, {"architecture": architecture}),
    "npz": npz.write,
}
KIND = "application/octet-stream"
PAIR = {"layers.0.weight": np.array([[1.0, 2.0]], np.float32), "layers.0.bias": np.array([3.0], np.float32)}
"""Tensors of Dense(2 => 1)."""


def vector(file: bytes, architecture: str = "Dense(2 => 1)", dtype: str = "float32") -> Array:
    return reading.read(KIND, file).vector(network(architecture, dtype))


def archive(content: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **content)
    return file.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_what_was_written_is_read_again_bit_by_bit(layers: str, form: str, dtype: str) -> None:
    net = network(layers.format("tanh"), dtype)
    parameters = random_parameters(net)
    file = WRITERS[form](named_tensors(net, parameters), "the architecture")
    read = reading.read(KIND, file)

    assert (read.architecture, read.dtype) == ("the architecture", dtype)
    assert read.vector(net).tobytes() == parameters.tobytes()
    assert WRITERS[form](named_tensors(net, parameters), "the architecture") == file


def test_the_libraries_of_both_formats_read_the_same_names_and_numbers() -> None:
    net = network("Chain(Dense(3 => 4), SkipConnection(Chain(BatchNorm(4), Dense(4 => 4; bias=false)), +))", "float32")
    parameters = random_parameters(net)
    dense, skip = net.unflatten(parameters)
    batch_norm, inner = skip["layers"][0]["layers"]
    expected = {
        "layers.0.weight": dense["weight"],
        "layers.0.bias": dense["bias"],
        **{f"layers.1.layers.0.layers.0.{name}": batch_norm[name] for name in ("scale", "bias", "mean", "variance")},
        "layers.1.layers.0.layers.1.weight": inner["weight"],
    }
    tensors = named_tensors(net, parameters)
    written = safetensors.write(tensors, {"architecture": "A", "version": "3"})
    by_library = safetensors_library.load(written)
    with np.load(io.BytesIO(npz.write(tensors, "A")), allow_pickle=False) as opened:
        by_numpy = dict(opened)

    assert by_numpy.pop("architecture") == "A"
    for found in (by_library, by_numpy):
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array, strict=True)
    length = int.from_bytes(written[:8], "little")
    assert json.loads(written[8 : 8 + length])["__metadata__"] == {"architecture": "A", "version": "3"}


@pytest.mark.parametrize("dtype", [np.float16, bfloat16, np.float32, np.float64])
def test_floats_of_every_size_are_read(dtype: Any) -> None:
    file = safetensors_library.save({name: array.astype(dtype) for name, array in PAIR.items()})
    assert vector(file).tolist() == [1, 2, 3]
    if dtype is not bfloat16:
        assert vector(archive({name: array.astype(dtype) for name, array in PAIR.items()})).tolist() == [1, 2, 3]


def test_arrays_in_any_order_of_bytes_and_columns_are_read() -> None:
    weight = np.asfortranarray(np.arange(6.0).reshape(2, 3).astype(">f8"))
    file = archive({"layers.0.weight": weight})
    expected = network("Dense(3 => 2; bias=false)").flatten([{"weight": np.arange(6.0).reshape(2, 3)}])
    np.testing.assert_array_equal(vector(file, "Dense(3 => 2; bias=false)", "float64"), expected)


@pytest.mark.parametrize("write", [safetensors_library.save, archive], ids=["safetensors", "npz"])
@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"layers.0.bias": None}, "#/layers.0.bias", "layers.0.bias: This tensor, of shape (1,), is missing."),
        ({"layers.0.weight": np.ones((2, 1), "f4")}, "#/layers.0.weight", "must have the shape (1, 2), not (2, 1)."),
        ({"layers.0.bias": np.float32(1)}, "#/layers.0.bias", "must have the shape (1,), not ()."),
        ({"layers.0.bias": np.ones(1, "i8")}, "#/layers.0.bias", "float32 or float64, not "),
        ({"layers.0.bias": np.ones(1, "bool")}, "#/layers.0.bias", "float32 or float64, not "),
        ({"layers.0.bias": np.full(1, np.nan, "f4")}, "#/layers.0.bias/0", "is not a finite float32 number."),
        ({"layers.0.weight": np.array([[1, 1e300]])}, "#/layers.0.weight/0/1", "is not a finite float32 number."),
        ({"layers.1.bias": np.ones(1, "f4")}, "#/layers.1.bias", "it has layers.0.weight, layers.0.bias."),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(write: Any, change: dict[str, Any], pointer: str, words: str) -> None:
    tensors = {name: array for name, array in {**PAIR, **change}.items() if array is not None}
    with pytest.raises(Invalid) as refused:
        vector(write({name: np.asarray(array) for name, array in tensors.items()}))
    assert refused.value.errors[0].pointer == pointer
    assert words in refused.value.detail


def test_a_variance_cannot_be_negative() -> None:
    net = network("BatchNorm(1; affine=false)", "float32")
    tensors = {**named_tensors(net, net.initial(0)), "layers.0.variance": np.array([-1], "f4")}
    with pytest.raises(Invalid, match="variance/0 must not be negative"):
        reading.read(KIND, npz.write(tensors, "")).vector(net)


@pytest.mark.parametrize(
    "body",
    [
        pickle.dumps({"layers.0.weight": [1]}),
        archive({"layers.0.weight": np.array([{}], object)}),
        archive({**PAIR, "architecture": np.array("Dense(2 => 1)", object)}),
        archive({**PAIR, "signature": np.array("{}", object)}),
    ],
    ids=["bare", "in an array", "in the architecture", "in the signature"],
)
def test_pickles_are_refused_unread(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        reading.read(KIND, body)
    assert refused.value.code == "pickle_refused"


def header_of(shape: str, version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + len(text).to_bytes(2 if version[0] == 1 else 4, "little") + text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"layers",
        b"\xff" * 100,
        b"\x10\x00\x00\x00\x00\x00\x00\x00{" + b"x" * 30,
        safetensors_library.save(PAIR)[:-1],
        archive(PAIR)[:-30],
        zipped("layers.0.weight.npy", b"no npy file"),
        zipped("archive/data.pkl", pickle.dumps([1])),
        zipped("layers.0.weight.npy", header_of("(1, 2)", b"\x02\x00")),
        archive({**PAIR, "architecture": np.array(["a", "b"])}),
        archive({**PAIR, "architecture": np.array(3)}),
        archive({**PAIR, "architecture": np.array("x" * 100_001)}),
        archive({**PAIR, "signature": np.array(["{}", "{}"])}),
        archive({**PAIR, "signature": np.array(b"{}")}),
        archive({**PAIR, "signature": np.ones(2)}),
        zipped("signature.npy", header_of("()").replace(b"'<f4'", b"'<U4194305'")),
    ],
    ids=[
        "empty",
        "a word",
        "no length",
        "no header",
        "safetensors cut off",
        "npz cut off",
        "no npy",
        "archive of PyTorch",
        "header cut off",
        "two architectures",
        "architecture is a number",
        "architecture too long",
        "two signatures",
        "signature is bytes",
        "signature is numbers",
        "signature of megabytes",
    ],
)
def test_broken_files_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        reading.read(KIND, body)
    assert refused.value.code == "malformed"


def test_metadata_may_be_null() -> None:
    header = b'{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(80)
    read = reading.read(KIND, len(header).to_bytes(8, "little") + header + bytes(4))
    assert (read.architecture, read.signature(network("Dense(1 => 1)"))) == (None, None)


def test_a_tensor_that_is_shorter_than_it_says_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        vector(zipped("layers.0.weight.npy", header_of("(1, 2)") + b"1234"), "Dense(2 => 1; bias=false)")
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("shape", ["(1, 1099511627776)", "(1000000000, 1000000000, 1000000000)"])
def test_a_small_file_that_announces_a_huge_tensor_costs_nothing(shape: str) -> None:
    with pytest.raises(Invalid, match=r"must have the shape \(1, 2\), not"):
        vector(zipped("layers.0.weight.npy", header_of(shape)), "Dense(2 => 1; bias=false)")


def test_a_file_of_very_many_tensors_is_refused_before_they_are_looked_at() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for number in range(40_001):
            target.writestr(f"{number}.npy", b"")
    with pytest.raises(Invalid, match="more than 40,000 entries"):
        reading.read(KIND, file.getvalue())


def test_other_content_types_are_not_read() -> None:
    with pytest.raises(WrongFormat, match="application/x-npz"):
        reading.read("text/plain", archive(PAIR))
