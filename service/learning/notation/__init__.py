"""Flux's notation for layers, read and written."""

from service.learning.notation.reader import read
from service.learning.notation.writer import write, write_activation

__all__ = ["read", "write", "write_activation"]
