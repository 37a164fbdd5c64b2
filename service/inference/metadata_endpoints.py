"""The Open Inference Protocol besides inference: models, their tensors and their statistics."""

from importlib.metadata import version as version_of
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BeforeValidator, Field

from service.database.database import Database
from service.errors import invalid
from service.http.key_scopes import READ, TRAIN, needs
from service.http.long_json.text import parse_recipe
from service.http.problems import problems
from service.inference import metadata, schemas
from service.inference.activity import Activity
from service.inference.requests import digits
from service.models import records
from service.models.networks import Networks
from service.models.trained_network import TrainedNetwork
from service.resources import DatabaseOf, NetworksOf, StatisticsOf

router = APIRouter(prefix="/v2", tags=["inference protocol"])

EXTENSIONS = ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"]

Version = Annotated[int | None, BeforeValidator(digits), Field(ge=0, le=2**31 - 1, description="its number")]


@router.get("/health/live", summary="Is the process alive?")
@needs(READ)
async def live() -> schemas.ServerLife:
    """Answer as long as the process does."""
    return schemas.ServerLife(live=True)


@router.get("/health/ready", summary="Can it infer?", responses=problems(503))
@needs(READ)
def ready(database: DatabaseOf) -> schemas.ServerHealth:
    """Whether the database answers; every model is ready then."""
    database.check()
    return schemas.ServerHealth(live=True, ready=True)


@router.get("", summary="Describe the server")
@needs(READ)
async def describe_server() -> schemas.ServerMetadata:
    """The name, the version, and the extensions of the protocol that there are here."""
    return schemas.ServerMetadata(name="descent", version=version_of("descent"), extensions=EXTENSIONS)


@router.get("/models", summary="Name all models", responses=problems())
@needs(READ)
def name_models(database: DatabaseOf) -> schemas.ModelNames:
    """The names of all models, newest first."""
    with database.reading() as session:
        return schemas.ModelNames(models=list(records.names(session).values()))


@router.get("/models/stats", summary="Show what was inferred", responses=problems())
@needs(READ)
def show_all_statistics(statistics: StatisticsOf, database: DatabaseOf) -> schemas.ModelStatistics:
    """The statistics of every version that has inferred since the process started."""
    with database.reading() as session:
        names = {(model, number): name for model, name, number in records.index(session)}
    return schemas.ModelStatistics.model_validate({"model_stats": statistics.to_json(names)})


@router.get("/models/{model}", summary="Describe a model's tensors", responses=problems(404))
@router.get("/models/{model}/versions/{version}", summary="Describe a version's tensors", responses=problems(404))
@needs(READ)
def describe_model(
    model: str, database: DatabaseOf, networks: NetworksOf, version: Version = None
) -> schemas.ModelMetadata:
    """The tensors that a version takes and returns; the served version where none is named.

    A model that was trained on categories takes a tensor a column, named as the column. Every other takes one,
    `inputs`, with a row for each row. Where the columns are known either is taken, categories in `inputs` one-hot.
    """
    name, trained = _found(database, networks, model, version)
    with database.reading() as session:
        numbers = records.numbers(session, trained.model)
    return metadata.describe(name, numbers, trained)


@router.get("/models/{model}/ready", summary="Is a model ready?", responses=problems(404))
@router.get("/models/{model}/versions/{version}/ready", summary="Is a version ready?", responses=problems(404))
@needs(READ)
def model_ready(model: str, database: DatabaseOf, networks: NetworksOf, version: Version = None) -> schemas.ModelHealth:
    """Every version that exists is ready."""
    _found(database, networks, model, version)
    return schemas.ModelHealth(name=model, ready=True)


@router.get("/models/{model}/config", summary="Show a model's configuration", responses=problems(404))
@router.get("/models/{model}/versions/{version}/config", summary="Show a configuration", responses=problems(404))
@needs(READ)
def show_configuration(
    model: str, database: DatabaseOf, networks: NetworksOf, version: Version = None
) -> schemas.ModelConfiguration:
    """The tensors once more, in the form of Triton's model configuration."""
    name, trained = _found(database, networks, model, version)
    return metadata.configure(name, trained)


@router.get("/models/{model}/stats", summary="Show what a model inferred", responses=problems(404))
@router.get("/models/{model}/versions/{version}/stats", summary="Show what a version did", responses=problems(404))
@needs(READ)
def show_statistics(
    model: str, statistics: StatisticsOf, database: DatabaseOf, networks: NetworksOf, version: Version = None
) -> schemas.ModelStatistics:
    """Counts and nanoseconds since the process started: of each version that has inferred, or of the one named."""
    name, trained = _found(database, networks, model, version)
    with database.reading() as session:
        numbers = records.numbers(session, trained.model) if version is None else [version]
    found = statistics.to_json({(trained.model, number): name for number in numbers})
    idle = Activity().to_json(name, trained.version)
    return schemas.ModelStatistics.model_validate({"model_stats": found or [idle]})


@router.post("/repository/index", summary="List all versions of all models", responses=problems())
@needs(READ)
def list_versions(database: DatabaseOf) -> list[schemas.IndexedVersion]:
    """All models by name. All are ready, so `{"ready": true}` in a body changes nothing."""
    with database.reading() as session:
        found = records.index(session)
    return [
        schemas.IndexedVersion(name=name, version=str(number), state="READY", reason="") for _, name, number in found
    ]


@router.post("/repository/models/{model}/load", summary="Load a model", responses=problems(404, 413, 415))
@needs(READ)
async def load(request: Request, model: str, database: DatabaseOf, networks: NetworksOf) -> schemas.Done:
    """Load a model now, which otherwise happens when it is needed. A configuration cannot be given."""
    body = await request.body()
    asked = parse_recipe(body) if body.strip() else {}
    parameters = asked.get("parameters") if isinstance(asked, dict) else None
    for name in parameters if isinstance(parameters, dict) else {}:
        if name == "config" or name.startswith("file:"):
            detail = "A model is made by POST /api/models: neither its configuration nor its files can be given here."
            raise invalid("#/parameters", detail)
    await networks.find(database, model)
    return schemas.Done()


@router.post("/repository/models/{model}/unload", summary="Unload a model", responses=problems(404))
@needs(TRAIN)
def unload(model: str, database: DatabaseOf, networks: NetworksOf) -> schemas.Done:
    """Drop a model's versions from memory. It stays, and is loaded again when it is needed."""
    with database.reading() as session:
        networks.forget(records.find(session, model).id)
    return schemas.Done()


def _found(database: Database, networks: Networks, model: str, version: int | None) -> tuple[str, TrainedNetwork]:
    """Return a model's name and one of its versions, the served one where none is given."""
    with database.reading() as session:
        trained = networks.get(session, model, version)
        return records.find(session, trained.model).name, trained
