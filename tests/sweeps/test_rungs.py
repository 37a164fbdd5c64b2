"""The rungs of ASHA, and who goes on from them."""

from dataclasses import replace

from service.sweeps.rungs import Climber, epochs_at_most, promoted, rungs_of


def test_many_trials_take_at_most_a_quarter_of_the_epochs() -> None:
    for epochs in (8, 12, 27, 81, 100, 200, 1000):
        rungs = rungs_of(epochs)
        assert rungs[-1] == epochs
        assert epochs_at_most(100, rungs) <= 0.25 * 100 * epochs
    assert (rungs_of(1), rungs_of(2), rungs_of(81)) == ([1], [1, 2], [5, 41, 81])


def test_trials_go_on_once_none_waits_to_be_compared_with_them() -> None:
    reached = [Climber(number, [float(number)]) for number in range(7)]
    assert promoted([*reached, Climber(7, [], climbs=True, waits=True)], 3) == []
    running = Climber(7, [], climbs=True)
    assert promoted([*reached, running], 3) == [0, 1]
    higher = [replace(each, losses=[each.losses[0]] * 2) for each in reached[:4]]
    assert promoted([*higher, *reached[4:], running], 3) == [0]
    waiting_above = replace(higher[3], climbs=True, waits=True, losses=[3.0])
    assert promoted([*higher[:3], waiting_above, *reached[4:], running], 3) == []
