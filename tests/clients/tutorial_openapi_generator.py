"""The Flux tutorial by the client that openapi-generator makes for Python."""

import json
import sys

from descent_openapi import (
    ApiClient,
    Configuration,
    DatasetsApi,
    JobsApi,
    ModelsApi,
    NewDataset,
    NewEvaluation,
    NewJob,
    NewModel,
    NewPrediction,
    PredictionsApi,
)

TRAIN, TEST = range(6), range(6, 11)


def main() -> None:
    client = ApiClient(Configuration(host=sys.argv[1]))
    datasets, models, jobs, predictions = (each(client) for each in (DatasetsApi, ModelsApi, JobsApi, PredictionsApi))
    table = {"x": [*TRAIN, *TEST], "y": [4 * x + 2 for x in (*TRAIN, *TEST)]}
    dataset = datasets.create_dataset(
        NewDataset.from_dict({"columns": table, "targets": ["y"], "split": {"test": {"last": len(TEST)}}})
    )
    start = [{"weight": [[0.9066542]], "bias": [0]}]
    model = models.create_model(NewModel.from_dict({"architecture": "Dense(1 => 1)", "parameters": start}))
    rows = NewPrediction(inputs=[[x] for x in TEST])
    untrained = predictions.predict(model.id, rows)
    recipe = {"epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}}
    created = jobs.create_job(NewJob.from_dict({"model": model.id, "dataset": dataset.id, **recipe}), prefer="wait=60")
    job = jobs.show_job(created.actual_instance.id, prefer="wait=60")
    reports = jobs.show_epochs(job.id, limit=1000).items
    layer = models.show_parameters(model.id, version=job.version).to_dict()["layers"][0]
    trained = predictions.predict(model.id, rows)
    evaluation = predictions.evaluate(model.id, NewEvaluation(dataset=dataset.id))
    figures = {
        "state": job.state,
        "rule": job.to_dict()["recipe"]["optimiser"]["rule"],
        "losses": [reports[epoch].train_loss for epoch in (0, 1, 201)],
        "untrained": [row[0] for row in untrained.outputs],
        "weight": layer["weight"][0][0],
        "bias": layer["bias"][0],
        "predictions": [row[0] for row in trained.outputs],
        "mse": evaluation.to_dict()["metrics"]["mse"],
    }
    json.dump(figures, sys.stdout)


main()
