"""Metrics of the tables: they agree with the rows, and counters never fall."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from service.client import Client

LABELS = {"state", "version", "of"}


def scraped(http: httpx.Client) -> dict[str, float]:
    """The samples of a scrape, each by its name with the state it is about."""
    answer = http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    assert {name for sample in samples for name in sample.labels} <= LABELS
    return {"/".join((sample.name, *sample.labels.values())): sample.value for sample in samples}


def test_a_deleted_job_takes_nothing_of_the_counters_back(client: Client) -> None:
    before = scraped(client.http)
    dataset = client.create_dataset({"x": [0, 1, 2], "y": [2, 6, 10]}, ["y"])
    model = client.create_model("Dense(1 => 1)")
    job = client.train(model.id, dataset.id, wait=60, epochs=7)
    client.http.delete(f"/api/jobs/{job.id}").raise_for_status()
    after = scraped(client.http)
    least = {"epochs_total": 7, "rows_total": 21, "jobs_created_total": 1, "jobs_ended_total/succeeded": 1}
    grown = {name: after[f"descent_{name}"] - before[f"descent_{name}"] for name in least}
    assert all(grown[name] >= amount for name, amount in least.items()), grown
    assert all(after[name] >= before[name] for name in before if "_total" in name)
    assert (after["descent_database_up"], after["descent_storage_writable"]) == (1, 1)


def test_names_that_clients_chose_appear_nowhere(client: Client) -> None:
    model = client.create_model("Dense(1 => 1)", name="a-name-of-my-own", labels={"team": "a-team-of-my-own"})
    client.http.get(f"/api/models/{model.name}").raise_for_status()
    assert "of-my-own" not in client.http.get("/metrics").text
