"""Names that PyTorch, Keras and misspellings have for what is called otherwise here: suggested, never accepted."""

from collections.abc import Collection
from difflib import get_close_matches

TERMS = {
    "linear": "Dense",
    "sequential": "Chain",
    "residual": "SkipConnection",
    "batchnorm1d": "BatchNorm",
    "batchnormalization": "BatchNorm",
    "layernormalization": "LayerNorm",
    "silu": "swish",
    "celoss": "logitcrossentropy",
    "crossentropyloss": "logitcrossentropy",
    "categoricalcrossentropy": "crossentropy",
    "bce": "binarycrossentropy",
    "bceloss": "binarycrossentropy",
    "bcewithlogits": "logitbinarycrossentropy",
    "bcewithlogitsloss": "logitbinarycrossentropy",
    "mseloss": "mse",
    "meansquarederror": "mse",
    "l2": "mse",
    "l1": "mae",
    "l1loss": "mae",
    "meanabsoluteerror": "mae",
    "smoothl1loss": "huber_loss",
    "huber": "huber_loss",
    "hinge": "hinge_loss",
    "dice": "dice_coeff_loss",
    "focal": "focal_loss",
    "kldiv": "kldivergence",
    "kldivloss": "kldivergence",
    "poissonnllloss": "poisson_loss",
    "sgd": "Descent",
    "gradientdescent": "Descent",
    "exponentiallr": "Exp",
    "steplr": "Step",
    "reducelronplateau": "Plateau",
    "xavieruniform": "glorot_uniform",
    "xaviernormal": "glorot_normal",
    "heuniform": "kaiming_uniform",
    "henormal": "kaiming_normal",
}
"""By their letters alone, without capitals."""
FIELDS = {
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
    "scheduler": "schedule",
    "layer": "layers",
    "data": "dataset",
    "instances": "inputs",
    "infeatures": "in",
    "outfeatures": "out",
    "units": "out",
}


def suggestion(name: str, known: Collection[str], synonyms: dict[str, str]) -> str | None:
    """Return the known name that may be meant by one that is not; a synonym may lead into another object (`a.b`)."""
    letters = {_letters(each): each for each in known}
    own = _letters(name)
    if own in letters:
        return letters[own]
    other = synonyms.get(own, "")
    if other.partition(".")[0] in known:
        return other
    if other.rpartition(".")[2] in known:
        return other.rpartition(".")[2]
    near = get_close_matches(own, letters, n=1)
    return letters[near[0]] if near else None


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()
