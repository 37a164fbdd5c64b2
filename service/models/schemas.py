"""Models on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from typing_extensions import TypeAliasType

from service.datasets.columns import Kind
from service.datasets.schemas import ReadDates
from service.http.long_json.lists import MOST_MEMBERS, LongList
from service.http.query import GivenLabels, Labels
from service.learning.losses import Link
from service.models.records import Serve
from service.vocabulary.schemas import LayerShape
from service.wire import (
    PLAIN,
    WHOLE,
    Advice,
    DescribedAs,
    Dtype,
    EpochNumber,
    Name,
    Reference,
    Seed,
    Shared,
    Strict,
    VersionNumber,
    from_float,
)

LONGEST_ARCHITECTURE = 100_000
"""Characters."""

OneLayer: Any = TypeAliasType("LayerParameters", "dict[str, list[float] | list[list[float]] | list[OneLayer]]")
"""The arrays of a layer by name, or the objects of the layers inside."""

LayerParameters = Annotated[
    list[dict[str, Any]],
    BeforeValidator(lambda value: value.whole() if isinstance(value, LongList) else value),
    Field(max_length=MOST_MEMBERS),
    DescribedAs(list[OneLayer]),
    Field(
        description="one object a layer, in order: weight (out × in) and bias (out) of a Dense, {} for a layer "
        'without any, {"layers": [...]} for a container'
    ),
]


class ModelOrigin(Strict):
    """A version of a model, as the source of a new model's network and parameters."""

    model: Annotated[Reference, Field(description="an id or a name")]
    version: Annotated[
        VersionNumber | None, Field(strict=True, description="of the model; null: the latest"), WHOLE
    ] = None
    epoch: Annotated[
        EpochNumber | None, Field(strict=True, description="one that the version's job has kept"), WHOLE
    ] = None


class JobOrigin(Strict):
    """A job that broke off, as the source of a new model's network and parameters."""

    job: Annotated[str, Field(strict=True, max_length=100, description="a failed or cancelled one")]


def _of_one_source(value: Any) -> Any:
    """Refuse two sources and none, in one sentence: a union would answer one for each member. Null counts as absent."""
    if not isinstance(value, dict):
        return value
    given = {name: each for name, each in value.items() if each is not None}
    if ("model" in given) == ("job" in given):
        raise ValueError('give either "model" or "job"')
    if "job" in given and not given.keys().isdisjoint(("version", "epoch")):
        raise ValueError('"version" and "epoch" are of a model, and this is a job')
    return given


def _class_of(value: Any) -> str:
    return JobOrigin.__name__ if isinstance(value, dict) and "job" in value else ModelOrigin.__name__


Origin = Annotated[
    Annotated[ModelOrigin, Tag(ModelOrigin.__name__)] | Annotated[JobOrigin, Tag(JobOrigin.__name__)],
    Discriminator(_class_of),
    BeforeValidator(_of_one_source),
]


class NewModel(Strict):
    """A network, in Flux's notation or as a list of layers, with parameters by seed or as given; or a copy of one."""

    name: Annotated[Name | None, Field(description="unique; without one the id serves")] = None
    architecture: Annotated[
        str,
        Field(
            strict=True,
            min_length=1,
            max_length=LONGEST_ARCHITECTURE,
            description="Flux's notation; with `dataset`, `_` stands for a width that the dataset gives, and `auto` "
            "asks for a network that suits it",
            examples=["Dense(1 => 1)"],
        ),
    ] = ""
    layers: Annotated[
        list[LayerShape], PLAIN, Field(min_length=1, description="instead of `architecture`", default_factory=list)
    ]
    dataset: Annotated[
        Reference | None, Field(description="a dataset, by id or name, that gives widths and that the network fits")
    ] = None
    seed: Seed = 0
    dtype: Dtype = "float32"
    parameters: Annotated[
        LayerParameters | None, Field(description="the first parameters, one object a layer; null: drawn by the seed")
    ] = None
    from_: Annotated[
        Origin | None, Field(alias="from", description="instead of `architecture`, with its parameters and dtype")
    ] = None
    labels: Labels = Field(default_factory=dict)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "straight", "architecture": "Dense(1 => 1)"},
                {"architecture": "Chain(Dense(4 => 16, tanh), Dense(16 => 3))", "seed": 1},
                {"architecture": "Chain(Dense(_ => 16, tanh), Dense(16 => _))", "dataset": "line"},
                {"architecture": "auto", "dataset": "line"},
                {"layers": [{"type": "Dense", "in": 1, "out": 1}], "parameters": [{"weight": [[4]], "bias": [2]}]},
                {"from": {"model": "straight", "version": 0}},
            ]
        },
    )

    @model_validator(mode="after")
    def _one_form(self) -> "NewModel":
        if sum(map(bool, (self.architecture, self.layers, self.from_))) != 1:
            raise ValueError('give the network in one form: "architecture", "layers" or "from"')
        if self.from_ is not None and (more := self.model_fields_set - {"name", "labels", "from_"}):
            raise ValueError(f'"from" brings its own {min(more)}: leave it out')
        return self


class UploadedModel(Strict):
    """Facts about a file of parameters, sent in place of JSON, that it does not hold itself."""

    name: Annotated[Name | None, Field(description="of the model; without one the id serves")] = None
    architecture: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_ARCHITECTURE, description="of a file; where it does not name its own"),
    ] = None
    dtype: Annotated[Dtype | None, Field(description="of a file; that of its tensors where it is left out")] = None
    labels: GivenLabels


def _read_serving(value: Any) -> Any:
    """Refuse what is neither the word nor a number, in one sentence: a union would answer one for each member."""
    value = from_float(value)
    if value != "latest" and (type(value) is not int or not 0 <= value < 2**31):
        raise ValueError('give "latest" or the number of a version')
    return value


Serving = Annotated[
    Literal["latest"] | VersionNumber,
    BeforeValidator(_read_serving),
    Field(
        description='the version that answers where none is named: a number, or "latest", the newest one that its job '
        "did not refuse"
    ),
]


class ModelChange(Strict):
    """Changes of a model; what is left out stays as it is."""

    name: Name = Field(default_factory=str)
    serving: Serving = Field(default_factory=lambda: "latest")
    labels: Labels = Field(default_factory=dict)
    shared: Shared = False

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"serving": 0},
                {"serving": "latest"},
                {"labels": {"team": "blue"}},
                {"shared": True},
                {"name": "straighter"},
            ],
            "minProperties": 1,
        },
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "ModelChange":
        if not self.model_fields_set:
            raise ValueError('give "name", "serving", "labels" or "shared"')
        return self


class NewParameters(Strict):
    """The parameters of a new version."""

    layers: LayerParameters

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"layers": [{"weight": [[0.9066542]], "bias": [0]}]}]}
    )


class SignatureColumn(BaseModel):
    """A column of the data that a model was trained on."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="as the dataset has it")
    kind: Kind = Field(description="of its values")
    width: int = Field(description="inputs or outputs that it takes")
    categories: list[str] | None = Field(description="in the order of these; null for numbers")


class SignatureFeature(SignatureColumn):
    """A column that is an input."""

    min: float | None = Field(description="in the training part; null for categories")
    max: float | None = Field(description="in the training part; null for categories")
    fill: float | None = Field(
        description="the substitute for a missing value, a number or the index of a category; null: none may be missing"
    )
    dates: ReadDates = None


class ModelSignature(BaseModel):
    """The data that a model was trained on, in the order of its inputs and outputs."""

    model_config = ConfigDict(from_attributes=True)

    features: list[SignatureFeature] = Field(description="the columns that are inputs, in order")
    targets: list[SignatureColumn] = Field(description="the columns that were learnt, in the order of the outputs")
    link: Link | None = Field(
        description="the function that makes class probabilities of outputs; null where there is none"
    )
    weights: str | None = Field(description="the column with the weight of each row; null without one")
    left_out: list[str] = Field(
        description="other columns that training left out: ignored ones, the one with the part, those that a later "
        "dataset had beside; predictions skip them, and weights and targets too"
    )


class Model(BaseModel):
    """A network's architecture; its parameters are in its numbered versions."""

    id: str = Field(description="its id")
    name: str = Field(description="its name, by default the id")
    architecture: str = Field(description="the network in Flux's notation")
    layers: Annotated[list[dict[str, Any]], DescribedAs(list[LayerShape])] = Field(
        description="the network as a list of layers"
    )
    parameter_count: int = Field(description="numbers that the network is made of")
    version: int = Field(description="the latest")
    versions: int = Field(description="number of versions")
    serving: Serving
    served: int = Field(description="the number of the version that answers where none is named")
    dtype: Dtype
    signature: ModelSignature | None = Field(description="of the served version; null where its data are not known")
    labels: Labels
    advice: list[Advice] = Field(default=[], description="told once, when it is made: the reason for what was chosen")
    owner: str = Field(description="whom it belongs to: the owner of the key that made it")
    shared: bool = Field(description="whether other owners may read and use it, by its id")
    created_at: datetime = Field(description="when it was made")


class Version(BaseModel):
    """One immutable set of parameters."""

    version: int = Field(description="its number")
    job: str | None = Field(description="the job that made it")
    serve: Serve = Field(description="the wish of that job; always where there was none")
    refused: bool = Field(description='whether the job refused it: "latest" passes over it')
    served: bool = Field(description="whether it answers where no version is named")
    epochs: list[int] = Field(
        description="those whose parameters the job has kept (`keep_every`, `refit`), for `?epoch=`"
    )
    created_at: datetime = Field(description="when it was added")


class Parameters(BaseModel):
    """The parameters of one version."""

    version: int = Field(description="the number of the version")
    layers: LayerParameters
