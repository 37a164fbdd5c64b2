"""Columns of thousands of categories: kept where they are asked for, learnt from, and asked about by name."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from service.client import Client
from service.datasets.columns import MOST_ASKED_FOR, MOST_TOGETHER
from service.datasets.formats.checks import few_categories
from service.datasets.table import Chunk, Texts
from service.errors import Invalid

TOWNS = [f"town {number}" for number in range(10_000)]
CATEGORICAL = {"types": {"town": "categorical"}}


def columns(rows: int = 20_000) -> dict[str, Any]:
    """Two rows of each town; y is 1 in every other one."""
    places = np.arange(rows) * 7 % len(TOWNS)
    return {"x": (places / len(TOWNS)).tolist(), "town": [TOWNS[place] for place in places], "y": (places % 2).tolist()}


def test_thousands_of_categories_are_learnt_and_known_by_name(client: Client) -> None:
    dataset = client.create_dataset(columns(), ["y"], **CATEGORICAL, split={"validation": {"last": 2000}})
    assert dataset.inputs == 10_001
    model = client.create_model("Chain(Dense(_ => 4, tanh), Dense(4 => 1))", dataset=dataset.id).id
    recipe = {"optimiser": {"rule": "Adam", "eta": 0.03}, "batch_size": 500, "shuffle": True, "epochs": 20}
    job = client.train(model, dataset.id, wait=30, **recipe)
    assert job.state == "succeeded"
    assert job.final_loss is not None
    assert job.final_loss < 0.01
    rows = [{"x": 0.5, "town": town} for town in TOWNS[:300]]
    answer = client.http.post(f"/api/models/{model}/predictions", json={"rows": rows}).json()
    assert np.mean([abs(each[0] - number % 2) < 0.5 for number, each in enumerate(answer["outputs"])]) > 0.95
    text = "x,town\n" + "".join(f"0.5,{town}\n" for town in TOWNS[:300])
    path, headers = f"/api/models/{model}/predictions", {"Content-Type": "text/csv", "Accept": "application/json"}
    assert client.http.post(path, content=text, headers=headers).json()["outputs"] == answer["outputs"]
    unknown = client.http.post(path, json={"rows": [{"x": 0.5, "town": "elsewhere"}]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_category")
    assert client.evaluate(model, dataset.id, part="train").loss == pytest.approx(job.final_loss, rel=1e-4)
    shown = client.http.get(f"/api/models/{model}/effect?dataset={dataset.id}&feature=x").json()
    assert len(shown["outputs"]) == 20
    many = client.http.get(f"/api/models/{model}/effect?dataset={dataset.id}&feature=town")
    assert (many.status_code, many.json()["detail"][:28]) == (422, "Column 'town' has 10,000 val")


def test_without_a_word_for_them_the_message_has_it(client: Client) -> None:
    """A target cannot have so many classes, which nothing asks for."""
    refused = client.http.post("/api/datasets", json={"columns": columns(600), "targets": ["y"]})
    assert refused.status_code == 422
    assert "types=town:categorical (in JSON in `types`) keeps up to 16,384" in refused.json()["detail"]
    assert client.create_dataset(columns(600), ["y"], **CATEGORICAL).inputs == 601
    classes = client.http.post("/api/datasets", json={"columns": columns(600), "targets": ["town"], **CATEGORICAL})
    assert (classes.status_code, classes.json()["code"]) == (422, "too_many_categories")
    assert classes.json()["detail"].startswith("Target 'town' has 600 classes, and at most 256 are learnt: ")


@pytest.mark.parametrize("counts", [[MOST_ASKED_FOR + 1], [MOST_TOGETHER // 5 + 1] * 5], ids=["of one", "of all"])
def test_even_so_there_are_limits(counts: list[int]) -> None:
    with pytest.raises(Invalid) as refused:
        list(few_categories(one_chunk(counts), [str(place) for place in range(len(counts))]))
    assert refused.value.code == "too_many_categories"


def one_chunk(counts: list[int]) -> Any:
    def made() -> Iterator[Chunk]:
        texts = {str(place): Texts(np.zeros(1, np.int32), TEXTS[:count]) for place, count in enumerate(counts)}
        yield Chunk(texts, lambda row: f"Row {row}")

    return made()


TEXTS = [str(number) for number in range(MOST_ASKED_FOR + 1)]
