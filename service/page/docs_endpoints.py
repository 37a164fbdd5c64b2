"""The interactive documentation at /docs, which needs nothing from the internet."""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from service.http.key_scopes import Scope, needs
from service.page.headers import PAGE_HEADERS

SWAGGER_UI = Path(__file__).parent / "swagger-ui"


def add_docs(app: FastAPI, scope: Scope) -> None:
    """Serve the OpenAPI document and Swagger UI to keys of a scope."""

    @app.get("/openapi.json", include_in_schema=False)
    @needs(scope)
    def document() -> Response:
        return JSONResponse(app.openapi())

    app.mount("/docs/assets", needs(scope)(StaticFiles(directory=SWAGGER_UI)), name="swagger-ui")

    @app.get("/docs", include_in_schema=False)
    @needs(scope)
    async def docs() -> Response:
        return FileResponse(SWAGGER_UI / "docs.html", headers=PAGE_HEADERS)
