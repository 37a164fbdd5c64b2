"""Files of parameters that clients send: recognised by their first bytes, whatever their names."""

from service.errors import invalid, unread
from service.models.files import npz, safetensors
from service.models.files.tensors import TensorFile

MEDIA_TYPES = (
    "application/safetensors",
    "application/x-safetensors",
    "application/npz",
    "application/x-npz",
    "application/zip",
    "application/octet-stream",
)
PICKLE = b"\x80"
"""The first byte of every pickle since protocol 2."""


def read(media_type: str, body: bytes) -> TensorFile:
    """Read a body, safetensors or npz.

    Raises:
        WrongFormat: another content type.
        Invalid: it is neither, is broken, or is a pickle.
    """
    if media_type not in MEDIA_TYPES:
        raise unread("This body is", ("application/json", *MEDIA_TYPES), media_type)
    if body.startswith(npz.MAGIC):
        return npz.read(body)
    if safetensors.is_one(body):
        return safetensors.read(body)
    if body.startswith(PICKLE):
        raise invalid("#", "This looks like a pickle, which can run code: send safetensors or npz.", "pickle_refused")
    raise invalid("#", "This is neither a safetensors nor an npz file.", "malformed")
