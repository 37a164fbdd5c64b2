"""The answer to an inference request: a JSON object, and behind it the bytes of its binary tensors."""

import numpy as np
import orjson

from service.errors import invalid
from service.http.json_numbers import Array, JsonObject
from service.inference import tensors
from service.inference.metadata import LABELS, PROBABILITIES, RAW, datatype_of, named, outputs_of
from service.inference.requests import Request, WantedOutput
from service.inference.tensors import Tensor
from service.models.signature.class_answers import class_answers
from service.models.trained_network import TrainedNetwork


def wanted_of(request: Request, trained: TrainedNetwork) -> list[WantedOutput]:
    """Return the tensors to answer.

    Raises:
        Invalid: there is no such output, or it has no highest values.
    """
    datatypes = {output.name: output.datatype for output in outputs_of(trained)}
    if request.outputs is None:
        return [WantedOutput(name, request.binary) for name in datatypes]
    for index, wanted in enumerate(request.outputs):
        if wanted.name not in datatypes:
            detail = f"There is no output {wanted.name[:100]!r}: there are {', '.join(datatypes)}."
            raise invalid(f"#/outputs/{index}/name", detail)
        if wanted.classes and datatypes[wanted.name] == "BYTES":
            raise invalid(
                f"#/outputs/{index}/parameters/classification",
                "BYTES outputs have no order, so `classification` does not apply.",
            )
    return request.outputs


def write(
    model: str, trained: TrainedNetwork, id: str | None, wanted: list[WantedOutput], outputs: Array
) -> tuple[bytes, int | None]:
    """The body that answers with the wanted tensors, and the number of bytes that are JSON, or None where all are."""
    given, labels = _tensors(trained, wanted, outputs)
    described: list[JsonObject] = []
    parts: list[bytes | memoryview] = []
    for each in wanted:
        tensor = _highest(given[each.name], each.classes, labels.get(each.name)) if each.classes else given[each.name]
        if not each.binary:
            described.append(tensors.to_json(tensor))
            continue
        data = tensors.to_bytes(tensor)
        described.append(
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": tensor.values.shape,
                "parameters": {"binary_data_size": len(data)},
            }
        )
        parts.append(data)
    answer = {"model_name": model, "model_version": str(trained.version), "outputs": described}
    if id is not None:
        answer["id"] = id
    head = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join([head, *parts]), len(head)) if parts else (head, None)


def _tensors(
    trained: TrainedNetwork, wanted: list[WantedOutput], outputs: Array
) -> tuple[dict[str, Tensor], dict[str, list[str]]]:
    """Every tensor that may be answered, by name; and the names of classes for those whose columns are classes."""
    datatype = datatype_of(trained)
    given = {RAW: Tensor(RAW, datatype, outputs)}
    called: dict[str, list[str]] = {}
    signature = trained.signature
    if signature is None or all(each.name == RAW and not each.classes for each in wanted):
        return given, called
    for each in class_answers(signature, outputs):
        names = [_text(name) for name in each.names]
        name = named(LABELS, each.target, signature.targets)
        given[name] = Tensor(name, "BYTES", np.array([[_text(label)] for label in each.labels], object))
        if each.probabilities is not None:
            name = named(PROBABILITIES, each.target, signature.targets)
            given[name] = Tensor(name, datatype, each.probabilities.astype(outputs.dtype, copy=False))
            called[name] = names
        if len(signature.targets) == 1 and len(names) == outputs.shape[1]:  # a boolean is different: it has one output
            called[RAW] = names
    return given, called


def _text(label: str | bool) -> str:
    return label if isinstance(label, str) else str(label).lower()


def _highest(tensor: Tensor, count: int, names: list[str] | None) -> Tensor:
    """Return the `count` highest values of each row as texts: value:index, and :name where the columns have one."""
    highest = np.argsort(-tensor.values, axis=1, kind="stable")[:, :count]
    endings = [f":{index}" if names is None else f":{index}:{names[index]}" for index in range(tensor.values.shape[1])]
    texts = [
        [f"{values[index]!s}{endings[index]}" for index in row]
        for row, values in zip(highest.tolist(), tensor.values, strict=True)
    ]
    return Tensor(tensor.name, "BYTES", np.array(texts, object))
