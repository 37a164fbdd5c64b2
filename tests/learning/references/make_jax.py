"""JAX's and optax's answers: jax_activations.json, jax_losses.json, jax_optimisers.json.

Run in an environment of its own (README.md beside this file): `python -m tests.learning.references.make_jax`.
Optimisers that PyTorch answers for are asked here only where optax knows another variant; Adam is asked of both.
"""

from collections.abc import Callable, Iterator, Mapping
from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp
import optax

from tests.learning.references.questions import (
    ACTIVATION_INPUTS,
    DTYPES,
    LOSS_INPUTS,
    NETWORK,
    QUADRATIC,
    STEPS,
    check_precisions,
    write_answers,
)

jax.config.update("jax_enable_x64", True)
VERSIONS = {"jax": jax.__version__, "optax": optax.__version__}
Case = Mapping[str, Any]

ACTIVATIONS: list[tuple[dict[str, Any], Callable[[jax.Array], jax.Array]]] = [
    ({"name": "sigmoid"}, jax.nn.sigmoid),
    ({"name": "hardsigmoid"}, jax.nn.hard_sigmoid),
    ({"name": "logsigmoid"}, jax.nn.log_sigmoid),
    ({"name": "hardtanh"}, jax.nn.hard_tanh),
    ({"name": "relu"}, jax.nn.relu),
    ({"name": "relu6"}, jax.nn.relu6),
    ({"name": "leakyrelu", "a": 0.01}, lambda x: jax.nn.leaky_relu(x, 0.01)),
    ({"name": "elu", "alpha": 1.0}, lambda x: jax.nn.elu(x, 1.0)),
    ({"name": "gelu_tanh"}, lambda x: jax.nn.gelu(x, approximate=True)),
    ({"name": "gelu_erf"}, lambda x: jax.nn.gelu(x, approximate=False)),
    ({"name": "swish"}, jax.nn.swish),
    ({"name": "hardswish"}, jax.nn.hard_swish),
    ({"name": "selu"}, jax.nn.selu),
    ({"name": "celu", "alpha": 1.0}, lambda x: jax.nn.celu(x, 1.0)),
    ({"name": "softsign"}, jax.nn.soft_sign),
    ({"name": "softplus"}, jax.nn.softplus),
    ({"name": "logcosh"}, lambda x: optax.log_cosh(x, jnp.zeros_like(x))),
    ({"name": "mish"}, jax.nn.mish),
    ({"name": "tanh"}, jnp.tanh),
    ({"name": "softmax"}, lambda x: jax.nn.softmax(x, axis=1)),
    ({"name": "logsoftmax"}, lambda x: jax.nn.log_softmax(x, axis=1)),
]


def activations() -> Iterator[Case]:
    for term, function in ACTIVATIONS:
        case: dict[str, Any] = {"term": term}
        for dtype in DTYPES:
            value, pull_back = jax.vjp(function, jnp.asarray(ACTIVATION_INPUTS["x"], dtype))
            (gradient,) = pull_back(jnp.asarray(ACTIVATION_INPUTS["cotangent"], dtype))
            case[dtype] = {"value": value, "gradient": gradient}
        yield case


def log_regularised(p: jax.Array) -> jax.Array:
    return jnp.log(p + jnp.finfo(p.dtype).eps)


def focal(p: jax.Array, y: jax.Array, gamma: float) -> jax.Array:
    """Optax takes logits where Flux takes probabilities."""
    return optax.sigmoid_focal_loss(jnp.log(p) - jnp.log1p(-p), y, gamma=gamma)


# Each returns the values that Flux's agg goes over: elements, or rows.
LOSSES: list[tuple[dict[str, Any], str, Callable[[jax.Array, jax.Array], jax.Array]]] = [
    ({"name": "mse"}, "real", optax.squared_error),
    ({"name": "huber_loss", "delta": 1.0}, "real", lambda p, y: optax.huber_loss(p, y, delta=1.0)),
    ({"name": "logitcrossentropy"}, "logits of classes", optax.softmax_cross_entropy),
    ({"name": "logitcrossentropy"}, "logits of distributions", optax.softmax_cross_entropy),
    ({"name": "logitbinarycrossentropy"}, "logits of classes", optax.sigmoid_binary_cross_entropy),
    ({"name": "kldivergence"}, "distributions", lambda p, y: optax.kl_divergence(log_regularised(p), y)),
    ({"name": "hinge_loss"}, "signs", optax.hinge_loss),
    ({"name": "squared_hinge_loss"}, "signs", lambda p, y: optax.hinge_loss(p, y) ** 2),
    ({"name": "binary_focal_loss", "gamma": 2.0}, "binary", lambda p, y: focal(p, y, 2.0)),
    ({"name": "binary_focal_loss", "gamma": 0.5}, "binary", lambda p, y: focal(p, y, 0.5)),
]


def losses() -> Iterator[Case]:
    for term, inputs, function in LOSSES:
        for agg in ("mean", "sum"):
            case: dict[str, Any] = {"term": {**term, "agg": agg}, "inputs": inputs}
            for dtype in DTYPES:
                prediction, target = (jnp.asarray(LOSS_INPUTS[inputs][k], dtype) for k in ("prediction", "target"))

                def loss(p: jax.Array, y: jax.Array = target, agg: str = agg, f: Any = function) -> jax.Array:
                    return getattr(jnp, agg)(f(p, y))

                value, gradient = jax.value_and_grad(loss)(prediction)
                case[dtype] = {"value": value, "gradient": gradient}
            yield case
    yield from tversky()


def tversky() -> Iterator[Case]:
    """Optax's dice_loss of one image with a single class; it takes logits. alpha weighs ŷ(1 − y), beta y(1 − ŷ)."""
    case: dict[str, Any] = {"term": {"name": "tversky_loss", "beta": 0.7}, "inputs": "binary"}
    for dtype in DTYPES:
        prediction, target = (jnp.asarray(LOSS_INPUTS["binary"][k], dtype) for k in ("prediction", "target"))

        def loss(p: jax.Array, y: jax.Array = target) -> jax.Array:
            logits = (jnp.log(p) - jnp.log1p(-p)).reshape(1, -1, 1)
            return optax.losses.dice_loss(logits, y.reshape(1, -1, 1), smooth=1.0, alpha=0.7, beta=0.3)[0]

        value, gradient = jax.value_and_grad(loss)(prediction)
        case[dtype] = {"value": value, "gradient": gradient}
    yield case


class Start(dict[str, Any]):
    """The values that Flux puts into a state at the start where optax has others."""


def chain(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rule": "OptimiserChain", "rules": list(rules)}


def per_array(rule: optax.GradientTransformation) -> optax.GradientTransformation:
    """The rule applied to each array as if it were alone: a global norm becomes a norm per array."""
    return optax.multi_transform(
        dict.fromkeys(range(4), rule), lambda arrays: jax.tree.unflatten(jax.tree.structure(arrays), range(len(arrays)))
    )


BETA = {"b1": 0.9, "b2": 0.999}
ADAM_FIELDS = {"eta": 0.001, "beta": [0.9, 0.999], "epsilon": 1e-8}
ADAMW = {"rule": "AdamW", "eta": 0.001, "beta": [0.9, 0.999], "lambda": 0.05, "epsilon": 1e-8}
DESCENT = {"rule": "Descent", "eta": 0.1}

OPTIMISERS: list[tuple[dict[str, Any], optax.GradientTransformation, Start]] = [
    ({"rule": "Adam", **ADAM_FIELDS}, optax.adam(0.001, **BETA, eps=1e-8), Start()),
    ({**ADAMW, "couple": True}, optax.adamw(0.001, **BETA, eps=1e-8, weight_decay=0.05), Start()),
    (
        {**ADAMW, "couple": False},
        optax.chain(optax.adam(0.001, **BETA, eps=1e-8), optax.add_decayed_weights(-0.05)),
        Start(),
    ),
    # Flux rectifies from a length of 4 on, the paper's authors and optax's default from 5.
    ({"rule": "RAdam", **ADAM_FIELDS}, optax.radam(0.001, **BETA, eps=1e-8, threshold=4.0), Start()),
    # optax adds epsilon to |g|, Flux to the maximum: the same where it is too small to matter.
    ({"rule": "AdaMax", **ADAM_FIELDS, "epsilon": 1e-30}, optax.adamax(0.001, **BETA, eps=1e-30), Start()),
    # Flux corrects no bias and starts all three states at epsilon.
    (
        {"rule": "AMSGrad", **ADAM_FIELDS},
        optax.amsgrad(0.001, **BETA, eps=1e-8, bias_correction_mu=False, bias_correction_nu=False),
        Start(mu=1e-8, nu=1e-8, nu_max=1e-8),
    ),
    # Flux multiplies the second moment by β₂, as the paper does; optax leaves that out: rate and epsilon over √β₂.
    (
        {"rule": "NAdam", **ADAM_FIELDS},
        optax.nadam(0.001 / sqrt(0.999), **BETA, eps=1e-8 / sqrt(0.999)),
        Start(),
    ),
    # Flux takes the step before the first one as zero, optax as equal to the first.
    (
        {"rule": "OAdam", "eta": 0.001, "beta": [0.5, 0.9], "epsilon": 1e-8},
        optax.optimistic_adam_v2(0.001, b1=0.5, b2=0.9, eps=1e-8, nesterov=False),
        Start(is_initial_step=False),
    ),
    (
        {"rule": "AdaBelief", **ADAM_FIELDS, "epsilon": 1e-16},
        optax.adabelief(0.001, **BETA, eps=1e-16, eps_root=1e-16),
        Start(),
    ),
    ({"rule": "Lion", "eta": 0.001, "beta": [0.9, 0.999]}, optax.lion(0.001, **BETA, weight_decay=0.0), Start()),
    (chain({"rule": "ClipGrad", "delta": 0.25}, DESCENT), optax.chain(optax.clip(0.25), optax.sgd(0.1)), Start()),
    (
        chain({"rule": "ClipNorm", "omega": 0.5, "p": 2.0}, DESCENT),
        optax.chain(per_array(optax.clip_by_global_norm(0.5)), optax.sgd(0.1)),
        Start(),
    ),
    (
        chain({"rule": "ClipGlobalNorm", "omega": 0.5}, DESCENT),
        optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.1)),
        Start(),
    ),
    (
        chain({"rule": "AccumGrad", "n": 3}, {"rule": "Adam", **ADAM_FIELDS}),
        optax.MultiSteps(optax.adam(0.001, **BETA, eps=1e-8), every_k_schedule=3).gradient_transformation(),
        Start(),
    ),
]


def begun(state: Any, start: Start) -> Any:
    """The state with the fields that `start` names set to its numbers, wherever in the chain they lie."""
    if hasattr(state, "_replace"):
        named = {field: getattr(state, field) for field in state._fields if field in start}
        return state._replace(**{f: jax.tree.map(lambda a, v=start[f]: jnp.full_like(a, v), named[f]) for f in named})
    return tuple(begun(part, start) for part in state) if isinstance(state, tuple) else state


def quadratic(rule: optax.GradientTransformation, start: Start, dtype: str) -> jax.Array:
    matrix, linear, x = (jnp.asarray(QUADRATIC[name], dtype) for name in ("matrix", "linear", "start"))
    parameters, path = [x], [x]
    state = begun(rule.init(parameters), start)
    for _ in range(STEPS):
        updates, state = rule.update([matrix @ parameters[0] - linear], state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        path.append(parameters[0])
    return jnp.stack(path)


def network(rule: optax.GradientTransformation, start: Start, dtype: str) -> dict[str, Any]:
    parameters = [jnp.asarray(layer[name], dtype) for layer in NETWORK["parameters"] for name in layer]
    inputs, targets = (jnp.asarray(NETWORK[name], dtype) for name in ("inputs", "targets"))

    def loss(parameters: list[jax.Array]) -> jax.Array:
        w1, b1, w2, b2 = parameters
        return jnp.mean((jnp.tanh(inputs @ w1.T + b1) @ w2.T + b2 - targets) ** 2)

    state = begun(rule.init(parameters), start)
    path = []
    for _ in range(STEPS):
        value, gradient = jax.value_and_grad(loss)(parameters)
        updates, state = rule.update(gradient, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        path.append(value)
    return {"losses": jnp.stack([*path, loss(parameters)]), "parameters": parameters}


def optimisers() -> Iterator[Case]:
    for term, rule, start in OPTIMISERS:
        case: dict[str, Any] = {"term": term}
        for dtype in DTYPES:
            case[dtype] = {"quadratic": quadratic(rule, start, dtype), **network(rule, start, dtype)}
        yield case


def checked(cases: Iterator[Case]) -> Iterator[Case]:
    for case in cases:
        check_precisions(case)
        yield case


if __name__ == "__main__":
    write_answers("jax_activations.json", VERSIONS, ACTIVATION_INPUTS, checked(activations()))
    write_answers("jax_losses.json", VERSIONS, LOSS_INPUTS, checked(losses()))
    write_answers("jax_optimisers.json", VERSIONS, {"quadratic": QUADRATIC, "network": NETWORK}, checked(optimisers()))
