"""H2O's linear model of the tutorial's line, as its users write it: trainings a second by several threads.

Reads a number of trainings and of threads from each line of its input, and writes the rate.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from time import perf_counter
from typing import Any

import h2o
from h2o.estimators import H2OGeneralizedLinearEstimator

XS = list(range(6))


def train(frame: Any) -> None:
    model = H2OGeneralizedLinearEstimator(family="gaussian", lambda_=0)
    model.train(x=["x"], y="y", training_frame=frame)
    coefficients = model.coef()
    assert abs(coefficients["x"] - 4) < 1e-6, coefficients


def main() -> None:
    with redirect_stdout(sys.stderr):
        h2o.init(strict_version_check=False, nthreads=-1, log_level="FATA", bind_to_localhost=True)
        h2o.no_progress()
        frame = h2o.H2OFrame({"x": XS, "y": [4 * x + 2 for x in XS]})
    try:
        for line in sys.stdin:
            count, threads = map(int, line.split())
            began = perf_counter()
            with redirect_stdout(sys.stderr), ThreadPoolExecutor(threads) as pool:
                list(pool.map(train, [frame] * count))
            print(count / (perf_counter() - began), flush=True)
    finally:
        sys.stdout = sys.stderr  # where it tells of its end
        h2o.cluster().shutdown()


if __name__ == "__main__":
    main()
