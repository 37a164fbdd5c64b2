"""Shapes of evaluations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from service.datasets.schemas import NewNames
from service.jobs.recipe_schemas import AnyRecipe
from service.jobs.schemas import EpochReport, Receipt
from service.vocabulary.schemas import LossShape
from service.wire import WHOLE, DescribedAs, EpochNumber, PartName, Reference, Seed, Strict, VersionNumber


class Repeats(Strict):
    """The permutations of each column."""

    repeats: Annotated[
        int, Field(strict=True, ge=1, le=100, description="how often each column is dealt out anew"), WHOLE
    ] = 5
    seed: Seed = 0


Importance = Annotated[
    Annotated[bool, Field(strict=True), Tag("whether")] | Annotated[Repeats, Tag("how often")],
    Discriminator(lambda value: "how often" if isinstance(value, dict | Repeats) else "whether"),
]


class NewEvaluation(Strict):
    """An evaluation of a version on a part of a dataset."""

    dataset: Annotated[Reference, Field(description="the dataset to judge on, by its id or name")]
    part: Annotated[PartName, Field(description="the part to judge on")] = "test"
    version: Annotated[VersionNumber | None, Field(strict=True, description="null: the served one"), WHOLE] = None
    epoch: Annotated[
        EpochNumber | None,
        Field(strict=True, description="the parameters that the version's job had kept at the end of this epoch"),
        WHOLE,
    ] = None
    loss: Annotated[LossShape | None, Field(description="null: that of its training; mse where there was none")] = None
    rename: NewNames = Field(
        default_factory=dict,
        description="names that the version has for columns of the dataset, by their own",
        examples=[{"temp": "temperature"}],
    )
    residuals: Annotated[
        int, Field(strict=True, ge=0, le=1000, description="number of the rows that are farthest off to list"), WHOLE
    ] = 0

    importance: Annotated[
        Importance,
        Field(description="whether to tell what the loss rises by when a column is dealt out anew, and how often"),
    ] = False

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"dataset": "line", "part": "test"},
                {"dataset": "line", "importance": {"repeats": 5, "seed": 0}},
            ]
        },
    )

    @property
    def permutations(self) -> tuple[int, int] | None:
        """The repeats and the seed of the importance that is asked for."""
        if not self.importance:
            return None
        wanted = Repeats() if self.importance is True else self.importance
        return wanted.repeats, wanted.seed


class Residual(BaseModel):
    """A row, and the error of its outputs."""

    row: int = Field(description="its number in the uploaded data")
    outputs: list[float | None] = Field(description="raw; null where they overflow")
    targets: Annotated[list[Any], DescribedAs(list[float | bool | str | None])] = Field(
        description="numbers, and the labels of classes"
    )
    residual: float | None = Field(
        description="the largest of its targets: the distance from a number, or 1 less the score of the true class"
    )


class RegressionMetrics(BaseModel):
    """Metrics of numbers; null where one is not defined for these rows."""

    mse: float | None = Field(description="the mean of the squared errors")
    rmse: float | None = Field(description="the root of the mse")
    mae: float | None = Field(description="the mean of the absolute errors")
    r2: float | None = Field(description="1 - Σ e² / Σ (y - ȳ)², as a mean over outputs")
    max_error: float | None = Field(description="the largest absolute error")
    explained_variance: float | None = Field(description="1 - Σ (e - ē)² / Σ (y - ȳ)², as a mean over outputs")


class ClassAverages(BaseModel):
    """Means over the classes that are true or predicted somewhere."""

    precision: float = Field(description="of the rows predicted as a class, the share that is right")
    recall: float = Field(description="of the rows of a class, the share that is predicted so")
    f1: float = Field(description="the harmonic mean of precision and recall")


class ClassMetrics(ClassAverages):
    """Metrics of one class."""

    class_: str | bool = Field(alias="class", description="the class")
    support: int = Field(description="rows of this class")


class ClassificationMetrics(BaseModel):
    """Metrics of classes."""

    accuracy: float = Field(description="the share of rows whose likeliest class is the true one")
    log_loss: float | None = Field(description="the mean of -log p, p of the true class; null without probabilities")
    roc_auc: float | None = Field(description="the area under the ROC curve; of several classes, a mean")
    macro: ClassAverages = Field(description="means over classes")
    per_class: list[ClassMetrics] = Field(description="one of each class, in order")
    confusion_matrix: list[list[int]] = Field(description="rows are true classes, columns predicted ones")


AnyMetrics = RegressionMetrics | ClassificationMetrics | dict[str, RegressionMetrics | ClassificationMetrics]


class ColumnImportance(BaseModel):
    """The rise of the loss when the values of a column are dealt out anew among the rows."""

    column: str = Field(description="its name")
    mean: float | None = Field(description="over repeats; null where a loss overflows")
    std: float | None = Field(description="the standard deviation over repeats, with their number as divisor")


class ReliabilityStep(BaseModel):
    """A step of a reliability curve."""

    expected: float = Field(description="the mean probability of the labels, or the level of the intervals")
    observed: float = Field(description="the share of right labels, or of true values inside")
    rows: int = Field(description="rows that it is a share of")


Curve = list[ReliabilityStep]


class Evaluation(BaseModel):
    """The loss and metrics of a version on a part of a dataset."""

    id: str = Field(description="its id")
    model: str = Field(description="the model's id")
    version: int = Field(description="the number of the version")
    epoch: int | None = Field(description="of the parameters that the version's job had kept; null: the version's own")
    dataset: str = Field(description="the dataset's id")
    part: PartName
    loss: float | None = Field(description="null where it overflows; it counts weights, and metrics do not")
    metrics: Annotated[dict[str, Any], DescribedAs(AnyMetrics)] = Field(
        description="of numbers: mse, rmse, mae, r2, max_error, explained_variance; of classes: accuracy, log_loss, "
        "roc_auc, macro averages, per_class and confusion_matrix (rows are true classes); where there are several "
        "targets and one of them is a class, an object of these for each target, under its name"
    )
    residuals: list[Residual] | None = Field(description="the rows that are farthest off, worst first")
    rows: int = Field(description="rows of the part")
    importance: list[ColumnImportance] | None = Field(
        description="of the version's columns, the largest first, where it was asked for: from at most 100,000 rows"
    )
    coverage: float | dict[str, float | None] | None = Field(
        description="the share of rows whose true value lies in the interval or set of level 0.9; by name where there "
        "are several targets; null where the version has no or too few rows of calibration"
    )
    calibration_error: float | dict[str, float | None] | None = Field(
        description="the mean distance of `observed` from `expected` in `reliability`, by rows"
    )
    reliability: Curve | dict[str, Curve] | None = Field(
        description="of classes, the probabilities of labels, in ten bins; of numbers, the levels of intervals; by "
        "name where there are several targets; null where the version has neither intervals nor probabilities"
    )
    created_at: datetime = Field(description="when it was made")


class EffectOf(BaseModel):
    """A column that is set, and its values."""

    column: str = Field(description="its name")
    values: list[float | bool | str] = Field(description="numbers, or the labels of categories")


class Effect(BaseModel):
    """Mean outputs of a version over rows in which one or two columns are set to value after value."""

    model: str = Field(description="the model's id")
    version: int = Field(description="the number of the version")
    dataset: str = Field(description="the dataset's id")
    part: PartName
    rows: int = Field(description="rows that were averaged over")
    features: list[EffectOf] = Field(description="the columns that were set")
    outputs: list[list[float] | list[list[float]]] = Field(
        description="means of the raw outputs: for each value of the first column, and for each of the second where "
        "there is one, a list of all outputs"
    )


class Trained(BaseModel):
    """The training of a version."""

    version: int = Field(description="the version that it added")
    job: str = Field(description="the job's id")
    dataset: str = Field(description="the dataset's id")
    initial_loss: float | None = Field(description="of the training part, before it began")
    final_loss: float | None = Field(description="of the training part, of the version that it added")
    epochs: int = Field(description="passes that it made")
    recipe: AnyRecipe = Field(description="everything that decided the result")
    curve: list[EpochReport] = Field(description="thinned, peaks kept")
    receipt: Receipt | None = Field(description="all that another training needs to produce the same bytes")


class Metrics(BaseModel):
    """The trainings and evaluations of a model."""

    model: str = Field(description="the model's id")
    trainings: list[Trained] = Field(description="newest version first")
    next_trainings: str | None = Field(description="goes into `?after_training=`; null at the end")
    evaluations: list[Evaluation] = Field(description="newest first")
    next_evaluations: str | None = Field(description="goes into `?after_evaluation=`; null at the end")
