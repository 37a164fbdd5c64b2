"""A data folder as it was before names decided which column is which: all in it is of use to the present service."""

from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import MetaData, Table

from service.database.database import Database
from service.database.migrate import configuration
from service.database.revisions import revisions
from tests.support.databases import NAME
from tests.support.writes import serving

BEFORE = "0005"
CSV = "k,x,y\nu,0,2\nv,1,6\nu,2,10\nv,3,14\n"
SIGNATURE: dict[str, Any] = {
    "features": [
        {"name": "k", "kind": "categorical", "categories": ["u", "v"], "min": None, "max": None, "fill": None},
        {"name": "x", "kind": "numeric", "categories": None, "min": 0, "max": 3, "fill": None},
    ],
    "targets": [{"name": "y", "kind": "numeric", "labels": None}],
    "link": None,
}


def go_back(folder: Path) -> None:
    """Make the database one of before, with a trained version whose signature has the fields of then."""
    config = configuration()
    with closing(Database(f"sqlite:///{folder / NAME}")) as database:
        with database.rebuilding() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, BEFORE)
        with database.rebuilding() as connection:
            table = Table("versions", MetaData(), autoload_with=connection)
            rows = connection.execute(table.select()).mappings().all()
            connection.execute(table.insert(), [{**row, "number": 1, "signature": SIGNATURE} for row in rows])


def come_forward(folder: Path) -> None:
    config = configuration()
    with closing(Database(f"sqlite:///{folder / NAME}")) as database, database.rebuilding() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions()[-1])


def test_datasets_models_and_versions_of_before_are_of_use(tmp_path: Path) -> None:
    with serving(tmp_path) as http:
        sent = http.post("/api/datasets?name=old&targets=y", content=CSV, headers={"content-type": "text/csv"})
        assert sent.status_code == 201, sent.text
        assert http.post("/api/models", json={"name": "m", "architecture": "Dense(3 => 1)"}).status_code == 201
    go_back(tmp_path)
    come_forward(tmp_path)
    with serving(tmp_path) as http:
        old = http.get("/api/datasets/old").json()
        assert (old["sha256"], old["advice"], old["ignored"]) == (sent.json()["sha256"], [], [])
        model = http.get("/api/models/m").json()
        assert (model["version"], model["serving"], model["versions"]) == (1, "latest", 2)
        assert [each["name"] for each in model["signature"]["features"]] == ["k", "x"]
        rows = {"rows": [{"x": 1, "k": "v"}]}
        first = http.post("/api/models/m/predictions", json=rows).json()
        assert (
            first["outputs"] == http.post("/api/models/m/predictions", json={"inputs": [[0, 1, 1]]}).json()["outputs"]
        )
        other = {"columns": {"x": [1.0, 2.0], "y": [6.0, 10.0], "k": ["v", "v"]}, "targets": ["y"], "name": "other"}
        assert http.post("/api/datasets", json=other).status_code == 201
        for dataset in ("old", "other"):
            judged = http.post("/api/models/m/evaluations", json={"dataset": dataset, "part": "train"})
            assert judged.status_code == 201, judged.text
            assert http.post("/api/jobs", json={"model": "m", "dataset": dataset, "epochs": 3}).status_code == 202
        assert http.get("/api/models/m/export?format=onnx").status_code == 200
        layers = {"layers": [{"weight": [[1, 2, 3]], "bias": [0]}]}
        assert http.put("/api/models/m/parameters", json=layers).json()["version"] == 2
