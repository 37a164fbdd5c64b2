"""The protocol's objects on the wire: models that read requests, and describe answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from service.http.long_json.lists import MOST_MEMBERS
from service.wire import PLAIN

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
Size = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]
Data = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "array",
            "items": {},
            "description": "the elements, row-major: flat, or nested by the shape; not for binary tensors",
        }
    ),
]


class Object(BaseModel):
    """An object of the protocol. Unknown members are ignored; null counts as absent."""

    model_config = ConfigDict(extra="ignore")


class InputParameters(Object):
    binary_data_size: Size | None = Field(None, description="bytes of this tensor behind the JSON")
    shared_memory_region: Text | None = Field(None, description="refused: no memory is shared here")


class RequestInput(Object):
    """A tensor that is sent: in `data`, or as bytes behind the JSON."""

    name: Text = Field(examples=["inputs"])
    shape: Annotated[list[Size], PLAIN] = Field(max_length=32, examples=[[2, 1]])
    datatype: Datatype
    parameters: InputParameters | None = None
    data: Data = None


class OutputParameters(Object):
    binary_data: Flag | None = Field(None, description="whether to answer it as bytes behind the JSON")
    classification: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = Field(
        None, description='answer this number of the highest of each row as texts, "value:index" or "value:index:label"'
    )
    shared_memory_region: Text | None = Field(None, description="refused: no memory is shared here")


class RequestOutput(Object):
    """A tensor that is wanted."""

    name: Text = Field(examples=["outputs"])
    parameters: OutputParameters | None = None


class RequestParameters(Object):
    binary_data_output: Flag | None = Field(None, description="whether to answer all outputs as bytes")


class InferenceRequest(Object):
    """Rows to compute, as tensors."""

    id: Text | None = Field(None, description="comes back with the answer")
    parameters: RequestParameters | None = None
    inputs: list[RequestInput] = Field(min_length=1, max_length=MOST_MEMBERS)
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
    name: str
    datatype: Datatype
    shape: list[int]
    parameters: dict[str, int] | None = Field(None, description="`binary_data_size` of a binary tensor")
    data: Data = None


class InferenceResponse(BaseModel):
    model_name: str = Field(description="as it stood in the path")
    model_version: str
    id: str | None = Field(None, description="that of the request, where it had one")
    outputs: list[ResponseOutput]


class TensorMetadata(BaseModel):
    name: str
    datatype: Datatype
    shape: list[int] = Field(description="-1: any number of rows", examples=[[-1, 4]])


class ModelMetadata(BaseModel):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    name: str
    version: str
    extensions: list[str]


class ServerHealth(BaseModel):
    live: bool
    ready: bool


class ServerLife(BaseModel):
    live: bool


class ModelHealth(BaseModel):
    name: str
    ready: bool


class ModelNames(BaseModel):
    models: list[str]


class ConfiguredTensor(BaseModel):
    name: str
    data_type: str = Field(examples=["TYPE_FP32"])
    dims: list[int]


class ModelConfiguration(BaseModel):
    """A model as Triton configures one; the dims include that of the rows."""

    name: str
    platform: str
    backend: str
    version_policy: dict[str, dict[str, Any]]
    max_batch_size: int = Field(description="0: no dimension is added to the dims")
    input: list[ConfiguredTensor]
    output: list[ConfiguredTensor]


class IndexedVersion(BaseModel):
    name: str
    version: str
    state: Literal["READY"]
    reason: str


class Duration(BaseModel):
    count: int
    ns: int = Field(description="nanoseconds, added up")


class InferenceStatistics(BaseModel):
    success: Duration = Field(description="requests that were answered")
    fail: Duration = Field(description="requests to this version that were refused")
    queue: Duration = Field(description="waiting for a thread")
    compute_input: Duration = Field(description="reading the tensors")
    compute_infer: Duration = Field(description="the network")
    compute_output: Duration = Field(description="writing the answer")


class BatchStatistics(BaseModel):
    batch_size: int = Field(description="rows")
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration


class VersionStatistics(BaseModel):
    name: str
    version: str
    last_inference: int = Field(description="milliseconds since 1970")
    inference_count: int = Field(description="rows")
    execution_count: int = Field(description="requests")
    inference_stats: InferenceStatistics
    batch_stats: list[BatchStatistics] = Field(description="of the batch sizes seen last")


class ModelStatistics(BaseModel):
    """Statistics of this process's inferences since it started."""

    model_stats: list[VersionStatistics]
