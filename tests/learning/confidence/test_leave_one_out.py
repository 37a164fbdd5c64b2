"""Leave-one-out residuals of least squares, compared with fits that really leave a row out."""

import numpy as np
import pytest

from service.learning import notation
from service.learning.confidence.conformal import quantiles
from service.learning.confidence.leave_one_out import Fit, fit_of
from service.learning.network import Network
from service.learning.rows.gram import Gram

RNG = np.random.default_rng(8)


def table(kind: str) -> tuple[np.ndarray, np.ndarray]:
    x = RNG.normal(3, 2, (25, 3))
    if kind == "collinear":
        x[:, 2] = x[:, 0] - 2 * x[:, 1]
    if kind == "offset":
        x += 1e4
    if kind == "constant":
        x[:, 2] = 7
    return x, x @ RNG.normal(size=(3, 2)) + RNG.normal(size=(25, 2))


def design(x: np.ndarray, bias: bool) -> np.ndarray:
    return np.hstack([x, np.ones((len(x), 1))]) if bias else x


def fitted(x: np.ndarray, y: np.ndarray, *, bias: bool = True) -> Fit:
    theta = np.linalg.lstsq(design(x, bias), y, rcond=1e-12)[0]
    network = Network(notation.read(f"Dense(3 => 2; bias={str(bias).lower()})"), "float64")
    found = fit_of(network, theta.ravel(), Gram.of(x, y))
    assert found is not None
    return found


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["plain", "collinear", "offset", "constant"])
def test_residuals_are_those_of_fits_without_the_row(kind: str, bias: bool) -> None:
    x, y = table(kind)
    found = fitted(x, y, bias=bias).residuals(x, y)
    for row in range(len(x)):
        rest = np.arange(len(x)) != row
        theta = np.linalg.lstsq(design(x[rest], bias), y[rest], rcond=1e-12)[0]
        np.testing.assert_allclose(found[row], y[row] - design(x[row : row + 1], bias)[0] @ theta, rtol=1e-6)


def test_a_row_that_decides_its_own_prediction_has_no_residual() -> None:
    x, y = table("plain")
    x[:, 2] = 0
    x[4, 2] = 1
    found = fitted(x, y).residuals(x, y)
    assert np.isnan(found[4]).all()
    assert np.isfinite(np.delete(found, 4, axis=0)).all()


def test_jackknife_plus_takes_the_fits_without_each_row() -> None:
    x, y = table("plain")
    fit, new = fitted(x, y), RNG.normal(3, 2, (4, 3))
    lower, upper = fit.jackknife_plus(new, x, fit.residuals(x, y), 0.8)
    below, above = [], []
    for row in range(len(x)):
        rest = np.arange(len(x)) != row
        theta = np.linalg.lstsq(design(x[rest], True), y[rest], rcond=None)[0]
        size = np.abs(y[row] - design(x[row : row + 1], True)[0] @ theta)
        below.append(design(new, True) @ theta - size)
        above.append(design(new, True) @ theta + size)
    for output in range(2):
        highest = quantiles(np.array(above)[:, :, output], 0.8)
        lowest = -quantiles(-np.array(below)[:, :, output], 0.8)
        np.testing.assert_allclose(upper[:, output], highest, rtol=1e-9)
        np.testing.assert_allclose(lower[:, output], lowest, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_on_a_line_are_fitted_as_well_as_digits_allow(dtype: str) -> None:
    x = np.arange(6.0).reshape(-1, 1)
    network, vector = Network(notation.read("Dense(1 => 1)"), dtype), np.array([4 * (1 + 1e-8), 2], dtype)
    found = fit_of(network, vector, Gram.of(x, 4 * x + 2))
    assert (found is None) == (dtype == "float64")
    assert fit_of(network, np.array([4.001, 2], dtype), Gram.of(x, 4 * x + 2)) is None


def test_networks_that_are_no_fit_have_none() -> None:
    x, y = table("plain")
    network = Network(notation.read("Dense(3 => 2)"), "float64")
    assert fit_of(network, network.initial(0), Gram.of(x, y)) is None
    deep = Network(notation.read("Chain(Dense(3 => 2), Dense(2 => 2))"), "float64")
    assert fit_of(deep, deep.initial(0), Gram.of(x, y)) is None
