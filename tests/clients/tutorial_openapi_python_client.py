"""The Flux tutorial by the client that openapi-python-client makes."""

import json
import sys

from descent_client import Client
from descent_client.api.datasets import create_dataset
from descent_client.api.jobs import create_job, show_epochs, show_job
from descent_client.api.models import create_model, show_parameters
from descent_client.api.predictions import evaluate, predict
from descent_client.models import (
    CreateDatasetJsonNewDataset,
    CreateModelJsonNewModel,
    NewEvaluation,
    NewJob,
    PredictJsonNewPrediction,
)

TRAIN, TEST = range(6), range(6, 11)


def main() -> None:
    client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
    table = {"x": [*TRAIN, *TEST], "y": [4 * x + 2 for x in (*TRAIN, *TEST)]}
    dataset = create_dataset.sync(
        client=client,
        body=CreateDatasetJsonNewDataset.from_dict(
            {"columns": table, "targets": ["y"], "split": {"test": {"last": len(TEST)}}}
        ),
    )
    start = [{"weight": [[0.9066542]], "bias": [0]}]
    model = create_model.sync(
        client=client,
        body=CreateModelJsonNewModel.from_dict({"architecture": "Dense(1 => 1)", "parameters": start}),
    )
    rows = PredictJsonNewPrediction(inputs=[[x] for x in TEST])
    untrained = predict.sync(model.id, client=client, body=rows)
    recipe = {"epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}}
    job = create_job.sync(
        client=client,
        body=NewJob.from_dict({"model": model.id, "dataset": dataset.id, **recipe}),
        prefer="wait=60",
    )
    job = show_job.sync(job.id, client=client, prefer="wait=60")
    reports = show_epochs.sync(job.id, client=client, limit=1000).items
    layer = show_parameters.sync(model.id, client=client, version=job.version).layers[0].to_dict()
    trained = predict.sync(model.id, client=client, body=rows)
    evaluation = evaluate.sync(model.id, client=client, body=NewEvaluation(dataset=dataset.id))
    figures = {
        "state": job.state.value,
        "rule": job.recipe.optimiser.to_dict()["rule"],
        "losses": [reports[epoch].train_loss for epoch in (0, 1, 201)],
        "untrained": [row[0] for row in untrained.outputs],
        "weight": layer["weight"][0][0],
        "bias": layer["bias"][0],
        "predictions": [row[0] for row in trained.outputs],
        "mse": evaluation.metrics.mse,
    }
    json.dump(figures, sys.stdout)


main()
