"""The running average of parameters over the steps of a training."""

import numpy as np

from service.learning.arrays import Array, Saved, State


class RunningAverage:
    """The exponential moving average a of a vector x over steps: a = a + (1 - d) / (1 - dᵗ) (x - a).

    After t steps xₛ has the weight dᵗ⁻ˢ, divided by the sum of all these: the vector before the first step has none.
    """

    def __init__(self, decay: float, vector: Array) -> None:
        self._decay = decay
        self._steps = 0
        self.vector = vector.copy()
        self._way = np.empty_like(vector)

    def add(self, vector: Array) -> None:
        """Take the vector after one more step into the average."""
        self._steps += 1
        share = (1 - self._decay) / (1 - self._decay**self._steps)
        np.subtract(vector, self.vector, self._way)
        np.multiply(self._way, share, self._way)
        np.add(self.vector, self._way, self.vector)

    def begin(self, vector: Array) -> None:
        """Forget all steps, and begin from a vector."""
        self._steps = 0
        np.copyto(self.vector, vector)

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        return {"vector": self.vector.copy(), "steps": np.array([self._steps])}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        np.copyto(self.vector, arrays["vector"])
        self._steps = int(arrays["steps"][0])
