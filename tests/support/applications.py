"""The application without its engine."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

from fastapi import FastAPI

from service.app import create_app
from service.database.database import Database
from service.idempotency.creation import KeysInFlight
from service.inference.activity import Statistics
from service.models.networks import Networks
from service.quotas.stored import Stored
from service.resources import Resources, Turns
from service.settings import Settings
from service.storage.storage import Storage
from service.telemetry.readiness import Room


def application(folder: Path, database: Database, **others: Any) -> FastAPI:
    """Return the real application in a folder, on a migrated database, with an engine that is ready and does nothing.

    `others` are resources in place of the usual ones.
    """
    settings = others.get("settings", Settings(data=folder))
    app = create_app(settings)
    storage = Storage(folder / "datasets", folder / "cache")
    usual: dict[str, Any] = {
        "settings": settings,
        "database": database,
        "storage": storage,
        "networks": Networks(),
        "watcher": Mock(),
        "engine": Mock(ready=True),
        "room": Room(database, storage.folder),
        "statistics": Statistics(),
        "keys_in_flight": KeysInFlight(),
        "upload_turns": Turns(8, 5.0, "datasets are being read"),
        "draft_turns": Turns(2, 30.0, "recipes are being planned"),
        "stored": Stored(database, settings.max_stored_bytes),
    }
    app.state.resources = Resources(**{**usual, **others})
    return app
