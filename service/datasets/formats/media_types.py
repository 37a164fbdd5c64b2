"""The media types, beside JSON, of uploads and exports of a dataset, and of rows to predict."""

from enum import StrEnum

from service.http import media_types


class MediaType(StrEnum):
    CSV = media_types.CSV
    PARQUET = "application/vnd.apache.parquet"
    ARROW_STREAM = media_types.ARROW
    ARROW_FILE = "application/vnd.apache.arrow.file"
    NPZ = "application/x-npz"
    NPY = media_types.NPY


ALIASES = {"application/npz": MediaType.NPZ, media_types.TSV: MediaType.CSV}
"""Other media types of bodies, and those as which they are read."""
ANY_FORM = ("application/octet-stream", "application/zip")
"""Media types that leave the form of a body open."""
GZIP = ("application/gzip", "application/x-gzip")
"""Media types that name the packing of a body, and not its content."""


def read_as(content_type: str) -> str:
    """Return the media type as which a body with this Content-Type is read."""
    name = media_types.name_of(content_type)
    return ALIASES.get(name, name)
