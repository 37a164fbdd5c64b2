"""Long answers are written in pieces, with the bytes of a single piece."""

import json

import numpy as np
import orjson
import pytest

from service.http import media_types
from service.learning import notation
from service.learning.network import Network
from service.models.trained_network import TrainedNetwork
from service.predictions import answers
from service.predictions.answers import VALUES_OF_A_PIECE

NETWORK = Network(notation.read("Dense(2 => 3)"))
TRAINED = TrainedNetwork("mdl", 0, None, False, NETWORK, NETWORK.initial(0))


@pytest.mark.parametrize("values", [3, VALUES_OF_A_PIECE, 5 * VALUES_OF_A_PIECE])
def test_many_outputs_are_written_as_few_are(monkeypatch: pytest.MonkeyPatch, values: int) -> None:
    outputs = np.linspace(-1, 1, values // 3 * 3, dtype=np.float32).reshape(-1, 3)
    written: list[int] = []
    dumps = orjson.dumps

    def count(value: object, **options: object) -> bytes:
        if isinstance(value, np.ndarray):
            written.append(value.size)
        return dumps(value, **options)  # type: ignore[arg-type]  # orjson's own

    monkeypatch.setattr(orjson, "dumps", count)
    answer = answers.write(media_types.JSON, TRAINED, np.zeros((len(outputs), 2), np.float32), outputs, ())
    assert np.array_equal(np.array(json.loads(answer.content)["outputs"], np.float32), outputs)
    assert max(written, default=0) <= VALUES_OF_A_PIECE
