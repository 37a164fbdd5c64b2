"""npy and npz: arrays of rows, records, archives; nothing that would be a pickle."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.datasets.formats.media_types import MediaType
from service.datasets.formats.read import read_table
from service.datasets.table import ReadOptions
from service.errors import Invalid, TooLarge
from tests.support.datasets.reading import read, refusal


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as writing:
        for name, data in members.items():
            writing.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "g", "i1", "u8", ">i4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_rows_has_numbered_columns(dtype: str, order: Any) -> None:
    array = np.array([[1, 2], [3, 4], [5, 6]], dtype, order=order)
    assert read(MediaType.NPY, npy(array)) == ({"c0": "numeric", "c1": "numeric"}, {"c0": [1, 3, 5], "c1": [2, 4, 6]})


def test_names_may_be_said() -> None:
    assert read(MediaType.NPY, npy(np.eye(2)), columns=["x", "y"])[1] == {"x": [1, 0], "y": [0, 1]}


def test_booleans_and_texts() -> None:
    assert read(MediaType.NPY, npy(np.array([[True], [False]]))) == ({"c0": "boolean"}, {"c0": [1, 0]})
    assert read(MediaType.NPY, npy(np.array([["é"], ["b"]], ">U2"))) == ({"c0": "categorical"}, {"c0": ["é", "b"]})
    assert read(MediaType.NPY, npy(np.array([[b"a"], [b"b"]]))) == ({"c0": "categorical"}, {"c0": ["a", "b"]})


def test_types_that_are_set_count_more() -> None:
    array = np.array([[0.1, 0, 1], [0.2, 1, 0]], np.float32)
    types = {"c0": "categorical", "c1": "categorical", "c2": "boolean"}
    assert read(MediaType.NPY, npy(array), types=types) == (
        types,
        {"c0": ["0.1", "0.2"], "c1": ["0", "1"], "c2": [1, 0]},
    )


def test_records_have_named_fields() -> None:
    array = np.array([(1, "a", True), (2, "b", False)], [("n", "i4"), ("t", "U3"), ("b", "?")])
    expected = {"n": [1, 2], "t": ["a", "b"], "b": [1, 0]}
    assert read(MediaType.NPY, npy(array))[1] == expected
    assert read(MediaType.NPZ, npz(any=array))[1] == expected
    assert refusal(MediaType.NPY, npy(array), columns=["x", "y", "z"])[0] == "query/columns"
    array = np.array([(1, "a")], [("two\nlines", "i4"), (" ", "U3")])
    assert read(MediaType.NPY, npy(array))[1] == {"two lines": [1], "column_2": ["a"]}


def test_many_rows_come_in_order() -> None:
    array = np.arange(400_000).reshape(200_000, 2)
    assert read(MediaType.NPY, npy(array))[1] == {"c0": array[:, 0].tolist(), "c1": array[:, 1].tolist()}


def test_an_archive_has_columns_and_groups_of_columns(tmp_path: Path) -> None:
    body = npz(x=np.arange(6).reshape(3, 2), t=np.array(["a", "b", "a"]), y=np.zeros((3, 1), bool))
    table = read_table(MediaType.NPZ, io.BytesIO(body), ReadOptions(1 << 20), tmp_path)
    assert table.kinds == {"x_0": "numeric", "x_1": "numeric", "t": "categorical", "y_0": "boolean"}
    assert table.groups == {"x": ["x_0", "x_1"], "y": ["y_0"]}
    assert read(MediaType.NPZ, body)[1] == {"x_0": [0, 2, 4], "x_1": [1, 3, 5], "t": ["a", "b", "a"], "y_0": [0, 0, 0]}


def test_the_type_of_a_group_is_that_of_its_columns() -> None:
    body = npz(x=np.arange(4).reshape(2, 2), y=np.arange(2))
    assert read(MediaType.NPZ, body, types={"x": "categorical"})[1] == {
        "x_0": ["0", "2"],
        "x_1": ["1", "3"],
        "y": [0, 1],
    }


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (npy(np.zeros(2)), "#", "The body has 1 dimensions"),
        (npy(np.zeros((2, 2, 2))), "#", "The body has 3 dimensions"),
        (npy(np.zeros((2, 0))), "#", "There are no columns."),
        (npy(np.zeros((1, 4097))), "#", "There are 4,097 columns"),
        (npy(np.zeros((2, 1), complex)), "#/columns/c0", "Column 'c0' holds complex128: give numbers"),
        (npy(np.zeros((2, 1), "M8[D]")), "#/columns/c0", "Column 'c0' holds 'timestamp[s]', a date or a time"),
        (npy(np.zeros(2, [("n", "i4", (2,))])), "#/columns/n", "Column 'n' holds int32: give numbers"),
        (npy(np.array([["a", None]], object)), "#", "The body is no NumPy array that can be read: "),
        (npy(np.array([(1, None)], [("n", "i4"), ("o", "O")])), "#", "The body is no NumPy array that can be read: "),
        (npy(np.array([[b"\xff"]])), "#", "The body is no NumPy array that can be read: "),
        (npy(np.zeros((3, 2)))[:-1], "#", "The body is no NumPy array that can be read: "),
        (npz(x=np.zeros((2, 2))), "#", "The body is no NumPy array that can be read: "),
        (b"", "#", "The body is no NumPy array that can be read: "),
    ],
)
def test_arrays_that_are_no_table(body: bytes, pointer: str, detail: str) -> None:
    where, what = refusal(MediaType.NPY, body)
    assert where == pointer
    assert what.startswith(detail)


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (npz(x=np.zeros(2), y=np.zeros(3)), "#/columns/y", "Column 'y' has 3 rows, but 'x' has 2."),
        (npz(x=np.zeros(2), y=np.array(3)), "#", "Array 'y' has 0 dimensions"),
        (npz(x=np.zeros((2, 1)), x_0=np.zeros(2)), "#", "Columns need different names; 'x_0' is there twice."),
        (npz(x=np.array([None])), "#", "Array 'x' is no NumPy array that can be read: "),
        (npz(), "#", "There are no columns."),
        (archive(**{"x.txt": b"x"}), "#", "The archive holds 'x.txt', which is no .npy."),
        (archive(**{"x.npy": b"x"}), "#", "Array 'x' is no NumPy array that can be read: "),
        (npz(x=np.zeros(2))[:-9], "#", "The body is no npz that can be read: "),
        (b"PK\x03\x04", "#", "The body is no npz that can be read: "),
    ],
)
def test_archives_that_are_no_table(body: bytes, pointer: str, detail: str) -> None:
    where, what = refusal(MediaType.NPZ, body)
    assert where == pointer
    assert what.startswith(detail)


def test_members_lie_nowhere_whatever_they_are_called(tmp_path: Path) -> None:
    body = archive(**{"../../x.npy": npy(np.arange(2)), "/y.npy": npy(np.arange(2))})
    scratch = tmp_path / "a" / "b"
    scratch.mkdir(parents=True)
    table = read_table(MediaType.NPZ, io.BytesIO(body), ReadOptions(1 << 20), scratch)
    assert list(table.kinds) == ["../../x", "/y"]
    assert list(tmp_path.rglob("*")) == [tmp_path / "a", scratch]


def test_the_limit_is_on_what_is_unpacked() -> None:
    body = npz(x=np.zeros(100_000), y=np.zeros(100_000))
    assert len(body) < 10_000
    with pytest.raises(TooLarge):
        read(MediaType.NPZ, body, limit=1_200_000)
    assert len(read(MediaType.NPZ, body, limit=2_000_000)[1]["x"]) == 100_000


BODIES = [
    (MediaType.NPY, npy(np.arange(6).reshape(3, 2))),
    (MediaType.NPY, npy(np.array([(1, "a")], [("n", "i4"), ("t", "U3")]))),
    (MediaType.NPZ, npz(x=np.arange(3), t=np.array(["a", "b", "c"]))),
]


@settings(max_examples=120)
@given(st.data())
@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
def test_damaged_bytes_are_a_table_or_refused(data: st.DataObject) -> None:
    form, body = data.draw(st.sampled_from(BODIES))
    damaged = bytearray(body)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        read(form, bytes(damaged[: data.draw(st.integers(0, len(body)))]), limit=1 << 20)
    except (Invalid, TooLarge):
        return
