"""Jobs whose rows an earlier version wrote, with fewer fields in their JSON."""

import json
from collections.abc import Callable

from sqlalchemy import text

from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import records
from service.jobs.states import State
from service.models import records as models

RECIPE = {"from_version": 0, "epochs": 5, "loss": "mse", "optimiser": {"rule": "Descent", "eta": 0.05}, "shuffle": True}
PLAN = {"parameter_count": 2, "path": "batches", "operations": 240, "seconds": 0.1, "of_another_version": 1}


def test_a_job_that_lacks_later_fields_trains_to_the_same_bytes(workspace: Workspace, post: Callable[..., str]) -> None:
    earlier = post(epochs=1)
    with workspace.database.transaction() as session:
        values = {"recipe": json.dumps(RECIPE), "plan": json.dumps(PLAN), "id": earlier}
        session.execute(text("UPDATE jobs SET recipe = :recipe, plan = :plan WHERE id = :id"), values)
    now = post(**RECIPE, path="batches")
    for job in (earlier, now):
        work_on(workspace, job, job)
    with workspace.database.reading() as session:
        found = [records.find(session, job) for job in (earlier, now)]
        versions = [models.version(session, each.model_id, each.version or 0).parameters for each in found]
    assert [each.state for each in found] == [State.SUCCEEDED] * 2
    assert versions[0] == versions[1]
    assert (found[0].plan.bytes, found[0].recipe.keep_every) == (None, None)
