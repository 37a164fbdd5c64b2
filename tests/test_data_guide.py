"""The statements of docs/data.md are true."""

import re
from pathlib import Path

import onnxruntime  # type: ignore[import-untyped]

from tests.support.curl import commands, send
from tests.support.serving import RunningService

GUIDE = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
WALK, FILES = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


def test_the_walk_from_a_file_to_answers_runs_as_it_stands(service: RunningService) -> None:
    flowers, _, job, predicted, evaluation, network = [send(command, service.url) for command in commands(WALK)]

    assert (flowers["inputs"], flowers["outputs"]) == (4, 3)
    assert flowers["parts"] == {"train": 9, "validation": 0, "test": 3}
    assert job["state"] == "succeeded"
    assert predicted["labels"][0] == "setosa"
    assert [(each["row"], each["column"]) for each in predicted["extrapolation"]] == [(1, "petal_length")]
    assert evaluation["metrics"]["accuracy"] == 1
    assert len(evaluation["residuals"]) == 3
    assert onnxruntime.InferenceSession(network).get_inputs()[0].name == "inputs"

    files: dict[str, bytes] = {}
    _, gardener = [send(command, service.url, files) for command in commands(FILES)]
    assert gardener["architecture"] == "Chain(Dense(4 => 8, tanh), Dense(8 => 3))"
