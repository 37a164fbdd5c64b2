"""A network as an ONNX model: from `inputs` (rows × inputs) to `outputs` (rows × outputs), in test mode."""

from collections.abc import Mapping

from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info, set_model_props

from service.errors import invalid
from service.http.json_numbers import Array
from service.learning.network import Network
from service.models.files.onnx.graph import OPSET, Graph, Value
from service.models.files.onnx.layers import Layers

IR_VERSION = 8
"""The version of the file format that belongs to the opset."""
MOST_BYTES = (1 << 31) - (1 << 24)
"""Bytes of parameters: no protobuf message is larger than 2 GiB."""
INPUTS, OUTPUTS = "inputs", "outputs"


def write(network: Network, vector: Array, metadata: Mapping[str, str]) -> bytes:
    """The file of a network with these parameters.

    Raises:
        Invalid: a layer or activation has no form in ONNX, or the parameters are too large for the format.
    """
    if vector.nbytes > MOST_BYTES:
        raise invalid("query/format", "These parameters are larger than the 2 GB that an ONNX file holds.", "too_large")
    graph = Graph(network.dtype)
    last = Layers(graph, vector).sequence(network.outer_layers, Value(graph, INPUTS))
    nodes = [*graph.nodes, make_node("Identity", [last.name], [OUTPUTS], OUTPUTS)]
    inputs = make_tensor_value_info(INPUTS, graph.element_type, ["rows", network.inputs])
    outputs = make_tensor_value_info(OUTPUTS, graph.element_type, ["rows", network.outputs])
    model = make_model(
        make_graph(nodes, "network", [inputs], [outputs], list(graph.constants.values())),
        opset_imports=[make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="descent",
    )
    set_model_props(model, dict(metadata))
    written: bytes = model.SerializeToString(deterministic=True)
    return written
