"""The split of rows: first and last are cut off, fractions drawn by seed, the rest trains."""

from collections import Counter
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.datasets.schemas import Split
from service.datasets.split import BLOCK, PARTS, Parts, assign, largest_remainders
from service.errors import Invalid
from tests.support.problems import pointers


def parts(rows: int, classes: list[int] | None = None, **split: Any) -> dict[str, list[int]]:
    """The row numbers of each part."""
    known = None if classes is None else np.array(classes)
    with TemporaryDirectory() as folder, Parts(Path(folder)) as divided:
        assign(
            divided, rows, Split.model_validate(split), None if known is None else lambda start, stop: known[start:stop]
        )
        divided.check()
        codes = divided.of(0, rows)
        found: dict[str, list[int]] = {part: np.flatnonzero(codes == code).tolist() for code, part in enumerate(PARTS)}
        found = {part: numbers for part, numbers in found.items() if numbers or part != "calibration"}
        assert {part: len(numbers) for part, numbers in found.items()} == divided.counts
        return found


def test_without_a_split_all_rows_train() -> None:
    assert parts(4) == {"train": [0, 1, 2, 3], "validation": [], "test": []}


def test_first_and_last_are_cut_off() -> None:
    divided = parts(6, validation={"first": 1}, test={"last": 2})
    assert divided == {"train": [1, 2, 3], "validation": [0], "test": [4, 5]}


def test_nothing_may_be_cut_off() -> None:
    assert parts(3, validation={"first": 0}, test={"fraction": 0})["train"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "fraction", "count"), [(10, 0.25, 3), (10, 0.24, 2), (10, 0.26, 3), (7, 0.5, 4), (5, 0.1, 1), (5, 0.09, 0)]
)
def test_a_fraction_of_all_rows_is_rounded_half_up(rows: int, fraction: float, count: int) -> None:
    assert len(parts(rows, test={"fraction": fraction})["test"]) == count
    # of all rows, also where some are cut off already
    assert len(parts(rows, test={"fraction": fraction}, validation={"first": 1})["test"]) == count


def test_fractions_are_drawn_from_what_first_and_last_leave() -> None:
    for seed in range(20):
        divided = parts(10, validation={"fraction": 0.5}, test={"last": 4}, seed=seed)
        assert divided["test"] == [6, 7, 8, 9]
        assert max(divided["validation"]) < 6


def test_the_same_seed_draws_the_same_parts_and_another_seed_others() -> None:
    split: dict[str, Any] = {"validation": {"fraction": 0.2}, "test": {"fraction": 0.2}}
    assert parts(100, **split, seed=1) == parts(100, **split, seed=1)
    assert parts(100, **split, seed=1) != parts(100, **split, seed=2)
    assert parts(100, **split) == parts(100, **split, seed=0)


def test_each_row_is_as_likely_as_any_other_to_be_drawn() -> None:
    drawn = Counter(row for seed in range(1000) for row in parts(10, test={"fraction": 0.3}, seed=seed)["test"])
    assert set(drawn) == set(range(10))
    expected = 300
    chi_squared = sum((count - expected) ** 2 / expected for count in drawn.values())
    assert chi_squared < 27.9  # 99.9 % quantile for 9 degrees of freedom


def test_a_draw_takes_its_share_of_each_block_and_the_right_number_in_all() -> None:
    rows = 3 * BLOCK + 1000
    divided = parts(rows, test={"fraction": 0.3}, validation={"fraction": 0.1}, seed=3)
    assert (len(divided["test"]), len(divided["validation"])) == (round(0.3 * rows), round(0.1 * rows))
    for part, share in (("test", 0.3), ("validation", 0.1)):
        of_blocks = np.bincount(np.array(divided[part]) // BLOCK)[:3]
        deviation = np.sqrt(BLOCK * share * (1 - share))
        assert np.abs(of_blocks - BLOCK * share).max() < 4 * deviation
        assert len(set(of_blocks.tolist())) > 1  # what chance would give, not equal shares


KINDS = st.one_of(
    st.builds(lambda f: {"fraction": f}, st.floats(0, 0.999)),
    st.builds(lambda n: {"first": n}, st.integers(0, 12)),
    st.builds(lambda n: {"last": n}, st.integers(0, 12)),
)


@settings(max_examples=120)
@given(st.integers(1, 12), KINDS, KINDS, st.integers(0, 2**53 - 1), st.data())
def test_parts_never_share_a_row_and_lose_none(
    rows: int, validation: dict[str, Any], test: dict[str, Any], seed: int, data: st.DataObject
) -> None:
    classes = data.draw(st.none() | st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    try:
        divided = parts(rows, classes, validation=validation, test=test, seed=seed)
    except Invalid as refused:
        assert refused.errors[0].pointer.startswith("#/split")  # noqa: PT017 - either outcome is right
        return
    assert divided["train"]
    assert sorted(chain.from_iterable(divided.values())) == list(range(rows))
    for part, spec in (("validation", validation), ("test", test)):
        ((kind, amount),) = spec.items()
        assert len(divided[part]) == (np.floor(amount * rows + 0.5) if kind == "fraction" else amount)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.data())
def test_largest_remainders_round_each_share_up_or_down_and_meet_the_sum(sizes: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, sum(sizes)))
    counts = largest_remainders(count, np.array(sizes)).tolist()
    assert sum(counts) == count
    for size, given_ in zip(sizes, counts, strict=True):
        share = count * size / (sum(sizes) or 1)
        assert np.floor(share) <= given_ <= np.ceil(share)


def test_of_two_remainders_the_larger_one_gets_the_row() -> None:
    assert largest_remainders(3, np.array([5, 3, 2])).tolist() == [1, 1, 1]  # shares 1.5, 0.9, 0.6
    assert largest_remainders(2, np.array([5, 3, 2])).tolist() == [1, 1, 0]  # shares 1, 0.6, 0.4


def test_a_stratified_draw_takes_the_same_share_of_every_class() -> None:
    classes = [0] * 60 + [1] * 30 + [2] * 10
    divided = parts(100, classes, test={"fraction": 0.2}, validation={"fraction": 0.1}, seed=4)
    for part, expected in (("test", [12, 6, 2]), ("validation", [6, 3, 1])):
        assert np.bincount([classes[row] for row in divided[part]]).tolist() == expected


def column(values: list[Any], **body: Any) -> dict[str, Any]:
    return {"columns": {"x": list(range(len(values))), "y": values}, "targets": ["y"], **body}


def drawn(http: httpx.Client, body: dict[str, Any], part: str) -> list[Any]:
    """Return the values of a part's rows in column y."""
    created = http.post("/api/datasets", json=body)
    assert created.status_code == 201, created.text
    rows = http.get(f"/api/datasets/{created.json()['id']}/rows?part={part}&limit=1000").json()["items"]
    return [row["values"]["y"] for row in rows]


@pytest.mark.parametrize("values", [["b"] * 12 + ["a"] * 8, [True] * 12 + [False] * 8])
def test_a_stratified_split_goes_by_the_class_target(http: httpx.Client, values: list[Any]) -> None:
    body = column(values, split={"test": {"fraction": 0.25}, "stratify": True})
    assert Counter(drawn(http, body, "test")) == {values[0]: 3, values[-1]: 2}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (column([1, 2, 3, 4], split={"test": {"fraction": 0.5}, "stratify": True}), "there is no target of classes"),
        (
            {
                "columns": {"x": [1, 2], "y": ["a", "b"], "z": [True, False]},
                "targets": ["y", "z"],
                "split": {"test": {"fraction": 0.5}, "stratify": True},
            },
            "there is 2 targets of classes",
        ),
        (column(["a", "b"], split={"test": {"last": 1}, "stratify": True}), "a fraction is drawn by class"),
    ],
)
def test_what_cannot_be_stratified_is_refused(http: httpx.Client, body: dict[str, Any], sentence: str) -> None:
    answer = http.post("/api/datasets", json=body)
    assert pointers(answer) == ["#/split/stratify"]
    assert sentence in answer.json()["detail"]


SAID = {"columns": {"x": [1, 2, 3, 4], "y": [5, 6, 7, 8], "part": ["test", "train", "validation", "train"]}}


def test_a_column_may_say_the_parts_and_is_neither_feature_nor_target(http: httpx.Client) -> None:
    created = http.post("/api/datasets", json={**SAID, "targets": ["y"], "split": {"column": "part"}}).json()
    assert created["parts"] == {"train": 2, "validation": 1, "test": 1}
    assert [column["name"] for column in (*created["features"], *created["targets"])] == ["x", "y"]
    rows = http.get(f"/api/datasets/{created['id']}/rows").json()["items"]
    assert [(row["row"], row["part"]) for row in rows] == [(1, "train"), (3, "train"), (2, "validation"), (0, "test")]
    assert all(set(row["values"]) == {"x", "y"} for row in rows)


@pytest.mark.parametrize(
    ("parts", "pointer", "detail"),
    [
        (["test", "train", "dev", "train"], "#/columns/part/2", "Row 2: column 'part' holds 'dev'"),
        (["test", "train", None, "train"], "#/columns/part/2", "Row 2: column 'part' holds a missing value"),
        ([0, 1, 2, 0], "#/columns/part/0", "Row 0: column 'part' holds no texts"),
        (["test"] * 4, "#/split", "No row of 4 is left to train on"),
    ],
)
def test_a_column_of_parts_holds_nothing_else(http: httpx.Client, parts: list[Any], pointer: str, detail: str) -> None:
    columns = {**SAID["columns"], "part": parts}
    answer = http.post("/api/datasets", json={"columns": columns, "targets": ["y"], "split": {"column": "part"}})
    assert pointers(answer) == [pointer]
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"split": {"column": "parts"}, "targets": ["y"]}, "#/split/column"),
        ({"split": {"column": "part"}, "targets": ["part"]}, "#/targets/0"),
        ({"split": {"column": "part", "seed": 1}, "targets": ["y"]}, "#/split/seed"),
        ({"split": {"column": "part"}, "targets": ["x", "y"]}, "#/targets"),
    ],
)
def test_a_column_of_parts_has_no_other_role(http: httpx.Client, body: dict[str, Any], pointer: str) -> None:
    assert pointers(http.post("/api/datasets", json={**SAID, **body})) == [pointer]


@pytest.mark.parametrize(
    ("split", "pointer"),
    [
        ({"validation": {"first": 4}, "test": {"last": 3}}, "#/split/validation"),
        ({"validation": {"last": 2}, "test": {"last": 1}}, "#/split/validation"),
        ({"validation": {"fraction": 0.5}, "test": {"fraction": 0.6}}, "#/split/validation"),
        ({"validation": {"fraction": 0.5}, "test": {"first": 4}}, "#/split/validation"),
        ({"test": {"first": 7}}, "#/split/test"),
        ({"validation": {"first": 3}, "test": {"last": 3}}, "#/split"),
        ({"validation": {"fraction": 0.5}, "test": {"fraction": 0.5}}, "#/split"),
        ({"test": {"fraction": 0.95}}, "#/split"),
    ],
)
def test_parts_that_overlap_or_leave_nothing_to_train_on_are_refused(
    http: httpx.Client, split: dict[str, Any], pointer: str
) -> None:
    assert pointers(http.post("/api/datasets", json=column([1, 2, 3, 4, 5, 6], split=split))) == [pointer]


def test_rows_may_be_kept_for_calibration_in_every_form(http: httpx.Client) -> None:
    split = {"calibration": {"fraction": 0.25}, "test": {"last": 2}, "seed": 3}
    ys = [float(each) for each in range(8)]
    one = http.post("/api/datasets", json={"columns": {"x": ys, "y": ys}, "targets": ["y"], "split": split}).json()
    assert one["parts"] == {"train": 4, "validation": 0, "test": 2, "calibration": 2}
    text = "x,y\n" + "".join(f"{each},{each}\n" for each in ys)
    fields = {"targets": "y", "calibration_fraction": "0.25", "test_last": "2", "seed": "3"}
    streamed = http.post("/api/datasets", params=fields, content=text, headers={"content-type": "text/csv"}).json()
    form = http.post("/api/datasets", data=fields, files={"file": ("t.csv", text)}).json()
    assert one["sha256"] == streamed["sha256"] == form["sha256"]
    rows = http.get(f"/api/datasets/{one['id']}/rows", params={"part": "calibration"}).json()["items"]
    named = ["calibration" if row in {each["row"] for each in rows} else "train" for row in range(8)]
    columns = {"x": ys, "y": ys, "part": [*named[:6], "test", "test"]}
    by_column = {"columns": columns, "targets": ["y"], "split": {"column": "part"}}
    assert http.post("/api/datasets", json=by_column).json()["sha256"] == one["sha256"]
    statistics = http.get(f"/api/datasets/{one['id']}/statistics").json()["columns"][0]["parts"]
    assert statistics["calibration"]["count"] == 2
    content = http.get(
        f"/api/datasets/{one['id']}/content", params={"part": "calibration"}, headers={"accept": "text/csv"}
    )
    assert len(content.text.splitlines()) == 3
    overlapping = {"calibration": {"last": 3}, "test": {"last": 2}}
    assert pointers(http.post("/api/datasets", json=column([1, 2, 3, 4], split=overlapping))) == ["#/split/calibration"]


def test_two_ways_to_say_one_part_are_refused_with_the_right_ones(http: httpx.Client) -> None:
    answer = http.post("/api/datasets", json=column([1, 2], split={"test": {"first": 1, "last": 1}}))
    assert pointers(answer) == ["#/split/test"]
    assert '{"fraction": 0.2}, {"first": 10} or {"last": 10}' in answer.json()["detail"]
