"""An owner's things are not there for others, wherever they are named; shared ones are read and used by them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from service.cli import cli
from service.database.caller import Caller, acting_for
from service.database.database import Database
from service.models import blueprints, operations, records
from service.models.schemas import NewModel
from service.telemetry import logs
from tests.access.conftest import Owners
from tests.examples import BODIES
from tests.support.databases import database_in
from tests.support.document import document
from tests.support.problems import problem

LINE = {"columns": {"x": [0, 1, 2, 3], "y": [0, 2, 4, 6]}, "targets": ["y"], "split": {"test": {"last": 1}}}
MODEL = {"architecture": "Dense(1 => 1)"}


@dataclass
class Things:
    """Ids of what an owner has."""

    dataset: str
    model: str
    job: str
    evaluation: str


def make(http: httpx.Client, name: str) -> Things:
    dataset = http.post("/api/datasets", json={**LINE, "name": name}).json()["id"]
    model = http.post("/api/models", json={**MODEL, "name": name}).json()["id"]
    recipe = {"model": name, "dataset": name, "epochs": 2}
    job = http.post("/api/jobs", json=recipe, headers={"Prefer": "wait=60"}).json()
    assert job["state"] == "succeeded", job
    evaluation = http.post(f"/api/models/{name}/evaluations", json={"dataset": name}).json()["id"]
    return Things(dataset, model, job["id"], evaluation)


@pytest.fixture(scope="module")
def adas(owners: Owners) -> Things:
    return make(owners.ada, "line")


def asked() -> list[tuple[str, str, Any]]:
    """Each operation that names a thing in its path, with a body that it takes."""
    found = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            if any(name in path for name in ("{model}", "{dataset}", "{job}")):
                found.append((method.upper(), path, BODIES.get(operation["operationId"], {})))
    return found


NEEDED = {"export": {"format": "npz"}, "effect": {"dataset": "any", "feature": "x"}}
"""Query parameters without which a path, by its last part, is not asked."""


def test_what_another_owner_has_is_404_at_every_path(owners: Owners, adas: Things) -> None:
    for method, path, body in asked():
        url = path.format(version=1, **vars(adas))
        given = {} if method in ("GET", "DELETE") else {"json": body}
        answer = owners.ben.request(method, url, params=NEEDED.get(url.rpartition("/")[2], {}), **given)
        allowed = (404,) if not given or body else (404, 422, 400)
        assert answer.status_code in allowed, f"{method} {url}: {answer.text}"
        assert "line" not in answer.text.replace(url, "")
    assert owners.ada.get(f"/api/models/{adas.model}").json()["versions"] == 2


def test_names_are_each_owners_own_and_lists_have_no_others_things(owners: Owners, adas: Things) -> None:
    problem(owners.ben.get("/api/models/line"), 404)
    bens = make(owners.ben, "line")
    assert owners.ben.get("/api/models/line").json()["id"] == bens.model
    assert owners.ada.get("/api/models/line").json()["id"] == adas.model
    for noun in ("datasets", "models", "jobs"):
        mine = {each["id"] for each in owners.ben.get(f"/api/{noun}?limit=1000").json()["items"]}
        assert mine & set(vars(bens).values())
        assert not mine & set(vars(adas).values())
        assert {each["owner"] for each in owners.ben.get(f"/api/{noun}").json()["items"]} == {"ben"}
    assert owners.ben.get("/api/jobs", params={"model": adas.model}).json()["items"] == []
    assert owners.ben.get("/v2/models").json() == {"models": ["line"]}
    assert {each["name"] for each in owners.ben.post("/v2/repository/index").json()} == {"line"}
    owners.ada.post("/v2/models/line/infer", json=BODIES["v2_infer"]).raise_for_status()
    assert owners.ben.get("/v2/models/stats").json() == {"model_stats": []}


def test_references_in_bodies_follow_the_same_rule(owners: Owners, adas: Things) -> None:
    mine = make(owners.ben, "mine")
    for body, pointer in (
        ({"model": adas.model, "dataset": mine.dataset}, "#/model"),
        ({"model": mine.model, "dataset": adas.dataset}, "#/dataset"),
    ):
        assert problem(owners.ben.post("/api/jobs", json=body), 404)["errors"][0]["pointer"] == pointer
    for origin in ({"model": adas.model}, {"job": adas.job}):
        problem(owners.ben.post("/api/models", json={"from": origin}), 404)
    stored = {"dataset": adas.dataset, "part": "test"}
    problem(owners.ben.post(f"/api/models/{mine.model}/evaluations", json=stored), 404)
    problem(owners.ben.post(f"/api/models/{mine.model}/predictions", json=stored), 404)


def test_parameters_that_a_job_left_are_its_owners(owners: Owners) -> None:
    make(owners.ada, "steep")
    recipe = {"model": "steep", "dataset": "steep", "optimiser": {"rule": "Descent", "eta": 1e30}, "epochs": 20}
    job = owners.ada.post("/api/jobs", json=recipe, headers={"Prefer": "wait=60"}).json()
    assert job["state"] == "failed"
    origin = {"from": {"job": job["id"]}}
    problem(owners.ben.post("/api/models", json=origin), 404)
    assert owners.ada.post("/api/models", json=origin).status_code == 201
    assert owners.admin.post("/api/models", json=origin).status_code == 201


def test_an_idempotency_key_of_another_owner_neither_replays_nor_collides(owners: Owners) -> None:
    key = {"Idempotency-Key": "once"}
    first = owners.ada.post("/api/models", json=MODEL, headers=key)
    others = owners.ben.post("/api/models", json={**MODEL, "seed": 1}, headers=key)
    assert (first.status_code, others.status_code) == (201, 201)
    assert owners.ada.post("/api/models", json=MODEL, headers=key).json() == first.json()
    assert first.json()["id"] != others.json()["id"]


def test_shared_things_are_used_by_others_and_changed_by_their_owner(owners: Owners) -> None:
    things = make(owners.ada, "common")
    for path in (f"/api/datasets/{things.dataset}", f"/api/models/{things.model}"):
        problem(owners.ben.patch(path, json={"shared": True}), 404)
        assert owners.ada.patch(path, json={"shared": True}).json()["shared"] is True
        assert owners.ben.get(path).status_code == 200
        for change in (
            owners.ben.patch(path, json={"labels": {}}),
            owners.ben.patch(path, json={"shared": False}),
            owners.ben.delete(path),
        ):
            assert problem(change, 403)["code"] == "shared_to_read"
    problem(owners.ben.get("/api/models/common"), 404)  # a name is its owner's
    problem(owners.ben.get(f"/api/jobs/{things.job}"), 404)
    rows = {"inputs": [[1]]}
    assert owners.ben.post(f"/api/models/{things.model}/predictions", json=rows).status_code == 200
    assert owners.ben.get(f"/api/models/{things.model}/export?format=npz").status_code == 200
    recipe = {"model": things.model, "dataset": things.dataset, "epochs": 1}
    assert problem(owners.ben.post("/api/jobs", json=recipe), 403)["code"] == "shared_to_read"
    problem(owners.ben.post(f"/api/models/{things.model}/evaluations", json={"dataset": things.dataset}), 403)
    own = make(owners.ben, "own").model
    trained = owners.ben.post("/api/jobs", json={**recipe, "model": own}, headers={"Prefer": "wait=60"}).json()
    assert (trained["state"], trained["owner"]) == ("succeeded", "ben")
    owners.ada.patch(f"/api/models/{things.model}", json={"shared": False})
    problem(owners.ben.post(f"/api/models/{things.model}/predictions", json=rows), 404)


def test_admins_reach_all_things_by_id_and_by_no_name(owners: Owners, adas: Things) -> None:
    problem(owners.admin.get("/api/models/line"), 404)
    assert owners.admin.get(f"/api/models/{adas.model}").json()["owner"] == "ada"
    assert owners.admin.patch(f"/api/jobs/{adas.job}", json={"labels": {"seen": "yes"}}).status_code == 200
    assert adas.job not in owners.admin.get("/api/jobs?limit=1000").text


def create(database: Database, owner: str, name: str) -> str:
    blueprint = blueprints.blueprint(NewModel.model_validate(MODEL), blueprints.Largest(10))
    with acting_for(Caller(owner)), database.transaction() as session:
        return operations.create(session, name, blueprint).id


def test_things_move_to_another_owner_unless_names_collide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "set_up", lambda: None)
    monkeypatch.setenv("DESCENT_DATA", str(tmp_path))
    database = database_in(tmp_path)
    create(database, "default", "line")
    create(database, "ada", "line")
    run = CliRunner()
    refused = run.invoke(cli, ["owners", "move", "default", "ada"])
    assert (refused.exit_code, "both have 'line'" in refused.stderr) == (2, True)
    assert run.invoke(cli, ["owners", "move", "default", "ben"]).stdout == "1 things of default belong to ben now.\n"
    with acting_for(Caller("ben")), database.reading() as session:
        assert records.find(session, "line").owner == "ben"
    assert run.invoke(cli, ["owners", "move", "default", "ben"]).exit_code == 2
    database.close()
