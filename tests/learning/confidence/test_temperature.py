"""The temperature of probabilities."""

import numpy as np
import pytest

from service.learning.confidence.temperature import LARGEST, fitted, scores_at
from service.learning.evaluation.class_scores import class_scores
from service.learning.losses import Link

RNG = np.random.default_rng(5)
LOGITS = RNG.normal(0, 2, (4000, 3))


def drawn(chances: np.ndarray) -> np.ndarray:
    """Return a class for each row, drawn by its probabilities."""
    return np.asarray((RNG.uniform(size=(len(chances), 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2))


@pytest.mark.parametrize("link", ["softmax", "identity"])
def test_outputs_that_are_too_sure_are_cooled_to_the_true_chances(link: Link) -> None:
    true = class_scores(LOGITS, "softmax")
    codes = drawn(true)
    sure = 3 * LOGITS if link == "softmax" else class_scores(3 * LOGITS, "softmax")
    temperature = fitted(sure, codes, link, boolean=False)
    assert temperature == pytest.approx(3, rel=0.1)
    np.testing.assert_allclose(scores_at(sure, link, 3.0, boolean=False), true, atol=1e-6)


@pytest.mark.parametrize("link", ["sigmoid", "identity"])
def test_a_boolean_has_a_temperature_too(link: Link) -> None:
    true = class_scores(LOGITS[:, :1], "sigmoid", boolean=True)
    codes = drawn(np.pad(true, ((0, 0), (0, 1))))
    sure = 3 * LOGITS[:, :1] if link == "sigmoid" else class_scores(3 * LOGITS[:, :1], "sigmoid")
    assert fitted(sure, codes, link, boolean=True) == pytest.approx(3, rel=0.1)
    np.testing.assert_allclose(scores_at(sure, link, 3.0, boolean=True), true, atol=1e-6)


def test_classes_told_apart_without_error_keep_a_chance_of_error() -> None:
    assert fitted(LOGITS, LOGITS.argmax(axis=1), "softmax", boolean=False) == pytest.approx(1 / LARGEST)
