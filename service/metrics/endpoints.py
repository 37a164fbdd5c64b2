"""The metrics of the tables over HTTP."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.http.key_scopes import METRICS, needs
from service.http.problems import problems
from service.resources import resources_of

router = APIRouter()

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class MetricsText(Response):
    """Metrics in the text format of Prometheus."""

    media_type = "text/plain"


@router.get(
    "/metrics",
    tags=["health"],
    summary="Metrics for Prometheus",
    response_class=MetricsText,
    responses=problems(),
)
@needs(METRICS)
def metrics(request: Request) -> Response:
    """Jobs by state, the age of the queue, what was ever done, engine, database and storage.

    They are those of the whole service; HTTP metrics are each replica's own, on `DESCENT_METRICS_PORT`.
    """
    from prometheus_client.exposition import generate_latest  # here: it takes a tenth of a second

    from service.metrics.tables import registry_of

    return Response(generate_latest(registry_of(resources_of(request))), media_type=TEXT)
