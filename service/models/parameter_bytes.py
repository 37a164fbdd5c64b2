"""A network's flat parameter vector as bytes and back, as safetensors: no code can hide in it."""

from safetensors.numpy import load, save

from service.http.json_numbers import Array

TENSOR = "parameters"


def to_bytes(vector: Array) -> bytes:
    return save({TENSOR: vector})


def from_bytes(data: bytes) -> Array:
    vector = load(data)[TENSOR]
    vector.flags.writeable = False
    return vector
