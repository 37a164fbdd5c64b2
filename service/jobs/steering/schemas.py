"""The log of a job on the wire."""

from datetime import datetime

from pydantic import BaseModel, Field

from service.jobs.steering.records import Happening


class LogEntry(BaseModel):
    """One thing that happened to a job."""

    at: datetime = Field(description="the time of it")
    epoch: int | None = Field(description="epochs that were done; null before any")
    batch: int | None = Field(description="batches of the next epoch that were done; null where nobody knew")
    event: Happening = Field(description="its kind")
    detail: str = Field(description="a sentence for people")
