"""The rows that a worker leaves, for tests without a server."""

from service.engine.workspace import Workspace
from service.jobs import operations, records
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.models import records as models


def shown(workspace: Workspace, job: str) -> JobRecord:
    return operations.show(workspace.database, job)


def result(workspace: Workspace, job: str) -> tuple[bytes, list[tuple[int, float]]]:
    """The parameters of a job's version, and its losses."""
    with workspace.database.reading() as session:
        record = records.find(session, job)
        assert record.version is not None
        kept = reports.read(session, job, 0, 1000)
        losses = [(each["epoch"], each["train_loss"]) for each in kept.to_json()]
        return models.version(session, record.model_id, record.version).parameters, losses
