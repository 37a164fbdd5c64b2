"""The OpenAPI description of endpoints that read their requests themselves."""

from typing import Any

from pydantic import TypeAdapter

from service.datasets.formats.media_types import MediaType
from service.datasets.ingest.options import StreamedOptions
from service.http.json_numbers import JsonObject
from service.http.media_types import ARROW, CSV, JSON, NPY, TSV
from service.predictions.query import WORDS
from service.predictions.schemas import Invocation, NewPrediction
from service.wire import EpochNumber, VersionNumber

REFERENCES = "#/components/schemas/{model}"
MODEL: JsonObject = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}


def _query(name: str, shape: Any, description: str) -> JsonObject:
    schema = TypeAdapter(shape).json_schema()
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


WHICH = [
    MODEL,
    _query("version", VersionNumber, "the served one where it is left out"),
    _query("epoch", EpochNumber, "the parameters that the version's job had kept at the end of this epoch"),
]


def _word(name: str) -> JsonObject:
    """Describe a parameter that files of rows share with uploads."""
    schema: JsonObject = StreamedOptions.model_json_schema()["properties"][name]
    schema = {**next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), {}), **schema}
    description = schema.pop("description")
    plain = {key: value for key, value in schema.items() if key not in ("anyOf", "title") and value is not None}
    return {"name": name, "in": "query", "required": False, "schema": plain, "description": description}


ASKED = [*WHICH, *map(_word, WORDS)]
ROWS = {"schema": {"type": "string"}, "example": "x\n6\n7\n"}
BINARY = {"schema": {"type": "string", "format": "binary"}}
PREDICTION: JsonObject = {
    "parameters": ASKED,
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": NewPrediction.model_json_schema(ref_template=REFERENCES)},
            CSV: ROWS,
            TSV: ROWS,
            ARROW: BINARY,
            MediaType.ARROW_FILE: BINARY,
            MediaType.PARQUET: BINARY,
            NPY: BINARY,
        },
    },
}
PREDICTIONS: dict[int | str, JsonObject] = {
    200: {
        "description": "The network's outputs for each row",
        "headers": {
            "Descent-Model": {
                "description": "the model's id, where it is not in the body",
                "schema": {"type": "string"},
            },
            "Descent-Version": {"description": "the version that was asked", "schema": {"type": "integer"}},
        },
        "content": {CSV: {"schema": {"type": "string"}}, ARROW: BINARY, NPY: BINARY},
    }
}
READINESS: JsonObject = {"parameters": [MODEL]}
INVOCATION: JsonObject = {
    "parameters": ASKED,
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": Invocation.model_json_schema(ref_template=REFERENCES)},
            CSV: ROWS,
            TSV: ROWS,
        },
    },
}
