"""A version that learnt from dates reads dates, without being told so again."""

import io
from collections.abc import Callable
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import parquet

from service.client import Client
from tests.support.problems import problem

DAY = 18293
"""2020-02-01 in days since 1970-01-01."""
DAY_FIRST = "day,y\n31/1/2020,1\n1/2/2020,2\n2/2/2020,3\n"
MONTH_FIRST = "day,y\n1/31/2020,1\n2/1/2020,2\n2/2/2020,3\n"
PLAIN = "day,y\n2020-01-31,1\n2020-02-01,2\n2020-02-02,3\n"


@pytest.fixture(scope="module")
def trained(client: Client) -> dict[str, str]:
    """Models trained on such files, by the order of their dates."""
    return {
        order: model_on(client, text)
        for order, text in (("day_first", DAY_FIRST), ("month_first", MONTH_FIRST), ("unambiguous", PLAIN))
    }


def upload(client: Client, text: str) -> Any:
    query = {"targets": "y", "types": "day:date", "dtype": "float64"}
    answer = client.http.post("/api/datasets", params=query, content=text, headers={"content-type": "text/csv"})
    return answer.raise_for_status().json()


def model_on(client: Client, text: str) -> str:
    model = client.create_model("Dense(1 => 1)", dtype="float64").id
    job = client.train(model, upload(client, text)["id"], wait=30, epochs=1, standardise=True)
    assert job.state == "succeeded"
    return model


def outputs(client: Client, model: str, **request: Any) -> list[Any]:
    found: list[Any] = (
        client.http.post(f"/api/models/{model}/predictions", **request).raise_for_status().json()["outputs"]
    )
    return found


def csv(text: str) -> dict[str, Any]:
    return {"content": f"day\n{text}\n", "headers": {"content-type": "text/csv"}}


def file(values: Any) -> dict[str, Any]:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({"day": values}), sink)
    return {"content": sink.getvalue(), "headers": {"content-type": "application/vnd.apache.parquet"}}


WAYS: dict[str, Callable[[str], dict[str, Any]]] = {
    "rows": lambda text: {"json": {"rows": [{"day": text}]}},
    "CSV": csv,
    "Parquet": lambda text: file([text]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("order", "text"),
    [
        ("day_first", "1/2/2020"),
        ("month_first", "2/1/2020"),
        ("unambiguous", "2020-02-01"),
        ("day_first", "Feb 1 2020"),
    ],
)
def test_dates_are_read_as_in_training(
    client: Client, trained: dict[str, str], way: str, order: str, text: str
) -> None:
    if way == "Parquet" and "/" in text:
        assert client.http.post(f"/api/models/{trained[order]}/predictions", **WAYS[way](text)).status_code == 422
        return
    days = outputs(client, trained[order], json={"rows": [{"day": DAY}]})
    assert outputs(client, trained[order], **WAYS[way](text)) == days


def test_days_and_timestamps_are_read_beside_dates(client: Client, trained: dict[str, str]) -> None:
    model = trained["unambiguous"]
    days = outputs(client, model, json={"inputs": [[DAY]]})
    assert outputs(client, model, **csv(str(DAY))) == days
    assert outputs(client, model, **csv("20200201")) == days
    assert outputs(client, model, **file(pyarrow.array([DAY], pyarrow.date32()))) == days
    path = f"/api/models/{model}"
    invoked = client.http.post(f"{path}/invocations", json={"dataframe_records": [{"day": "2020-02-01"}]})
    assert invoked.json()["predictions"] == pytest.approx([days[0][0]])
    tensor = {"name": "day", "shape": [1], "datatype": "BYTES", "data": ["2020-02-01"]}
    inferred = client.http.post(f"/v2/models/{model}/infer", json={"inputs": [tensor]}).json()
    assert inferred["outputs"][0]["data"] == days[0]


@pytest.mark.parametrize(("way", "text"), [("rows", "1/2/2020"), ("rows", "soon"), ("CSV", "1/2/2020")])
def test_a_date_that_cannot_be_told_is_refused(client: Client, trained: dict[str, str], way: str, text: str) -> None:
    answer = client.http.post(f"/api/models/{trained['unambiguous']}/predictions", **WAYS[way](text))
    assert "2026-01-31" in problem(answer, 422)["detail"] or "2020-02-01" in problem(answer, 422)["detail"]


def test_a_dataset_and_a_signature_show_dates(client: Client, trained: dict[str, str], http: httpx.Client) -> None:
    assert upload(client, DAY_FIRST)["features"][0]["dates"] == "day_first"
    for order, model in trained.items():
        signature = http.get(f"/api/models/{model}").json()["signature"]
        assert [each["dates"] for each in signature["features"]] == [order]
    texts = {"columns": {"day": ["2020-02-01", "2020-02-02"], "y": [1, 2]}, "targets": ["y"]}
    named = {**texts, "types": {"day": "categorical"}, "split": {"test": {"last": 1}}}
    dataset = http.post("/api/datasets", json=named).json()["id"]
    refused = problem(http.post(f"/api/models/{trained['unambiguous']}/evaluations", json={"dataset": dataset}), 422)
    assert "types=day:date" in refused["detail"]
