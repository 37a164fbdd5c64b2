"""The bodies of MLflow's and KServe's clients."""

import json
from typing import Any

import httpx
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.predictions.columns import COLUMNS, EXPANDED, LAYER, ROW, train
from tests.support.problems import pointers, problem

PAIR = [[1.0, 2.0], [-3.0, 0.25]]
LAYERS = [{"weight": [[1.0, 10.0]], "bias": [0.5]}]
PREDICTED = [21.5, 0.0]
VALUES = list(ROW.values())


@pytest.fixture(scope="module")
def job(client: Client) -> Job:
    """The job of a version that knows its columns."""
    return train(client)


@pytest.fixture(scope="module")
def plain(client: Client) -> str:
    """A model of numbers that was never trained."""
    return client.create_model("Dense(2 => 1)", parameters=LAYERS).id


def invoke(client: Client, model: str, body: Any) -> httpx.Response:
    return client.http.post(f"/api/models/{model}/invocations", json=body)


def predictions(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"predictions"}
    return answer.json()["predictions"]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": PAIR},
        {"instances": PAIR, "params": {"max_tokens": 3}, "signature_name": "serving_default"},
        {"instances": [{"a": 1, "b": 2}, {"b": 0.25, "a": -3}]},
        {"instances": [{"x": [1, 2]}, {"x": [-3, 0.25]}]},
        {"inputs": PAIR},
        {"inputs": {"x": PAIR}},
        {"inputs": {"a": [1, -3], "b": [2, 0.25]}},
        {"inputs": {"a": [[1], [-3]], "b": [[2], [0.25]]}},
        {"dataframe_split": {"columns": ["a", "b"], "index": [0, 1], "data": PAIR}},
        {"dataframe_split": {"data": PAIR}},
        {"dataframe_records": [{"a": 1, "b": 2}, {"a": -3, "b": 0.25}]},
    ],
)
def test_every_form_of_the_same_rows_has_the_same_predictions(client: Client, plain: str, body: dict[str, Any]) -> None:
    assert predictions(invoke(client, plain, body)) == PREDICTED


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [EXPANDED]},
        {"instances": [VALUES]},
        {"instances": [ROW]},
        {"inputs": [VALUES]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
        {"inputs": {name: [[value]] for name, value in ROW.items()}},
        {"dataframe_split": {"columns": ["place", "species", "wild", "length"], "data": [["b", "?", True, 5]]}},
        {"dataframe_split": {"data": [VALUES]}},
        {"dataframe_records": [ROW]},
    ],
)
def test_a_version_that_knows_its_columns_takes_names_and_predicts_labels(
    client: Client, job: Job, body: dict[str, Any]
) -> None:
    expected = client.http.post(f"/api/models/{job.model}/predictions", json={"rows": [ROW]}).json()["labels"]
    assert predictions(invoke(client, job.model, body)) == expected


def test_several_outputs_or_targets_are_a_list_a_row(client: Client) -> None:
    model = client.create_model("Dense(1 => 2)", parameters=[{"weight": [[1.0], [2.0]], "bias": [0.0, 0.5]}]).id
    assert predictions(invoke(client, model, {"instances": [[3], [4]]})) == [[3, 6.5], [4, 8.5]]
    layer = {"weight": [*LAYER["weight"], [0.0, 0, 0, 0, 0]], "bias": [*LAYER["bias"], 7]}
    columns = {**COLUMNS, "weight": [1.0, 2, 3, 4, 5, 6]}
    job = train(client, columns, ("species", "weight"), layer, loss="mse")
    told = client.http.post(f"/api/models/{job.model}/predictions", json={"rows": [ROW]}).json()
    assert predictions(invoke(client, job.model, {"instances": [ROW]})) == [[told["labels"]["species"][0], 7]]


def test_of_one_input_bare_numbers_are_rows(client: Client) -> None:
    model = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[2.0]], "bias": [1.0]}]).id
    for body in ({"instances": [6, 7]}, {"inputs": [6, 7]}, {"inputs": {"x": [6, 7]}}, {"instances": [[6], [7]]}):
        assert predictions(invoke(client, model, body)) == [13, 15]
    assert pointers(invoke(client, model, {"instances": [6, "7"]})) == ["#/instances/1"]


def test_csv_is_read_as_in_predictions(client: Client, plain: str, job: Job) -> None:
    def send(model: str, text: str, kind: str = "text/csv") -> httpx.Response:
        path, headers = f"/api/models/{model}/invocations", {"Content-Type": kind}
        return client.http.post(path, content=text, headers=headers)

    assert predictions(send(plain, "a,b\n1,2\n-3,0.25\n")) == PREDICTED
    assert predictions(send(plain, "1\t2\n-3\t.25\n", "text/tab-separated-values")) == PREDICTED
    assert predictions(send(job.model, "place,wild,length\nb,true,5\n")) == predictions(
        invoke(client, job.model, {"instances": [ROW]})
    )


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded"], ids=["no type", "curl -d"])
@pytest.mark.parametrize("path", ["/v1/models/{}:predict", "/api/models/{}/invocations"])
def test_json_is_read_as_common_tools_send_it(client: Client, plain: str, path: str, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = client.http.post(path.format(plain), content=json.dumps({"instances": PAIR}), headers=headers)
    assert len(answer.json()["predictions"]) == len(PAIR)


def test_an_error_for_kserve_is_plain_json_with_its_word(client: Client, plain: str) -> None:
    answer = client.http.post(f"/v1/models/{plain}:predict", json={"instances": []})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
    assert answer.json()["error"] == answer.json()["detail"]


def test_kserve_learns_whether_a_model_is_ready(client: Client, plain: str) -> None:
    assert client.http.get(f"/v1/models/{plain}").json() == {"name": plain, "ready": True}
    assert client.http.get("/v1/models/nobody").status_code == 404


def test_a_version_can_be_named(client: Client, plain: str) -> None:
    client.http.put(f"/api/models/{plain}/parameters", json={"layers": [{"weight": [[0, 0]], "bias": [9]}]})
    path = f"/api/models/{plain}/invocations"
    assert predictions(client.http.post(path, json={"instances": PAIR})) == [9, 9]
    assert predictions(client.http.post(path, params={"version": 0}, json={"instances": PAIR})) == PREDICTED
    problem(client.http.post(path, params={"version": 7}, json={"instances": PAIR}), 404)
    client.http.put(f"/api/models/{plain}/parameters", json={"layers": LAYERS})


def test_kserve_has_its_own_path(client: Client, plain: str) -> None:
    answer = client.http.post(f"/v1/models/{plain}:predict", json={"instances": PAIR})
    assert answer.json() == {"predictions": PREDICTED}
    problem(client.http.post("/v1/models/nobody:predict", json={"instances": PAIR}), 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ([], "#"),
        ({"data": PAIR}, "#"),
        ({"instances": PAIR, "inputs": PAIR}, "#"),
        ({"instances": []}, "#/instances"),
        ({"instances": None}, "#/instances"),
        ({"instances": [[1, 2], [3]]}, "#/instances/1"),
        ({"instances": [[1, "2"]]}, "#/instances/0/1"),
        ({"instances": [[1, [2]]]}, "#/instances/0/1"),
        ({"instances": [{"a": 1, "b": 2}, {"a": 1}]}, "#/instances/1"),
        ({"instances": [{"a": 1, "b": 2}, [1, 2]]}, "#/instances/1"),
        ({"inputs": {"a": [1, 2], "b": [1]}}, "#/inputs/b"),
        ({"inputs": {"a": 1, "b": [1]}}, "#/inputs/a"),
        ({"inputs": {"a": [], "b": []}}, "#/inputs/a"),
        ({"inputs": {}}, "#/inputs"),
        ({"dataframe_split": PAIR}, "#/dataframe_split"),
        ({"dataframe_split": {"columns": ["a", "b"]}}, "#/dataframe_split"),
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}, "#/dataframe_split/data/0"),
        ({"dataframe_records": {"a": 1}}, "#/dataframe_records"),
    ],
)
def test_what_are_no_rows_is_refused(client: Client, plain: str, body: Any, pointer: str) -> None:
    assert pointers(invoke(client, plain, body)) == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"instances": [{**ROW, "place": "z"}]}, "#/instances/0/place"),
        ({"instances": [[5, True, "z"]]}, "#/instances/0/2"),
        ({"inputs": {**{name: [value] for name, value in ROW.items()}, "place": ["z"]}}, "#/inputs/place/0"),
        ({"inputs": {"length": [5], "wild": [True]}}, "#/inputs"),
        ({"inputs": {"length": [5], "colour": [1]}}, "#/inputs/colour"),
        ({"dataframe_split": {"columns": ["length", "wild", "plce"], "data": [VALUES]}}, "#/dataframe_split/columns/2"),
        ({"dataframe_split": {"columns": ["length", "wild"], "data": [[5, True]]}}, "#/dataframe_split/data"),
        ({"dataframe_split": {"columns": [1, 2, 3], "data": [VALUES]}}, "#/dataframe_split/columns"),
        ({"dataframe_records": [{**ROW, "wild": None}]}, "#/dataframe_records/0/wild"),
    ],
)
def test_a_value_that_a_column_does_not_take_is_refused_where_it_stands(
    client: Client, job: Job, body: Any, pointer: str
) -> None:
    assert pointers(invoke(client, job.model, body)) == [pointer]


def test_other_forms_overflows_and_models_are_refused(client: Client, plain: str) -> None:
    path = f"/api/models/{plain}/invocations"
    problem(client.http.post(path, content=b"", headers={"Content-Type": "application/x-npy"}), 415)
    steep = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[3e38]], "bias": [0]}]).id
    assert pointers(invoke(client, steep, {"instances": [[1], [2]]})) == ["#/instances/1"]
    assert pointers(client.http.post(path, content=json.dumps({"instances": [[float("nan"), 1]]}), headers=JSON)) == [
        "#/instances/0/0"
    ]
    problem(invoke(client, "nobody", {"instances": PAIR}), 404)


JSON = {"Content-Type": "application/json"}


def test_a_named_row_may_be_long(client: Client, job: Job) -> None:
    short = {"dataframe_split": {"columns": list(ROW), "data": [VALUES, VALUES]}}
    long = json.dumps(short).replace("[5.0,", "[5.0," + " " * 200_000)
    answer = client.http.post(
        f"/api/models/{job.model}/invocations", content=long, headers={"Content-Type": "application/json"}
    )
    assert predictions(answer) == predictions(invoke(client, job.model, short))


@pytest.mark.parametrize(("value", "kind"), [([1] * 60_000, "a list"), ({"a": 1}, "an object")])
def test_a_list_and_an_object_are_no_categories(client: Client, job: Job, value: Any, kind: str) -> None:
    refused = invoke(client, job.model, {"inputs": {**{name: [each] for name, each in ROW.items()}, "place": [value]}})
    assert pointers(refused) == ["#/inputs/place/0"]
    assert f"This is {kind}, but column 'place' has 'a', 'b', 'c'." in refused.text
