"""The protocol's objects on the wire: models that read requests, and describe answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from service.http.long_json.lists import MOST_MEMBERS
from service.wire import NULL, PLAIN, WHOLE, DescribedAs

Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "BF16",
    "FP32",
    "FP64",
    "BYTES",
]
Size = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1), WHOLE]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]
SharedMemory = Annotated[
    Text | None,
    # a type of null alone breaks off the making of clients
    WithJsonSchema({"type": ["string", "null"], "enum": [None], "description": "null: no memory is shared here"}),
]
_ELEMENTS = [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]
Data = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [*_ELEMENTS, {"type": "array", "items": {"anyOf": _ELEMENTS}}]},
            "description": "the elements, row-major: flat, or nested by the shape; not for binary tensors",
        }
    ),
]


class Object(BaseModel):
    """An object of the protocol. Unknown members are ignored; null counts as absent."""

    model_config = ConfigDict(extra="ignore")


class InputParameters(Object):
    """The place of a tensor's bytes."""

    binary_data_size: Size | None = Field(None, description="bytes of this tensor behind the JSON")
    shared_memory_region: SharedMemory = None


_SIZE: dict[str, Any] = {
    "properties": {"binary_data_size": {"type": "integer", "description": "in bytes"}},
    "required": ["binary_data_size"],
}
_IN_BYTES: dict[str, Any] = {"properties": {"parameters": {"type": "object", **_SIZE}}, "required": ["parameters"]}
"""Says of a tensor that its elements are bytes behind the JSON."""


class RequestInput(Object):
    """A tensor that is sent: in `data`, or as bytes behind the JSON."""

    name: Text = Field(description="the name of the tensor", examples=["inputs"])
    shape: Annotated[list[Annotated[Size, Field(json_schema_extra={"minimum": 1})]], PLAIN] = Field(
        max_length=32, description="its size in each dimension, that of the rows first", examples=[[2, 1]]
    )
    datatype: Datatype = Field(description="the type of its elements")
    parameters: InputParameters | None = Field(None, description="of a tensor whose bytes are behind the JSON")
    data: Data = None

    model_config = ConfigDict(
        json_schema_extra={"if": _IN_BYTES, "then": {"properties": {"data": NULL}}, "else": {"required": ["data"]}}
    )


class OutputParameters(Object):
    """The form in which a tensor is wanted."""

    binary_data: Flag | None = Field(None, description="whether to answer it as bytes behind the JSON")
    classification: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1), WHOLE] | None = Field(
        None, description='answer this number of the highest of each row as texts, "value:index" or "value:index:label"'
    )
    shared_memory_region: SharedMemory = None


class RequestOutput(Object):
    """A tensor that is wanted."""

    name: Text = Field(description="the name of the tensor", examples=["outputs"])
    parameters: OutputParameters | None = Field(None, description="the form in which it is wanted")


class RequestParameters(Object):
    """Parameters of a request."""

    binary_data_output: Flag | None = Field(None, description="whether to answer all outputs as bytes")


class InferenceRequest(Object):
    """Rows to compute, as tensors."""

    id: Text | None = Field(None, description="comes back with the answer")
    parameters: RequestParameters | None = Field(None, description="of all tensors together")
    inputs: list[RequestInput] = Field(
        min_length=1, max_length=MOST_MEMBERS, description="the tensors: one of all inputs, or one of each column"
    )
    outputs: Annotated[list[RequestOutput] | None, PLAIN] = Field(
        None, description="the tensors that are wanted; all where left out"
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": [{"name": "inputs", "shape": [2, 1], "datatype": "FP32", "data": [6, 7]}]},
                {
                    "id": "7",
                    "inputs": [{"name": "inputs", "shape": [2, 1], "datatype": "INT64", "data": [[6], [7]]}],
                    "outputs": [{"name": "outputs"}],
                },
            ]
        }
    )


class ResponseOutput(BaseModel):
    """A tensor of an answer."""

    name: str = Field(description="its name")
    datatype: Datatype = Field(description="the type of its elements")
    shape: list[int] = Field(description="its size in each dimension, that of the rows first")
    parameters: dict[str, int] | None = Field(None, description="`binary_data_size` of a binary tensor")
    data: Data = None


class InferenceResponse(BaseModel):
    """The tensors that were computed."""

    model_name: str = Field(description="as it stood in the path")
    model_version: str = Field(description="the version that computed")
    id: str | None = Field(None, description="that of the request, where it had one")
    outputs: list[ResponseOutput] = Field(description="the tensors that were wanted")


class TensorMetadata(BaseModel):
    """A tensor that a model takes or answers."""

    name: str = Field(description="its name")
    datatype: Datatype = Field(description="the type of its elements")
    shape: list[int] = Field(description="-1: any number of rows", examples=[[-1, 4]])


class ModelMetadata(BaseModel):
    """The tensors of a model."""

    name: str = Field(description="as it stood in the path")
    versions: list[str] = Field(description="the versions that can be asked")
    platform: str = Field(description="the program that computes")
    inputs: list[TensorMetadata] = Field(description="the tensors that it takes")
    outputs: list[TensorMetadata] = Field(description="the tensors that it answers")


class ServerMetadata(BaseModel):
    """The server in the words of the protocol."""

    name: str = Field(description="its name")
    version: str = Field(description="its version")
    extensions: list[str] = Field(description="the extensions of the protocol that it knows")


class ServerHealth(BaseModel):
    """Whether the server can work."""

    live: bool = Field(description="whether the process is alive")
    ready: bool = Field(description="whether it can work")


class ServerLife(BaseModel):
    """Whether the server is alive."""

    live: bool = Field(description="whether the process is alive")


class ModelHealth(BaseModel):
    """Whether a model can be asked."""

    name: str = Field(description="as it stood in the path")
    ready: bool = Field(description="whether it can be asked")


class ModelNames(BaseModel):
    """The names of all models."""

    models: list[str] = Field(description="their names")


class ConfiguredTensor(BaseModel):
    """A tensor as Triton configures one."""

    name: str = Field(description="its name")
    data_type: str = Field(description="the type of its elements", examples=["TYPE_FP32"])
    dims: list[int] = Field(description="its size in each dimension; -1: any number of rows")


class ModelConfiguration(BaseModel):
    """A model as Triton configures one; the dims include that of the rows."""

    name: str = Field(description="as it stood in the path")
    platform: str = Field(description="the program that computes")
    backend: str = Field(description="the same, in Triton's word")
    version_policy: Annotated[dict[str, dict[str, Any]], DescribedAs(dict[str, dict[str, int]])] = Field(
        description="the versions that can be asked"
    )
    max_batch_size: int = Field(description="0: no dimension is added to the dims")
    input: list[ConfiguredTensor] = Field(description="the tensors that it takes")
    output: list[ConfiguredTensor] = Field(description="the tensors that it answers")


class IndexedVersion(BaseModel):
    """A version that can be asked."""

    name: str = Field(description="the model's name")
    version: str = Field(description="the number of the version")
    state: Literal["READY"] = Field(description="every version can be asked at any time")
    reason: str = Field(description="always empty")


class Done(BaseModel):
    """An empty object: there is nothing to tell."""


class Duration(BaseModel):
    """Time that was spent."""

    count: int = Field(description="how often")
    ns: int = Field(description="nanoseconds, added up")


class InferenceStatistics(BaseModel):
    """The time that the steps of requests took."""

    success: Duration = Field(description="requests that were answered")
    fail: Duration = Field(description="requests to this version that were refused")
    queue: Duration = Field(description="waiting for a thread")
    compute_input: Duration = Field(description="reading the tensors")
    compute_infer: Duration = Field(description="the network")
    compute_output: Duration = Field(description="writing the answer")


class BatchStatistics(BaseModel):
    """The time that requests with this number of rows took."""

    batch_size: int = Field(description="rows")
    compute_input: Duration = Field(description="reading the tensors")
    compute_infer: Duration = Field(description="the network")
    compute_output: Duration = Field(description="writing the answer")


class VersionStatistics(BaseModel):
    """Statistics of a version."""

    name: str = Field(description="the model's name")
    version: str = Field(description="the number of the version")
    last_inference: int = Field(description="milliseconds since 1970")
    inference_count: int = Field(description="rows")
    execution_count: int = Field(description="requests")
    inference_stats: InferenceStatistics = Field(description="of all requests")
    batch_stats: list[BatchStatistics] = Field(description="of the batch sizes seen last")


class ModelStatistics(BaseModel):
    """Statistics of this process's inferences since it started."""

    model_stats: list[VersionStatistics] = Field(description="one of each version that was asked")
