"""ROC AUC: the chance that scores rank a row of a class above a row of any other."""

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, Indices

MOST_SCORE_BYTES = 128 << 20  # of scores that are kept until all are there: a service may have 512 MB in all
SCORES_AT_ONCE = 1 << 16  # scores whose places are looked for at once


class Ranking:
    """The area under the ROC curve, from scores (rows × classes) that come block by block.

    For two classes it is the area of the second one's scores; for more the mean over classes, each against the
    rest. None where a class has no rows, where scores are not numbers, and where they would take more than 128 MiB.
    """

    def __init__(self, classes: int, rows: int) -> None:
        self._classes = range(classes) if classes > 2 else range(1, classes)
        self._codes = np.empty(rows, np.min_scalar_type(classes))
        self._scores: Array | None = None
        self._count = 0

    def add(self, scores: Array, codes: Indices) -> None:
        """Add rows: their scores, and the codes (rows) of their classes."""
        rows, wanted = len(self._codes), len(self._classes)
        if rows * wanted * scores.itemsize > MOST_SCORE_BYTES:
            return
        if self._scores is None:
            self._scores = np.empty((wanted, rows), scores.dtype)
        added = slice(self._count, self._count + len(codes))
        self._codes[added] = codes
        self._scores[:, added] = scores[:, self._classes.start :].T
        self._count = added.stop

    def roc_auc(self) -> float | None:
        if self._scores is None or not len(self._classes):
            return None
        areas = []
        for code, scores in zip(self._classes, self._scores, strict=True):
            area = area_under_roc(scores, self._codes == code)
            if area is None:
                return None
            areas.append(area)
        return float(np.mean(areas))


def area_under_roc(scores: Array, positive: NDArray[np.bool_]) -> float | None:
    """Return the chance that a positive row has a higher score than one that is not, equal scores counting half.

    That is the area under the ROC curve: J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", 1982.
    """
    ones, others = scores[positive], scores[~positive]
    ones.sort()
    others.sort()
    if not len(ones) or not len(others) or np.isnan(ones[-1]) or np.isnan(others[-1]):
        return None
    twice_below = 0
    for start in range(0, len(ones), SCORES_AT_ONCE):
        block = ones[start : start + SCORES_AT_ONCE]
        twice_below += sum(int(np.searchsorted(others, block, side).sum()) for side in ("left", "right"))
    return twice_below / (2 * len(ones) * len(others))
