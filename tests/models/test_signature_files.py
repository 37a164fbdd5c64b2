"""The signature in a file: a version's signature is exported with it, and read again where it is sound."""

import copy
import io
import json
from dataclasses import asdict
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors.numpy as safetensors_library

from service.client import Client
from service.datasets.columns import MOST_ASKED_FOR
from service.errors import Invalid
from service.learning.losses import LOSSES
from service.models.signature import from_file
from service.models.signature.signature import Feature, Signature, Target
from service.vocabulary.kinds import to_json
from tests.models.test_exports import export
from tests.support.learning.networks import network
from tests.support.predictions.columns import COLUMNS, ROW, train
from tests.support.problems import problem
from tests.support.training import straight

KINDS = {"safetensors": "application/safetensors", "npz": "application/npz"}
SOUND = Signature(
    (
        Feature("length", "numeric", None, -1.5, 7.0, 5.25),
        Feature("wild", "boolean", None, 0.0, 1.0, 1.0),
        Feature("place", "categorical", ("", "a/b", "ü"), fill=2.0),
    ),
    (Target("species", "categorical", ("setosa", "virginica")), Target("weight", "numeric")),
    "softmax",
    {"name": "focal_loss", "agg": "mean", "gamma": 3.0, "eps": None},
    "trust",
)
"""A signature of Dense(5 => 3)."""


def read(text: str, architecture: str = "Dense(5 => 3)", dtype: str = "float32") -> Signature:
    return from_file.read(text, network(architecture, dtype))


def refused(text: str, architecture: str = "Dense(5 => 3)", dtype: str = "float32") -> Invalid:
    with pytest.raises(Invalid) as raised:
        read(text, architecture, dtype)
    assert raised.value.code == "bad_signature"
    assert len(raised.value.detail) < 500
    return raised.value


def with_signature(form: str, text: str) -> bytes:
    """A file of Dense(1 => 1)."""
    tensors: dict[str, Any] = {"layers.0.weight": np.ones((1, 1), np.float32), "layers.0.bias": np.ones(1, np.float32)}
    about = {"architecture": "Dense(1 => 1)", "signature": text}
    if form == "safetensors":
        return safetensors_library.save(tensors, about)
    file = io.BytesIO()
    texts: dict[str, Any] = {name: np.array(value) for name, value in about.items()}
    np.savez(file, **tensors, **texts)
    return file.getvalue()


def post(http: httpx.Client, form: str, body: bytes) -> httpx.Response:
    return http.post("/api/models", content=body, headers={"Content-Type": KINDS[form]})


def put(http: httpx.Client, model: str, form: str, body: bytes) -> httpx.Response:
    return http.put(f"/api/models/{model}/parameters", content=body, headers={"Content-Type": KINDS[form]})


def known(http: httpx.Client, model: str) -> Any:
    return http.get(f"/api/models/{model}").json()["signature"]


@pytest.mark.parametrize("form", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trained_model_predicts_by_name_what_it_did_before_it_was_a_file(
    client: Client, form: str, dtype: str
) -> None:
    job = train(client, {**COLUMNS, "weight": [1.0, 2, 3, 4, 5, 6]}, dataset={"dtype": dtype}, sample_weights="weight")
    file = export(client.http, job.model, form).content
    created = post(client.http, form, file).json()
    assert created["signature"] == known(client.http, job.model)
    assert created["signature"]["link"] == "softmax"
    assert export(client.http, created["id"], "npz").content == export(client.http, job.model, "npz").content

    before, after = (
        client.http.post(f"/api/models/{model}/predictions", json={"rows": [ROW, {**ROW, "length": 99}]}).json()
        for model in (job.model, created["id"])
    )
    own = ("model", "version")
    assert {"labels", "probabilities", "extrapolation"} < set(before)
    assert {name: value for name, value in before.items() if name not in own} == {
        name: value for name, value in after.items() if name not in own
    }
    evaluated = [client.evaluate(model, job.dataset, part="train").loss for model in (job.model, created["id"])]
    assert evaluated[0] == evaluated[1]


def test_an_npz_file_holds_the_signature_as_plain_text(client: Client) -> None:
    job = train(client)
    with np.load(io.BytesIO(export(client.http, job.model, "npz").content), allow_pickle=False) as arrays:
        text = arrays["signature"]
    assert (text.dtype.kind, text.shape) == ("U", ())
    assert json.loads(str(text))["targets"][0]["categories"] == ["setosa", "virginica"]


@pytest.mark.parametrize("form", KINDS)
def test_a_put_takes_the_signature_of_the_file_or_keeps_the_one_before(client: Client, form: str) -> None:
    column = {"name": "y", "kind": "numeric"}
    model = straight(client).id
    bare = export(client.http, model, form).content
    for name in ("x", "z"):
        text = json.dumps({"features": [{"name": name, "kind": "numeric"}], "targets": [column]})
        assert put(client.http, model, form, with_signature(form, text)).status_code == 201
        assert known(client.http, model)["features"][0]["name"] == name
        assert put(client.http, model, form, bare).status_code == 201
        assert known(client.http, model)["features"][0]["name"] == name


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"features": [], "targets": []}', "\ud7ff", "[" * 2000])
@pytest.mark.parametrize("form", KINDS)
def test_a_broken_signature_is_a_problem_and_changes_nothing(client: Client, form: str, text: str) -> None:
    model, file = straight(client).id, with_signature(form, text)
    for answer in (post(client.http, form, file), put(client.http, model, form, file)):
        found = problem(answer, 422)
        assert found["code"] == "bad_signature"
        assert all(fault["pointer"].startswith("#/signature") for fault in found["errors"])
    assert client.http.get(f"/api/models/{model}").json()["version"] == 0


def test_what_was_written_is_read_again() -> None:
    assert read(json.dumps(asdict(SOUND))) == SOUND


def test_what_is_not_there_is_not_known() -> None:
    text = json.dumps({"features": [{"name": "x", "kind": "numeric"}], "targets": [{"name": "y", "kind": "numeric"}]})
    assert read(text, "Dense(1 => 1)") == Signature((Feature("x", "numeric"),), (Target("y", "numeric"),))


@pytest.mark.parametrize(
    "loss",
    [*(to_json(LOSSES[name]()) for name in LOSSES if name != "expression"), {"expression": "mean((ŷ - y) ^ 2)"}],
    ids=str,
)
def test_every_loss_comes_back(loss: Any) -> None:
    assert read(json.dumps({**asdict(SOUND), "loss": loss})).loss == loss


MANY = [str(number) for number in range(MOST_ASKED_FOR + 1)]


@pytest.mark.parametrize(
    ("place", "value", "pointer"),
    [
        ("features", None, "features"),
        ("features", {}, "features"),
        ("features", [], "features"),
        ("features", [3], "features/0"),
        ("features", [{"name": str(number), "kind": "numeric"} for number in range(4097)], "features"),
        ("features/0/name", "", "features/0/name"),
        ("features/0/name", 3, "features/0/name"),
        ("features/0/name", "x" * 501, "features/0/name"),
        ("features/0/name", "a\nb", "features/0/name"),
        ("features/0/name", "wild", ""),
        ("features/0/name", "weight", ""),
        ("features/0/name", "trust", ""),
        ("features/0/kind", "integer", "features/0/kind"),
        ("features/0/kind", ["numeric"], "features/0/kind"),
        ("features/0/kind", "categorical", "features/0"),
        ("features/0/width", 1, "features/0/width"),
        ("features/0/min", None, "features/0"),
        ("features/0/min", "1", "features/0/min"),
        ("features/0/min", True, "features/0/min"),
        ("features/0/min", 8, "features/0"),
        ("features/0/max", 1e39, "features/0/max"),
        ("features/0/fill", -1e39, "features/0/fill"),
        ("features/0/fill", [1], "features/0/fill"),
        ("features/1/fill", 0.5, "features/1"),
        ("features/1/fill", 2, "features/1"),
        ("features/1/categories", ["false", "true"], "features/1"),
        ("features/2/fill", 3, "features/2"),
        ("features/2/fill", -1, "features/2"),
        ("features/2/fill", 1e300, "features/2"),
        ("features/2/min", 1, "features/2"),
        ("features/2/categories", None, "features/2"),
        ("features/2/categories", [], "features/2/categories"),
        ("features/2/categories", "abc", "features/2/categories"),
        ("features/2/categories", ["a", "b", "a"], "features/2/categories"),
        ("features/2/categories", ["a", "b", 3], "features/2/categories/2"),
        ("features/2/categories", ["a", "b", "c" * 1001], "features/2/categories/2"),
        ("features/2/categories", MANY, "features/2/categories"),
        ("features/2/categories", ["a", "b", "c", "d"], "features"),
        ("targets", [], "targets"),
        ("targets/0/categories", ["a", "a"], "targets/0/categories"),
        ("targets/0/categories", ["a", "b", "c"], "targets"),
        ("targets/0/categories", None, "targets/0"),
        ("targets/0/min", 1, "targets/0/min"),
        ("targets/0/kind", "boolean", "targets/0"),
        ("targets/0/kind", "numeric", "targets/0"),
        ("targets/0", {"name": "a", "kind": "boolean", "categories": ["true", "false"]}, "targets/0"),
        ("targets/0", {"name": "a", "kind": "boolean", "categories": ["false", "true"]}, ""),
        ("targets/0", {"name": "a", "kind": "numeric"}, ""),
        ("link", "logit", "link"),
        ("link", {}, "link"),
        ("loss", "mean", "loss"),
        ("loss", 3, "loss"),
        ("loss", {}, "loss/name"),
        ("loss", {"name": []}, "loss/name"),
        ("loss", {"name": "focal_loss", "gamma": "3"}, "loss/gamma"),
        ("loss", {"expression": "import os"}, "loss/expression"),
        ("weights", 3, "weights"),
        ("weights", "x" * 501, "weights"),
        ("version", 1, "version"),
    ],
)
def test_what_is_wrong_is_named(place: str, value: Any, pointer: str) -> None:
    written = json.loads(json.dumps(asdict(SOUND)))
    *way, last = [int(part) if part.isdigit() else part for part in place.split("/")]
    target: Any = written
    for part in way:
        target = target[part]
    target[last] = copy.deepcopy(value)
    error = refused(json.dumps(written))
    assert error.errors[0].pointer == f"#/signature/{pointer}".rstrip("/")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_only_finite_numbers_are_read(number: str) -> None:
    text = json.dumps(asdict(SOUND))
    assert "7.0" in text
    assert "not JSON" in refused(text.replace("7.0", number)).detail


def test_the_text_is_not_longer_than_signatures_are() -> None:
    assert "4,194,304" in refused(json.dumps(asdict(SOUND)) + " " * from_file.LONGEST_SIGNATURE).detail


def test_widths_are_those_of_the_network_and_numbers_those_of_its_dtype() -> None:
    text = json.dumps(asdict(SOUND))
    assert "5 inputs wide, but the network has 4" in refused(text, "Dense(4 => 3)").detail
    assert "3 outputs wide, but the network has 2" in refused(text, "Dense(5 => 2)").detail
    large = text.replace("7.0", "1e39")
    assert read(large, dtype="float64").features[0].max == 1e39
    assert "too large for float32" in refused(large).detail
