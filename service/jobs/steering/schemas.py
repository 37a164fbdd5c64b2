"""Steering on the wire: changes of a job, and the log of what happened to it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.http.query import Labels
from service.jobs.log.records import Happening
from service.jobs.recipe_schemas import MOST_FROZEN, Priority
from service.jobs.states import Wish
from service.wire import Number, Strict


class JobChanges(Strict):
    """Changes of a job; what is left out stays as it is."""

    rate: Annotated[
        Number | None,
        Field(gt=0, description="the rate from the next batch on, in place of a schedule; null changes nothing"),
    ] = None
    frozen: Annotated[
        list[str] | None,
        Field(
            max_length=MOST_FROZEN,
            description="the paths of all layers that rest from the next batch on, such as `layers.0`; `[]` thaws all",
        ),
    ] = None
    priority: Annotated[Priority | None, Field(description="its place among those that wait; null: as before")] = None

    labels: Labels = Field(default_factory=dict)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"rate": 0.05}, {"frozen": ["layers.0"]}, {"labels": {"team": "blue"}}]},
    )

    def wish(self) -> Wish:
        return Wish(self.rate, None if self.frozen is None else tuple(self.frozen))


class LogEntry(BaseModel):
    """One thing that happened to a job."""

    at: datetime = Field(description="the time of it")
    epoch: int | None = Field(description="epochs that were done; null before any")
    batch: int | None = Field(description="batches of the next epoch that were done; null where nobody knew")
    event: Happening = Field(description="its kind")
    detail: str = Field(description="a sentence for people")
