"""Layers written in Flux's notation, in the one canonical way."""

from __future__ import annotations

from typing import Any

from service.learning.initialisations import Init
from service.learning.layers import Layer
from service.learning.layers.activations import Activation
from service.learning.terms import Term, fields_of, wire_name

EXPRESSION = "expression"


def write(layer: Layer) -> str:
    """Write a layer in the one canonical way: values equal to their defaults are left out."""
    if isinstance(layer, Activation):
        return write_activation(layer)
    values = [(field, getattr(layer, field.name)) for field in fields_of(layer)]
    positional = [(field, value) for field, value in values if not field.kw_only]
    while positional and positional[-1][1] == positional[-1][0].default:
        positional.pop()
    texts = [write_value(value) for _, value in positional]
    if [field.name for field, _ in positional[:2]] == ["in_", "out"]:
        texts[:2] = [" => ".join(texts[:2])]
    keywords = write_keywords(layer)
    return f"{layer.name}({', '.join(texts)}{'; ' * bool(keywords)}{keywords})"


def write_activation(activation: Activation) -> str:
    values = [getattr(activation, field.name) for field in fields_of(activation)]
    if activation.name == EXPRESSION:
        return f"x -> {values[0]}"
    if activation == type(activation)():
        return activation.name
    return f"x -> {activation.name}({', '.join(['x', *map(write_value, values)])})"


def write_keywords(term: Term, *, also_positional: bool = False) -> str:
    chosen = [field for field in fields_of(term) if field.kw_only or also_positional]
    changed = [
        (field.name, getattr(term, field.name)) for field in chosen if getattr(term, field.name) != field.default
    ]
    return ", ".join(f"{wire_name(name)}={write_value(value)}" for name, value in changed)


def write_value(value: Any) -> str:
    match value:
        case Layer():
            return write(value)
        case Init():
            keywords = write_keywords(value, also_positional=True)
            return f"{value.name}({keywords})" if keywords else value.name
        case bool():
            return str(value).lower()
        case float():
            return repr(value).removesuffix(".0")
        case tuple() if all(isinstance(item, Layer) for item in value):
            return ", ".join(map(write, value))
        case tuple():
            return f"[{', '.join(map(write_value, value))}]"
    return str(value)
