"""The inputs of a network from the tensors of a request."""

import numpy as np

from service.errors import invalid
from service.http.json_numbers import Array
from service.inference.requests import ONLY_INPUT
from service.inference.tensors import Tensor
from service.learning.rows.one_hot import Rows
from service.models.trained_network import TrainedNetwork
from service.predictions.rows import named_rows


def matrix(tensors: list[Tensor], trained: TrainedNetwork) -> Rows:
    """Return the inputs (rows × inputs) of a network, from one tensor of them or from one tensor a column.

    Raises:
        Invalid: names or shapes do not fit the network; or a number is not finite, or not in its dtype.
    """
    network = trained.network
    if len(tensors) == 1 and tensors[0].name == ONLY_INPUT and tensors[0].datatype != "BYTES":
        only = tensors[0]
        if only.values.ndim != 2 or only.values.shape[1] != network.inputs:
            detail = f"The shape is {list(only.values.shape)}, but {[-1, network.inputs]} is expected (-1: any number)."
            raise invalid(f"{only.pointer}/shape", detail)
        return _numbers(only, network.dtype)
    if trained.signature is None:
        odd = next(tensor for tensor in tensors if tensor.name != ONLY_INPUT or len(tensors) == 1)
        detail = f"This model takes one tensor of numbers, {ONLY_INPUT!r}, with {network.inputs} a row."
        raise invalid(f"{odd.pointer}/name", detail)
    pointers = {tensor.name: tensor.pointer for tensor in tensors}
    columns = {tensor.name: _column(tensor, tensors[0]) for tensor in tensors}
    return named_rows.from_columns(
        trained.signature,
        columns,
        network.dtype,
        lambda name, row: pointers.get(name, "#/inputs"),
        can_ignore=False,
    )


def _column(tensor: Tensor, first: Tensor) -> Array:
    """Return the values of a column, one a row."""
    rows = first.values.shape[0] if first.values.ndim else 0
    if tensor.values.shape not in ((rows,), (rows, 1)):
        expected = f"{[rows, 1]} or {[rows]}" if tensor is not first else "[-1, 1] or [-1] (-1: any number)"
        detail = f"The shape is {list(tensor.values.shape)}, but {expected} is expected."
        raise invalid(f"{tensor.pointer}/shape", detail)
    return tensor.values.reshape(rows)


def _numbers(tensor: Tensor, dtype: str) -> Array:
    """Finite numbers of `dtype`: the tensor's own where they are of that dtype already."""
    with np.errstate(over="ignore"):
        values = tensor.values.astype(dtype, copy=False)
    finite = np.isfinite(values)
    if not finite.all():
        place = np.unravel_index(int(np.argmin(finite)), finite.shape)
        what = f"is too large for {dtype}" if np.isfinite(tensor.values[place]) else "is not finite"
        raise invalid(tensor.pointer, f"The number at {list(map(int, place))} {what}.")
    return values
