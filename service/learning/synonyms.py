"""Names that PyTorch, Keras and misspellings have for what is called otherwise here: suggested, never accepted."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

TERMS = {
    "linear": "Dense|identity",
    "fullyconnected": "Dense",
    "sequential": "Chain",
    "residual": "SkipConnection",
    "batchnorm1d": "BatchNorm",
    "batchnormalization": "BatchNorm",
    "layernormalization": "LayerNorm",
    "silu": "swish",
    "gelu": "gelu_tanh",
    "logistic": "sigmoid",
    "celoss": "logitcrossentropy",
    "crossentropyloss": "logitcrossentropy",
    "categoricalcrossentropy": "crossentropy",
    "sparsecategoricalcrossentropy": "crossentropy",
    "nll": "crossentropy",
    "nllloss": "crossentropy",
    "logloss": "crossentropy",
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
    "cosine": "CosAnneal",
    "cosinedecay": "CosAnneal",
    "cosineannealinglr": "CosAnneal",
    "xavier": "glorot_uniform",
    "he": "kaiming_uniform",
    "xavieruniform": "glorot_uniform",
    "xaviernormal": "glorot_normal",
    "heuniform": "kaiming_uniform",
    "henormal": "kaiming_normal",
    "zeros": "zeros32",
    "ones": "ones32",
}
"""Names of terms, by their letters alone, without capitals; where a name means several, they are divided by `|`."""
NEAR = 0.65
"""Likeness, of 1, from which a name may be a misspelling of another."""
PARAMETERS = {
    "infeatures": "in",
    "inputdim": "in",
    "outfeatures": "out",
    "units": "out",
    "numfeatures": "size",
    "normalizedshape": "size",
    "act": "activation",
    "nonlinearity": "activation",
    "usebias": "bias",
    "initializer": "init",
    "initialiser": "init",
    "initialization": "init",
    "initialisation": "init",
    "kernelinitializer": "init",
    "rate": "p",
    "negativeslope": "a",
}
"""Names of the parameters of terms, likewise."""


def suggestion(name: str, known: Collection[str], synonyms: Mapping[str, str]) -> str | None:
    """Return the known name that may be meant by one that is not; a synonym may lead into another object (`a.b`)."""
    shortest_last = sorted(known, key=lambda each: (-len(each), each))  # `yhat` before its other spelling `y_hat`
    letters = {_letters(each): each for each in shortest_last}
    own = _letters(name)
    if own and own in letters:
        return letters[own]
    for other in synonyms.get(own, "").split("|"):
        if other.partition(".")[0] in known:
            return other
        if other.rpartition(".")[2] in known:
            return other.rpartition(".")[2]
    near = get_close_matches(own, letters, n=1, cutoff=NEAR)
    return letters[near[0]] if near else None


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def hint(name: str, known: Collection[str], synonyms: Mapping[str, str]) -> str:
    """Return the question whether another name is meant, or all names that are known."""
    near = suggestion(name, known, synonyms)
    return f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"


def listed(names: Sequence[str], limit: int) -> str:
    """Return the first names as a message lists them, and the number of the others."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
