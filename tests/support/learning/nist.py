"""NIST's Statistical Reference Datasets for nonlinear regression that a network of two layers is a model of.

Facts as certified by NIST, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml: data, both starts, parameters and
residual sum of squares.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from service.learning.arrays import Matrix


class Certified(NamedTuple):
    """A model: its architecture, and for each place in the flat vector which of b₁, b₂, ... is there, with its sign."""

    name: str
    architecture: str
    signs: tuple[int, ...]
    order: tuple[int, ...]
    x: Matrix
    y: Matrix
    starts: tuple[tuple[float, ...], tuple[float, ...]]
    parameters: tuple[float, ...]
    squares: float

    def vector(self, start: tuple[float, ...]) -> Matrix:
        """Return the flat vector of NIST's parameters."""
        return np.array([sign * start[place] for sign, place in zip(self.signs, self.order, strict=True)])


def column(values: ArrayLike) -> Matrix:
    return np.array(values, np.float64).reshape(-1, 1)


LANCZOS = "Chain(Dense(1 => 3, x -> exp(x); bias=false), Dense(3 => 1; bias=false))"
LANCZOS_SIGNS, LANCZOS_ORDER = (-1, -1, -1, 1, 1, 1), (1, 3, 5, 0, 2, 4)
LANCZOS_STARTS = (1.2, 0.3, 5.6, 5.5, 6.5, 7.6), (0.5, 0.7, 3.6, 4.2, 4.0, 6.3)
TIMES = column(np.arange(24) / 20)
LANCZOS_1 = (
    "2.5134 2.044333373291 1.668404436564 1.366418021208 1.123232487372 0.9268897180037 0.7679338563728 "
    "0.6388775523106 0.5337835317402 0.4479363617347 0.377584788435 0.3197393199326 0.2720130773746 "
    "0.2324965529032 0.1996589546065 0.1722704126914 0.1493405660168 0.1300700206922 0.1138119324644 "
    "0.1000415587559 0.0883320908454 0.0783354401935 0.06976693743449 0.06239312536719"
)
LANCZOS_2 = (
    "2.5134 2.04433 1.6684 1.36642 1.12323 0.92689 0.767934 0.638878 0.533784 0.447936 0.377585 0.319739 "
    "0.272013 0.232497 0.199659 0.17227 0.149341 0.13007 0.113812 0.100042 0.0883321 0.0783354 0.0697669 "
    "0.0623931"
)
LANCZOS_3 = (
    "2.5134 2.0443 1.6684 1.3664 1.1232 0.9269 0.7679 0.6389 0.5338 0.4479 0.3776 0.3197 0.2720 0.2325 0.1997 "
    "0.1723 0.1493 0.1301 0.1138 0.1000 0.0883 0.0783 0.0698 0.0624"
)
MGH_17 = (
    "0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628 0.603 0.580 "
    "0.558 0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 0.414 0.411 0.406"
)

NIST = (
    Certified(
        "MGH17",
        "Chain(Dense(1 => 2, x -> exp(x); bias=false), Dense(2 => 1))",
        (-1, -1, 1, 1, 1),
        (3, 4, 1, 2, 0),
        column(10 * np.arange(33)),
        column([*map(float, MGH_17.split())]),
        ((50, 150, -100, 1, 2), (0.5, 1.5, -1, 0.01, 0.02)),
        (3.7541005211e-01, 1.9358469127e00, -1.4646871366e00, 1.2867534640e-02, 2.2122699662e-02),
        5.4648946975e-05,
    ),
    Certified(
        "Lanczos1",
        LANCZOS,
        LANCZOS_SIGNS,
        LANCZOS_ORDER,
        TIMES,
        column([*map(float, LANCZOS_1.split())]),
        LANCZOS_STARTS,
        (9.5100000027e-02, 1.0000000001e00, 8.6070000013e-01, 3.0000000002e00, 1.5575999998e00, 5.0000000001e00),
        1.4307867721e-25,
    ),
    Certified(
        "Lanczos2",
        LANCZOS,
        LANCZOS_SIGNS,
        LANCZOS_ORDER,
        TIMES,
        column([*map(float, LANCZOS_2.split())]),
        LANCZOS_STARTS,
        (9.6251029939e-02, 1.0057332849e00, 8.6424689056e-01, 3.0078283915e00, 1.5529016879e00, 5.0028798100e00),
        2.2299428125e-11,
    ),
    Certified(
        "Lanczos3",
        LANCZOS,
        LANCZOS_SIGNS,
        LANCZOS_ORDER,
        TIMES,
        column([*map(float, LANCZOS_3.split())]),
        LANCZOS_STARTS,
        (8.6816414977e-02, 9.5498101505e-01, 8.4400777463e-01, 2.9515951832e00, 1.5825685901e00, 4.9863565084e00),
        1.6117193594e-08,
    ),
    Certified(
        "Rat42",
        "Chain(Dense(1 => 1, sigmoid), Dense(1 => 1; bias=false))",
        (1, -1, 1),
        (2, 1, 0),
        column([9, 14, 21, 28, 42, 57, 63, 70, 79]),
        column([8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08]),
        ((100, 1, 0.1), (75, 2.5, 0.07)),
        (7.2462237576e01, 2.6180768402e00, 6.7359200066e-02),
        8.0565229338e00,
    ),
)
