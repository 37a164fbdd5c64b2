"""The forms, beside JSON, in which a dataset comes and goes."""

from enum import StrEnum

from service import media_types


class MediaType(StrEnum):
    CSV = media_types.CSV
    PARQUET = "application/vnd.apache.parquet"
    ARROW_STREAM = media_types.ARROW
    ARROW_FILE = "application/vnd.apache.arrow.file"
    NPZ = "application/x-npz"
    NPY = media_types.NPY
