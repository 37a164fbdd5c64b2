"""Exports over HTTP: files that other tools read, with names, tags and problems as they should be."""

import io
import json
import sys

import httpx
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it has no types
import pytest
import safetensors.numpy as safetensors_library

from service.client import Client
from service.errors import NotInstalled
from service.learning.network import Network
from service.learning.notation import read
from service.models import files
from service.models.files.export import FORMATS, Export
from service.models.trained_network import TrainedNetwork
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

KINDS = {
    "onnx": ("application/onnx", ".onnx"),
    "safetensors": ("application/safetensors", ".safetensors"),
    "npz": ("application/npz", ".npz"),
    "flux": ("text/x-julia; charset=utf-8", ".jl"),
}
DEEP = "Chain(Dense(2 => 8, gelu_erf), LayerNorm(8), SkipConnection(Dense(8 => 8, tanh), +), Dense(8 => 3), softmax)"


def export(http: httpx.Client, model: str, form: str, **query: int) -> httpx.Response:
    answer = http.get(
        f"/api/models/{model}/export", params={"format": form} | {name: str(value) for name, value in query.items()}
    )
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("form", KINDS)
def test_an_export_is_a_file_with_a_name_and_a_tag(client: Client, form: str) -> None:
    model = client.create_model("Dense(2 => 1)", name=f"exported-{form}")
    answer = export(client.http, model.name, form)
    kind, suffix = KINDS[form]

    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="exported-{form}-v0{suffix}"'
    assert answer.headers["etag"].startswith('"')
    again = export(client.http, model.id, form)
    assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])

    unchanged = client.http.get(
        f"/api/models/{model.id}/export",
        params={"format": form},
        headers={"If-None-Match": f'"another", {answer.headers["etag"]}'},
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    client.http.delete(f"/api/models/{model.id}")


def test_tags_tell_versions_formats_and_names_apart(client: Client) -> None:
    model = straight(client)
    tags = [export(client.http, model.id, form).headers["etag"] for form in KINDS]
    layers = [{"weight": [[2]], "bias": [3]}]
    client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers})
    tags += [export(client.http, model.id, form).headers["etag"] for form in KINDS]
    assert export(client.http, model.id, "npz", version=0).headers["etag"] == tags[list(KINDS).index("npz")]
    client.http.patch(f"/api/models/{model.id}", json={"name": "of-another-name"})
    tags.append(export(client.http, model.id, "npz").headers["etag"])
    client.http.delete(f"/api/models/{model.id}")
    assert len(set(tags)) == len(tags)


def test_an_onnx_file_predicts_what_the_service_predicts(client: Client) -> None:
    model = client.create_model(DEEP, seed=4)
    file = export(client.http, model.id, "onnx").content
    inputs = [[0.5, -1.0], [3.0, 2.0], [-20.0, 0.0]]

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(["outputs"], {"inputs": np.array(inputs, np.float32)})
    np.testing.assert_allclose(outputs, client.predict(model.id, inputs).outputs, rtol=1e-5, atol=1e-5)

    about = {entry.key: entry.value for entry in onnx.load_model_from_string(file).metadata_props}
    assert about == {
        "format": "descent",
        "model": model.id,
        "version": "0",
        "architecture": model.architecture,
        "dtype": "float32",
    }


def test_a_file_has_the_parameters_of_the_version_that_was_asked_for(client: Client) -> None:
    model = straight(client)
    for weight in (5.0, 7.0):
        layers = [{"weight": [[weight]], "bias": [0.5]}]
        assert client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers}).status_code == 201

    tensors = safetensors_library.load(export(client.http, model.id, "safetensors", version=1).content)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        "layers.0.weight": [[5.0]],
        "layers.0.bias": [0.5],
    }
    with np.load(io.BytesIO(export(client.http, model.id, "npz", version=2).content)) as arrays:
        assert arrays["layers.0.weight"] == [[7.0]]
    source = export(client.http, model.id, "flux", version=1).text
    assert "model.weight .= reshape([5.0f0], 1, 1)" in source
    assert source.startswith(f"# {model.id}-v1: Dense(1 => 1)\n")


def test_a_trained_version_says_what_it_was_trained_on(client: Client) -> None:
    dataset, model = line(client), straight(client)
    client.train(model.id, dataset.id, wait=30, epochs=4, keep_every=2)
    file = export(client.http, model.id, "safetensors", epoch=2)
    about = json.loads(file.content[8 : 8 + int.from_bytes(file.content[:8], "little")])["__metadata__"]

    assert file.headers["content-disposition"].endswith('-v1-epoch2.safetensors"')
    assert (about["version"], about["epoch"]) == ("1", "2")
    assert [feature["name"] for feature in json.loads(about["signature"])["features"]] == ["x"]
    kept = client.http.get(f"/api/models/{model.id}/parameters?epoch=2").json()["layers"]
    assert safetensors_library.load(file.content)["layers.0.weight"] == np.float32(kept[0]["weight"])


def test_what_cannot_be_exported_is_a_problem(client: Client) -> None:
    model = straight(client)
    path = f"/api/models/{model.id}/export"
    assert pointers(client.http.get(path)) == ["query/format"]
    assert pointers(client.http.get(f"{path}?format=pickle")) == ["query/format"]
    assert problem(client.http.get(f"{path}?format=npz&version=1"), 404)["code"] == "version_not_found"
    assert problem(client.http.get(f"{path}?format=npz&epoch=1"), 404)["code"] == "epoch_not_kept"
    assert problem(client.http.get("/api/models/nobody/export?format=npz"), 404)["code"] == "model_not_found"


def test_without_onnx_the_problem_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(read("Dense(1 => 1)"))
    trained = TrainedNetwork("mdl", 0, None, True, network, network.initial(0))
    for name in list(sys.modules):
        if name.partition(".")[0] == "onnx" or name.startswith("service.models.files.onnx"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(files, "onnx_model", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(NotInstalled, match="pip install onnx") as refused:
        FORMATS["onnx"].write(Export(trained, "a"))
    assert refused.value.status == 501
