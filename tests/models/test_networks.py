"""Networks that are kept ready, and found for each request."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from service.database.database import Database
from service.errors import NotFound
from service.ids import new_id
from service.models import operations, parameter_bytes, records
from service.models.networks import Networks
from service.models.records import ModelRecord
from service.models.schemas import ModelChange
from service.models.trained_network import TrainedNetwork
from tests.support.databases import database_in


@pytest.fixture(params=["by look-ups", "by sessions"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An SQLite database, also queried in the way of any other database."""
    database = database_in(tmp_path)
    database.on_sqlite = request.param == "by look-ups"
    yield database
    database.close()


def add_model(database: Database, name: str, width: int = 1) -> str:
    id = new_id("mdl")
    with database.transaction() as session:
        session.add(
            ModelRecord(
                id=id,
                name=name,
                architecture=f"Dense({width} => 1)",
                dtype="float32",
                parameter_count=width + 1,
                seeded=True,
            )
        )
        session.flush()
    add_version(database, id, [0.0] * (width + 1))
    return id


def add_version(database: Database, model: str, values: list[float]) -> None:
    with database.transaction() as session:
        records.add_version(session, model, parameter_bytes.to_bytes(np.array(values, np.float32)), None)


def pin(database: Database, model: str, serving: int | Literal["latest"]) -> None:
    with database.transaction() as session:
        operations.change(session, model, ModelChange(serving=serving))


def find(networks: Networks, database: Database, *which: Any) -> TrainedNetwork:
    return asyncio.run(networks.find(database, *which))


def test_a_network_is_found_by_id_and_name_and_stays_the_same_object(database: Database) -> None:
    networks = Networks()
    id = add_model(database, "one")
    first = find(networks, database, id)
    assert (first.model, first.version) == (id, 0)
    assert find(networks, database, "one") is first
    with database.reading() as session:
        assert networks.get(session, "one") is first


def test_the_latest_version_is_asked_for_each_time(database: Database) -> None:
    networks = Networks()
    id = add_model(database, "one")
    for number in range(1, 4):
        add_version(database, id, [number, 0])
        assert find(networks, database, "one").version == number
    assert find(networks, database, "one", 1).vector[0] == 1


def test_the_version_that_is_pinned_answers_where_none_is_named(database: Database) -> None:
    networks = Networks()
    id = add_model(database, "one")
    add_version(database, id, [1, 0])
    pin(database, id, 0)
    add_version(database, id, [2, 0])
    assert find(networks, database, "one").version == 0
    with database.reading() as session:
        assert (networks.get(session, id).version, networks.latest(session, id).version) == (0, 2)
    pin(database, id, "latest")
    assert find(networks, database, "one").version == 2


def test_a_replica_notices_versions_that_another_deletes_and_adds(database: Database) -> None:
    other = Database(database.url)
    other.on_sqlite = database.on_sqlite
    networks = Networks()
    id = add_model(database, "one")
    for number in range(1, 4):
        add_version(database, id, [number, 0])
    assert [find(networks, database, id, number).vector[0] for number in (1, 2, 3)] == [1, 2, 3]
    pin(other, id, 1)
    operations.delete_version(other, id, 3)
    operations.delete_version(other, id, 2)
    assert find(networks, database, id).version == 1
    for which in ((id, 2), (id, 3), ("one", 3)):
        with pytest.raises(NotFound, match="deleted"):
            find(networks, database, *which)
    add_version(other, id, [7, 0])
    with pytest.raises(NotFound):
        find(networks, database, id, 3)
    assert find(networks, database, id, 4).vector[0] == 7
    other.close()


def test_one_version_is_forgotten_without_the_others(database: Database) -> None:
    networks = Networks()
    id = add_model(database, "one")
    add_version(database, id, [1, 0])
    first, second = find(networks, database, id, 0), find(networks, database, id, 1)
    networks.forget(id, 1)
    assert find(networks, database, id, 0) is first
    assert find(networks, database, id, 1) is not second


def test_what_is_not_there_is_not_found(database: Database) -> None:
    networks = Networks()
    id = add_model(database, "one")
    find(networks, database, id)
    for which in (("two",), (id, 1), (id, 0, 5)):
        with pytest.raises(NotFound):
            find(networks, database, *which)
    with database.transaction() as session:
        session.delete(records.find(session, id))
    for which in ((id,), (id, 0), ("one", 0)):
        with pytest.raises(NotFound):
            find(networks, database, *which)


def test_what_is_forgotten_is_read_again(database: Database) -> None:
    networks = Networks()
    one, two = add_model(database, "one"), add_model(database, "two")
    first, other = find(networks, database, one), find(networks, database, two)
    networks.forget(one)
    assert find(networks, database, one) is not first
    assert find(networks, database, two) is other


def test_the_least_recently_used_give_way(database: Database) -> None:
    networks = Networks(capacity=24)  # bytes: three of these
    ids = [add_model(database, f"model{index}") for index in range(4)]
    kept = [find(networks, database, id) for id in ids[:3]]
    assert find(networks, database, ids[0]) is kept[0]
    find(networks, database, ids[3])
    assert find(networks, database, ids[0]) is kept[0]
    assert find(networks, database, ids[1]) is not kept[1]


def test_a_row_alone_gives_what_it_gives_among_others_and_its_own_array(database: Database) -> None:
    networks = Networks()
    id = add_model(database, "wide", 3)
    add_version(database, id, [1, 2, 3, 4])
    network = find(networks, database, id)
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    alone = [network.predict(rows[:1]), network.predict(rows[1:])]
    np.testing.assert_array_equal(np.concatenate(alone), network.predict(rows))
