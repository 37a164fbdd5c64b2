"""Layers: Dense, containers, normalisation, dropout, and every activation."""

from service.learning.layers.containers import DEEPEST, Chain, Connection, Container, Parallel, SkipConnection
from service.learning.layers.dense import Dense
from service.learning.layers.dropout import Dropout
from service.learning.layers.layer import LAYERS, ArchitectureError, Layer, Node, ParameterSlot, Placement, Shape, nodes
from service.learning.layers.normalisation import BatchNorm, LayerNorm, Normalisation
from service.learning.layers.tape import NOTHING, Action, Signal, Tape

__all__ = [
    "DEEPEST",
    "LAYERS",
    "NOTHING",
    "Action",
    "ArchitectureError",
    "BatchNorm",
    "Chain",
    "Connection",
    "Container",
    "Dense",
    "Dropout",
    "Layer",
    "LayerNorm",
    "Node",
    "Normalisation",
    "Parallel",
    "ParameterSlot",
    "Placement",
    "Shape",
    "Signal",
    "SkipConnection",
    "Tape",
    "nodes",
]
