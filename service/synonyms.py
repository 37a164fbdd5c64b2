"""Names that other libraries have for the fields of bodies: suggested, never accepted."""

from service.learning.synonyms import PARAMETERS

FIELDS = PARAMETERS | {
    "optimizer": "optimiser",
    "criterion": "loss",
    "lossfunction": "loss",
    "lr": "optimiser.eta",
    "learningrate": "optimiser.eta",
    "rate": "optimiser.eta",
    "momentum": "optimiser.rho",
    "weightdecay": "optimiser.lambda",
    "target": "targets",
    "label": "targets",
    "labels": "targets",
    "y": "targets",
    "batch": "batch_size",
    "batchsize": "batch_size",
    "epoch": "epochs",
    "nepochs": "epochs",
    "normalize": "standardise",
    "normalise": "standardise",
    "standardize": "standardise",
    "earlystop": "early_stopping",
    "ema": "average",
    "swa": "average",
    "scheduler": "schedule",
    "layer": "layers",
    "data": "dataset",
    "instances": "inputs",
}
"""By their letters alone, without capitals; a dot leads into an object."""
