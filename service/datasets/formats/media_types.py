"""The forms, beside JSON, in which a dataset comes and goes."""

from enum import StrEnum

from service.http import media_types


class MediaType(StrEnum):
    CSV = media_types.CSV
    PARQUET = "application/vnd.apache.parquet"
    ARROW_STREAM = media_types.ARROW
    ARROW_FILE = "application/vnd.apache.arrow.file"
    NPZ = "application/x-npz"
    NPY = media_types.NPY


ALIASES = {"application/npz": MediaType.NPZ}
"""Other names of these forms, as bodies come under them."""
ANY_FORM = ("application/octet-stream", "application/zip")
"""Media types that leave open what a body is."""
GZIP = ("application/gzip", "application/x-gzip")
"""Media types that name the packing of a body, and not its content."""
