"""The signature of a model's data: shown with it, kept by a PUT; and the epochs that a version has kept."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from service.client import Client
from service.database.record import reader
from service.models import blueprints, operations, records
from service.models.schemas import ModelSignature, NewModel
from service.models.signature.signature import Feature, Signature, Target
from tests.support.databases import database_in
from tests.support.training import line, straight

LINE: dict[str, Any] = {
    "features": [{"name": "x", "kind": "numeric", "width": 1, "categories": None, "min": 0, "max": 5, "fill": None}],
    "targets": [{"name": "y", "kind": "numeric", "width": 1, "categories": None}],
    "link": None,
    "weights": None,
    "left_out": [],
}
FLOWERS = Signature(
    (Feature("petal", "numeric", None, 0.1, 6.9, 3.5), Feature("colour", "categorical", ("blue", "red"))),
    (Target("species", "categorical", ("a", "b", "c")), Target("wild", "boolean", ("false", "true"))),
    "softmax",
    weights="w",
    left_out=("id",),
)


def test_a_trained_model_knows_its_columns_and_an_untrained_one_none(client: Client) -> None:
    model = straight(client)
    assert client.http.get(f"/api/models/{model.id}").json()["signature"] is None
    client.train(model.id, line(client).id, wait=30, epochs=1)

    shown = client.http.get(f"/api/models/{model.id}").json()
    assert shown["signature"] == LINE
    listed = client.http.get("/api/models?limit=1000").json()["items"]
    assert next(item for item in listed if item["id"] == model.id) == shown


def test_a_put_keeps_what_the_version_before_knew(client: Client) -> None:
    model = straight(client)
    path = f"/api/models/{model.id}/parameters"
    body = {"layers": [{"weight": [[4]], "bias": [2]}]}
    client.http.put(path, json=body)
    assert client.http.get(f"/api/models/{model.id}").json()["signature"] is None
    client.train(model.id, line(client).id, wait=30, epochs=1)
    assert client.http.put(path, json=body).json()["version"] == 3
    assert client.http.get(f"/api/models/{model.id}").json()["signature"] == LINE


def test_versions_list_their_kept_epochs_and_parameters_of_each_are_shown(client: Client) -> None:
    dataset, model = line(client), straight(client)
    client.train(model.id, dataset.id, wait=30, epochs=10, keep_every=4)
    client.train(model.id, dataset.id, wait=30, epochs=1)
    client.train(model.id, dataset.id, wait=30, epochs=3, keep_every=1)
    versions = client.http.get(f"/api/models/{model.id}/versions").json()["items"]
    assert [version["epochs"] for version in versions] == [[1, 2, 3], [], [4, 8], []]

    seen = [
        client.http.get(f"/api/models/{model.id}/parameters?version={version['version']}&epoch={epoch}").text
        for version in versions
        for epoch in version["epochs"]
    ]
    latest = client.http.get(f"/api/models/{model.id}/parameters").text
    assert seen[2] == latest
    assert len(set(seen)) == len(seen)


def test_columns_of_every_kind_are_shown_with_their_widths() -> None:
    kept = reader(Signature)(asdict(FLOWERS))
    shown = ModelSignature.model_validate(kept).model_dump()
    assert kept == FLOWERS
    assert shown == {
        "features": [
            {"name": "petal", "kind": "numeric", "width": 1, "categories": None, "min": 0.1, "max": 6.9, "fill": 3.5},
            {
                "name": "colour",
                "kind": "categorical",
                "width": 2,
                "categories": ["blue", "red"],
                "min": None,
                "max": None,
                "fill": None,
            },
        ],
        "targets": [
            {"name": "species", "kind": "categorical", "width": 3, "categories": ["a", "b", "c"]},
            {"name": "wild", "kind": "boolean", "width": 1, "categories": ["false", "true"]},
        ],
        "link": "softmax",
        "weights": "w",
        "left_out": ["id"],
    }


def test_deleting_a_model_takes_its_points(tmp_path: Path) -> None:
    database = database_in(tmp_path)
    plan = blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), blueprints.Largest(10))
    with database.transaction() as session:
        ids = [operations.create(session, None, plan).id for _ in range(2)]
        for id, job in zip(ids, ("job_a", "job_b"), strict=True):
            session.add(records.PointRecord(job_id=job, epoch=5, model_id=id, parameters=b""))
    operations.delete(database, ids[0])
    with database.reading() as session:
        assert records.kept_epochs(session, ["job_a", "job_b", None]) == {"job_b": [5]}
    database.close()
