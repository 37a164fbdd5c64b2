"""A question to a model: rows as a client sent them, and all that tells how they are to be read."""

import sys
from typing import NamedTuple

from service.datasets.formats.media_types import MediaType
from service.http import media_types
from service.predictions.offload import SMALL, TEXT
from service.predictions.query import NOTHING, Asked

_BINARY = (media_types.NPY, media_types.ARROW)
_SLOW_TO_BEGIN = {MediaType.ARROW_STREAM, MediaType.ARROW_FILE, MediaType.PARQUET}
"""Forms for which pyarrow has to be loaded first."""


class Question(NamedTuple):
    """Rows as the client sent them, and the media type of the answer."""

    media_type: str
    body: bytes
    limit: int
    """Bytes that a body may have, also where it is packed."""
    wanted: str
    query: Asked = NOTHING
    content_type: str = ""
    """As the sender wrote it, with what it tells of a text."""

    @property
    def size(self) -> int:
        """The work that it asks for, in bytes; much, where pyarrow has to be loaded first."""
        forms = {self.media_type, self.wanted}
        if media_types.CSV in forms or (forms & _SLOW_TO_BEGIN and "pyarrow" not in sys.modules):
            return SMALL
        return len(self.body) * (1 if self.media_type in _BINARY else TEXT)
