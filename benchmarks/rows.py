"""The cost of an epoch of linear regression against the number of rows, 10³ to 10⁷ with 32 columns.

"After the pass" is us where the sums over the rows were made when these were stored, as the service does.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks import ours
from benchmarks.linear_regression import COLUMNS, RATE, data
from benchmarks.peers import pytorch
from benchmarks.timing import Measurement, Round, report, take_turns, threads
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part

OUR_EPOCHS = 200
ROWS = tuple(10**power for power in range(3, 8))


def measure() -> Iterator[Measurement]:
    weight, bias = np.zeros((1, COLUMNS), np.float32), np.zeros(1, np.float32)
    for rows in ROWS:
        inputs, targets = data(rows)
        peer_epochs = max(1, min(OUR_EPOCHS, 10**7 // rows))
        parameters = np.zeros(COLUMNS + 1, np.float32)
        known = Part(inputs, targets, gram=Gram.of(inputs, targets))
        sides = {
            "Descent": ours.run(f"Dense({COLUMNS} => 1)", parameters, Part(inputs, targets), RATE, OUR_EPOCHS),
            "after the pass": ours.run(f"Dense({COLUMNS} => 1)", parameters, known, RATE, OUR_EPOCHS),
            "PyTorch eager": pytorch.run(weight, bias, inputs, targets, RATE, peer_epochs),
        }
        rounds = take_turns(sides, rounds=5)
        # PyTorch's run ends with the loss after its last epoch: one forward pass, about a third of an epoch.
        epochs = {"Descent": OUR_EPOCHS, "after the pass": OUR_EPOCHS, "PyTorch eager": peer_epochs + 1 / 3}
        per_epoch = [
            Round({side: seconds / epochs[side] for side, seconds in taken.seconds.items()}, taken.others)
            for taken in rounds
        ]
        title = f"One of {OUR_EPOCHS} epochs, our one pass over the data shared among them"
        yield Measurement(title, f"{rows:,} rows", threads(), per_epoch)


if __name__ == "__main__":
    report(measure())
