"""A folder that MLServer serves: its settings, and a scikit-learn network 32-64-1 whose weights lie beside it.

Run by the environment that MLServer is in: python benchmarks/peers/mlserver_model.py <folder> <port>
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPRegressor

COLUMNS = 32


def main(folder: Path, port: int) -> None:
    random = np.random.default_rng(0)
    inputs = random.standard_normal((256, COLUMNS))
    network = MLPRegressor(hidden_layer_sizes=(64,), activation="relu", solver="sgd", max_iter=3, random_state=0)
    network.fit(inputs, np.sin(inputs[:, 0]) + inputs[:, 1])
    (first, second), (bias, last) = network.coefs_, network.intercepts_
    np.savez(folder / "weights.npz", first=first, bias=bias, second=second, last=last)
    (folder / "model.joblib").write_bytes(pickle.dumps(network))
    settings = {
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "host": "127.0.0.1",
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "network",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib"},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
