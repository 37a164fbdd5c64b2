"""Predictions as usually written with FastAPI, and an endpoint that only reads its body and answers {}.

The weights are those that the environment variable WEIGHTS leads to.
"""

import os
from typing import Any

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel


class Rows(BaseModel):
    inputs: list[list[float]]


def create_app() -> FastAPI:
    weights = {name: array.astype(np.float32) for name, array in np.load(os.environ["WEIGHTS"]).items()}
    app = FastAPI()

    def outputs(rows: Any) -> np.ndarray[Any, Any]:
        hidden = np.maximum(np.array(rows, np.float32) @ weights["first"] + weights["bias"], 0)
        return np.asarray(hidden @ weights["second"] + weights["last"])

    @app.post("/read")
    async def read(request: Request) -> dict[str, str]:
        await request.body()
        return {}

    @app.post("/orjson")
    async def by_orjson(request: Request) -> Response:
        rows = orjson.loads(await request.body())["inputs"]
        answer = orjson.dumps({"outputs": outputs(rows)}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(answer, media_type="application/json")

    @app.post("/pydantic")
    async def by_pydantic(rows: Rows) -> dict[str, list[list[float]]]:
        return {"outputs": outputs(rows.inputs).tolist()}

    return app
