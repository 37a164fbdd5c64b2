"""The values of scikit-learn's metrics for small tables of predictions: sklearn_metrics.json.

Run in an environment of its own (README.md beside this file): `python -m tests.learning.references.make_metrics`.
"""

import json
import platform
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn import metrics

HERE = Path(__file__).parent
Array = NDArray[Any]
GENERATOR = np.random.default_rng(0)


def numbers(rows: int, outputs: int = 1, scale: float = 1.0) -> Array:
    """Multiples of 1/64, which every float holds exactly."""
    return np.round(GENERATOR.normal(0, 64 * scale, (rows, outputs))) / 64


def near(targets: Array) -> Array:
    return targets + numbers(len(targets), targets.shape[1], 0.5)


def regressions() -> dict[str, tuple[Array, Array]]:
    """Predictions and targets by name."""
    plain, several, far = numbers(20), numbers(20, 3), numbers(20) + 2**10
    constant = np.full((6, 1), 3.0)
    half_constant = np.hstack([constant, numbers(6)])
    return {
        "one output": (near(plain), plain),
        "several outputs": (near(several), several),
        "large targets": (near(far), far),
        "worse than the mean": (-3 * plain, plain),
        "exact": (plain, plain),
        "off by a constant": (plain + 0.5, plain),
        "a constant prediction": (np.zeros_like(plain), plain),
        "a constant target": (near(constant), constant),
        "a constant target, off by a constant": (constant + 0.5, constant),
        "a constant target, exact": (constant, constant),
        "a constant target beside another": (near(half_constant), half_constant),
        "one row": (plain[:1] + 0.25, plain[:1]),
        "two rows": (near(plain[:2]), plain[:2]),
    }


def probabilities(rows: int, classes: int, parts: int = 64) -> Array:
    """Multiples of 1/parts that sum to one in each row; some are equal, some are 0."""
    return GENERATOR.multinomial(parts, GENERATOR.dirichlet(np.ones(classes), rows)) / parts


def drawn(scores: Array) -> Array:
    """Draw true classes by probabilities that follow the scores."""
    return np.array([GENERATOR.choice(len(row), p=row) for row in (scores + 1 / scores.shape[1]) / 2])


def classifications() -> dict[str, tuple[Array, Array]]:
    """Scores and true codes by name."""
    two, three, ten, coarse = probabilities(40, 2), probabilities(40, 3), probabilities(80, 10), probabilities(40, 3, 4)
    shy = np.hstack([three[:, :2] / 2, 1 - three[:, :2].sum(axis=1, keepdims=True) / 2])
    right = np.arange(9) % 3
    return {
        "two classes": (two, drawn(two)),
        "three classes": (three, drawn(three)),
        "ten classes": (ten, np.concatenate([np.arange(10), drawn(ten)[10:]])),
        "many equal scores": (coarse, drawn(coarse)),
        "all scores equal": (np.full((8, 2), 0.5), np.arange(8) % 2),
        "exact": (np.eye(3)[right], right),
        "certain and wrong": (np.eye(3)[(right + 1) % 3], right),
        "a class that is never predicted": (shy, drawn(three)),
        "a class that is never true": (three, drawn(three) % 2),
        "a class that is neither": (np.hstack([two, np.zeros((40, 1))]), drawn(two)),
        "one class alone is true": (two, np.ones(40, int)),
        "one row": (three[:1], np.array([1])),
        "scores that are no probabilities": (numbers(30, 3), drawn(three[:30])),
        "two scores that are no probabilities": (numbers(30, 2), drawn(two[:30])),
    }


def regression(predictions: Array, targets: Array) -> dict[str, float | None]:
    mse = metrics.mean_squared_error(targets, predictions)
    return {
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "mae": metrics.mean_absolute_error(targets, predictions),
        "r2": metrics.r2_score(targets, predictions) if len(targets) > 1 else None,
        "max_error": metrics.max_error(targets.ravel(), predictions.ravel()),
        "explained_variance": metrics.explained_variance_score(targets, predictions),
    }


def roc_auc(scores: Array, codes: Array) -> float | None:
    """The function's own mean over classes, but also for scores that are no probabilities: it refuses these."""
    classes = range(scores.shape[1])
    if len(set(codes.tolist())) < len(classes):
        return None
    if len(classes) == 2:
        return float(metrics.roc_auc_score(codes, scores[:, 1]))
    if are_probabilities(scores):
        return float(metrics.roc_auc_score(codes, scores, multi_class="ovr", labels=list(classes)))
    return float(np.mean([metrics.roc_auc_score(codes == code, scores[:, code]) for code in classes]))


def log_loss(scores: Array, codes: Array) -> float | None:
    if not are_probabilities(scores):
        return None
    return float(metrics.log_loss(codes, scores, labels=list(range(scores.shape[1]))))


def are_probabilities(scores: Array) -> bool:
    return bool((scores >= 0).all() and (scores.sum(axis=1) == 1).all())


def classification(scores: Array, codes: Array) -> dict[str, Any]:
    predicted, classes = scores.argmax(axis=1), list(range(scores.shape[1]))
    of_classes = metrics.precision_recall_fscore_support(codes, predicted, labels=classes, zero_division=0)
    macro = metrics.precision_recall_fscore_support(codes, predicted, average="macro", zero_division=0)
    return {
        "accuracy": metrics.accuracy_score(codes, predicted),
        "log_loss": log_loss(scores, codes),
        "roc_auc": roc_auc(scores, codes),
        "macro": dict(zip(("precision", "recall", "f1"), macro[:3], strict=True)),
        "per_class": [
            {"precision": precision, "recall": recall, "f1": f1, "support": int(support)}
            for precision, recall, f1, support in zip(*of_classes, strict=True)
        ],
        "confusion_matrix": metrics.confusion_matrix(codes, predicted, labels=classes).tolist(),
    }


def cases() -> list[dict[str, Any]]:
    """The log loss alone depends on the dtype: on how near to 0 and 1 it lets probabilities come."""
    regressed = [
        {
            "name": name,
            "kind": "regression",
            "predictions": predictions.tolist(),
            "targets": targets.tolist(),
            "answer": regression(predictions, targets),
        }
        for name, (predictions, targets) in regressions().items()
    ]
    classified = [
        {
            "name": name,
            "kind": "classification",
            "scores": scores.tolist(),
            "codes": codes.tolist(),
            "answer": classification(scores, codes),
            "float32_log_loss": log_loss(scores.astype(np.float32), codes),
        }
        for name, (scores, codes) in classifications().items()
    ]
    return [*regressed, *classified]


def main() -> None:
    warnings.simplefilter("ignore")  # about undefined metrics
    versions = {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__}
    lines = ",\n".join(json.dumps(case) for case in cases())
    (HERE / "sklearn_metrics.json").write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
