"""A model's life over HTTP: written in two forms, found by id and by name, renamed, deleted."""

import httpx
import pytest

from service.client import Client, ProblemError
from service.errors import Invalid
from service.learning import notation
from service.models.blueprints import Largest, blueprint
from service.models.schemas import NewModel
from service.settings import Settings
from tests.support.problems import pointers, problem
from tests.support.training import endless_job, line, straight

DENSE = {"type": "Dense", "activation": "identity", "bias": True, "init": "glorot_uniform"}


@pytest.mark.parametrize(
    ("written", "printed", "layers", "count"),
    [
        ("Dense(1 => 1)", "Dense(1 => 1)", [{**DENSE, "in": 1, "out": 1}], 2),
        ("  Dense(2=>3,identity) ", "Dense(2 => 3)", [{**DENSE, "in": 2, "out": 3}], 9),
        ("Dense(2 => 3, σ)", "Dense(2 => 3, sigmoid)", [{**DENSE, "in": 2, "out": 3, "activation": "sigmoid"}], 9),
        ("Dense(2 => 3; bias=false)", "Dense(2 => 3; bias=false)", [{**DENSE, "in": 2, "out": 3, "bias": False}], 6),
        (
            "Chain(Dense(4 => 16, tanh), Dense(16 => 3))",
            "Chain(Dense(4 => 16, tanh), Dense(16 => 3))",
            [{**DENSE, "in": 4, "out": 16, "activation": "tanh"}, {**DENSE, "in": 16, "out": 3}],
            131,
        ),
    ],
)
def test_a_model_is_answered_in_notation_and_as_layers(
    http: httpx.Client, written: str, printed: str, layers: list[dict[str, object]], count: int
) -> None:
    answer = http.post("/api/models", json={"architecture": written})
    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["location"] == f"/api/models/{created['id']}"
    assert (created["architecture"], created["layers"], created["parameter_count"]) == (printed, layers, count)
    assert (created["version"], created["versions"], created["dtype"]) == (0, 1, "float32")
    assert created["name"] == created["id"]
    assert http.get(answer.headers["location"]).json() == created


@pytest.mark.parametrize(
    "text",
    [
        "Dense(3 => 2, relu; bias=false)",
        "Chain(Dense(2 => 5, relu), Dense(5 => 3), softmax)",
        "Chain(Dense(1 => 2), Chain(Dense(2 => 2, tanh), Dense(2 => 2, sigmoid)), Dense(2 => 1))",
    ],
)
def test_what_was_printed_and_what_was_listed_read_as_the_same_model(http: httpx.Client, text: str) -> None:
    first = http.post("/api/models", json={"architecture": text, "seed": 3}).json()
    again = http.post("/api/models", json={"architecture": first["architecture"], "seed": 3}).json()
    listed = http.post("/api/models", json={"layers": first["layers"], "seed": 3}).json()

    for other in (again, listed):
        assert (other["architecture"], other["layers"]) == (text, first["layers"])
        one, two = (http.get(f"/api/models/{model['id']}/parameters").text for model in (first, other))
        assert one == two
    assert notation.write(notation.read(text)) == text


def test_layers_may_leave_out_what_has_a_default(http: httpx.Client) -> None:
    created = http.post("/api/models", json={"layers": [{"type": "Dense", "in": 2, "out": 1}]}).json()
    assert created["architecture"] == "Dense(2 => 1)"


def test_a_fault_in_notation_says_at_which_character(http: httpx.Client) -> None:
    text = "Chain(Dense(1 => 1), Dens(1 => 1))"
    answer = http.post("/api/models", json={"architecture": text})
    assert pointers(answer) == ["#/architecture"]
    assert f"At character {text.index('Dens(')}: there is no layer and no activation 'Dens'" in answer.json()["detail"]


def test_softmax_in_a_dense_is_refused_with_advice(http: httpx.Client) -> None:
    for body in (
        {"architecture": "Dense(1 => 2, softmax)"},
        {"layers": [{"type": "Dense", "in": 1, "out": 2, "activation": "softmax"}]},
    ):
        assert "make softmax a layer of its own" in problem(http.post("/api/models", json=body), 422)["detail"]


def test_nesting_ends_at_100(http: httpx.Client) -> None:
    def nested(depth: int) -> str:
        return "Chain(" * depth + "Dense(1 => 1)" + ")" * depth

    assert http.post("/api/models", json={"architecture": nested(99)}).status_code == 201
    assert pointers(http.post("/api/models", json={"architecture": nested(101)})) == ["#/architecture"]


@pytest.mark.parametrize("what", ["", "/parameters", "/versions", "/metrics", "/evaluations"])
def test_id_and_name_are_interchangeable(client: Client, what: str) -> None:
    found = client.http.get("/api/models/a-model.of_1")
    model = straight(client, name="a-model.of_1").id if found.is_error else found.json()["id"]
    by_id, by_name = (client.http.get(f"/api/models/{reference}{what}") for reference in (model, "a-model.of_1"))
    assert by_id.status_code == 200
    assert by_id.json() == by_name.json()


def test_a_rename_keeps_the_id_and_frees_the_old_name(client: Client) -> None:
    model = straight(client, name="before")
    renamed = client.http.patch("/api/models/before", json={"name": "after"})

    assert renamed.status_code == 200
    assert renamed.json() == {**model.model_dump(mode="json"), "name": "after"}
    problem(client.http.get("/api/models/before"), 404)
    assert client.http.get("/api/models/after").json()["id"] == model.id
    assert client.http.patch("/api/models/after", json={"name": "after"}).status_code == 200
    assert straight(client, name="before").id != model.id
    for name in ("before", "after"):
        client.http.delete(f"/api/models/{name}")


def test_a_name_that_is_taken_is_a_conflict(client: Client) -> None:
    straight(client, name="held")
    with pytest.raises(ProblemError) as refused:
        straight(client, name="held")
    assert (refused.value.problem.status, refused.value.problem.code) == (409, "name_taken")

    other = straight(client)
    answer = client.http.patch(f"/api/models/{other.id}", json={"name": "held"})
    assert problem(answer, 409)["code"] == "name_taken"
    assert client.http.get(f"/api/models/{other.id}").json()["name"] == other.id
    client.http.delete("/api/models/held")


@pytest.mark.parametrize("name", ["", "-x", "a b", "x" * 101, "ä", "a/b", "stats", "mdl_" + "0" * 26, "x\n"])
def test_what_is_no_name_is_refused(http: httpx.Client, name: str) -> None:
    assert pointers(http.post("/api/models", json={"architecture": "Dense(1 => 1)", "name": name})) == ["#/name"]


def test_a_delete_takes_versions_and_evaluations_but_not_jobs(client: Client) -> None:
    dataset, model = line(client), straight(client)
    job = client.train(model.id, dataset.id, wait=30, epochs=1)
    evaluation = client.evaluate(model.id, dataset.id, part="train")

    answer = client.http.delete(f"/api/models/{model.id}")

    assert (answer.status_code, answer.content) == (204, b"")
    for what in ("", "/versions", "/parameters", "/metrics", "/evaluations", f"/evaluations/{evaluation.id}"):
        problem(client.http.get(f"/api/models/{model.id}{what}"), 404)
    problem(client.http.post(f"/api/models/{model.id}/predictions", json={"inputs": [[1]]}), 404)
    assert client.job(job.id).model == model.id
    assert [item["id"] for item in client.http.get(f"/api/jobs?model={model.id}").json()["items"]] == [job.id]
    assert len(client.epochs(job.id)) == 2


def test_a_model_stays_while_a_job_trains_it(client: Client) -> None:
    dataset, model = line(client), straight(client)
    with endless_job(client, model.id, dataset.id):
        assert problem(client.http.delete(f"/api/models/{model.id}"), 409)["code"] == "model_in_use"
        assert client.predict(model.id, [[1]]).version == 0

    assert client.http.delete(f"/api/models/{model.id}").status_code == 204


def test_the_largest_network_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_MAX_PARAMETERS", "10")
    most = Largest.by(Settings())

    assert blueprint(NewModel.model_validate({"architecture": "Dense(4 => 2)"}), most).network.vector_length == 10
    for body in (
        {"architecture": "Dense(5 => 2)"},
        {"layers": [{"type": "Dense", "in": 5, "out": 2}]},
        {"architecture": "Chain(Dense(2 => 2), Dense(2 => 2))"},
    ):
        with pytest.raises(Invalid) as refused:
            blueprint(NewModel.model_validate(body), most)
        assert refused.value.errors[0].pointer == f"#/{next(iter(body))}"
        assert refused.value.code == "too_many_parameters"
        assert "DESCENT_MAX_PARAMETERS" in refused.value.detail


@pytest.mark.parametrize("size", ["Dense(25000000 => 1)", "Dense(2147483647 => 2147483647)"])
def test_too_large_a_network_is_refused_before_anything_is_allocated(http: httpx.Client, size: str) -> None:
    answer = http.post("/api/models", json={"architecture": size})
    assert pointers(answer) == ["#/architecture"]
    assert answer.json()["code"] == "too_many_parameters"
