"""Rows of numbers in JSON: the fast way reads the same as the slow way, and nothing else."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.client import Client
from service.errors import Invalid
from service.http import json_numbers
from service.http.json_bodies import read_json
from service.http.json_numbers import Array
from service.predictions.offload import SMALL, TEXT
from service.predictions.rows import json_rows
from tests.support.problems import pointers, problem
from tests.support.serving import http_client

NUMBER = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63), 5e-324, 3.4028235e38, 3.5e38])
)
VALUE = st.recursive(NUMBER | st.booleans() | st.none() | st.text(max_size=3), st.lists, max_leaves=4)
ROW = st.lists(NUMBER, min_size=2, max_size=2) | st.lists(NUMBER, max_size=3) | st.lists(VALUE, max_size=3) | VALUE
ROWS = st.lists(st.lists(NUMBER, min_size=2, max_size=2), max_size=4) | st.lists(ROW, max_size=4)


def slowly(body: bytes, dtype: str) -> Array | None:
    try:
        return json_numbers.matrix(read_json(body)["inputs"], 2, dtype, "")
    except Invalid:
        return None


@given(rows=ROWS, dtype=st.sampled_from(["float32", "float64"]), indent=st.sampled_from([None, 1]))
def test_what_is_read_quickly_is_what_is_read_slowly(rows: object, dtype: str, indent: int | None) -> None:
    body = json.dumps({"inputs": rows}, indent=indent).encode()
    quick, slow = json_rows.read(body, "inputs", 2, dtype), slowly(body, dtype)
    if quick is not None:
        assert slow is not None
        np.testing.assert_array_equal(quick.inputs, slow, strict=True)


@pytest.mark.parametrize(
    "text",
    [
        '{"inputs": [[1, 2], [3, 4]]}',
        '{"inputs":[[-0.0,1e5],[3,4E-2]]}',
        ' \n{"inputs"\t: [ [1, 2]\n, [18446744073709551615, 4.5] ] } ',
        '{"inputs": [' + ",".join(["[1.5, 2]"] * 3000) + "]}",
    ],
)
def test_the_plain_form_is_read_quickly(text: str) -> None:
    body = text.encode()
    quick = json_rows.read(body, "inputs", 2, "float32")
    assert quick is not None
    np.testing.assert_array_equal(quick.inputs, np.array(json.loads(text)["inputs"], np.float32), strict=True)


@pytest.mark.parametrize(
    "text",
    [
        '{"inputs": [[1], [2, 3, 4]]}',
        '{"inputs": [[1, [2]], [3, 4]]}',
        '{"inputs": [[1, []], [2, [3, 4]]]}',
        '{"inputs": [[[1, 2]], [[3, 4]]]}',
        '{"inputs": [[1, 2], 3]}',
        '{"inputs": [1, 2]}',
        '{"inputs": [[1, true]]}',
        '{"inputs": [[1, "2"]]}',
        '{"inputs": [[1, null]]}',
        '{"inputs": [[1, {"a": 2}]]}',
        '{"inputs": [[1, NaN]]}',
        '{"inputs": [[1, 1e999]]}',
        '{"inputs": [[1, 1e39]]}',
        '{"inputs": [[1, 100000000000000000000]]}',
        '{"inputs": [[1, 2]], "inputs": [[3, 4]]}',
        '{"inputs": [[1, 2]], "part": "test"}',
        '{"input": [[1, 2]]}',
        '{"inputs": []}',
        '{"inputs": {"a": [1, 2]}}',
        '[{"inputs": [[1, 2]]}]',
        '{"inputs": [[1, 2]]} {}',
        '{"inputs": [[1, 2]',
        "",
    ],
)
@pytest.mark.parametrize("padding", ["", " " * 5000])
def test_anything_else_is_left_to_the_slow_way(text: str, padding: str) -> None:
    assert json_rows.read((text + padding).encode(), "inputs", 2, "float32") is None
    after = json_rows.read(b'{"inputs": [[5, 6]]}', "inputs", 2, "float32")
    assert after is not None
    assert after.inputs.tolist() == [[5, 6]]


@pytest.mark.parametrize(
    ("beside", "levels"),
    [('"interval": 0.9, "sets": 0.5', {"interval": 0.9, "sets": 0.5}), ('"sets": 0.1', {"sets": 0.1})]
    + [(f'"interval": {value}', None) for value in ("1", "0", "true", "null", "1.5", "-0.1", '"0.9"', "[0.9]")],
)
def test_levels_beside_rows_take_the_fast_way(beside: str, levels: dict[str, float] | None) -> None:
    body = f'{{"inputs": [[1, 2]], {beside}}}'.encode()
    found = json_rows.read(body, "inputs", 2, "float32", ("interval", "sets"))
    assert (None if found is None else found.levels) == levels
    assert json_rows.read(body, "inputs", 2, "float32") is None


def test_many_at_once_each_get_their_own_answer(client: Client) -> None:
    layers = [{"weight": [[1.0, 0.0], [0.0, 2.0]], "bias": [0.0, 1.0]}]
    model = client.create_model("Dense(2 => 2)", parameters=layers).id

    def asks(first: int) -> None:
        with http_client(str(client.http.base_url)) as http:
            for rows in (1, 2, 10_000, 1):  # in the event loop, and with so much white space in threads
                inputs = [[first, row] for row in range(rows)]
                body = json.dumps({"inputs": inputs}).replace(",", "," + 20 * " ")
                assert (len(body) * TEXT > SMALL) is (rows > 2)
                answer = http.post(
                    f"/api/models/{model}/predictions", content=body, headers={"Content-Type": "application/json"}
                )
                assert answer.json()["outputs"] == [[first, 2 * row + 1] for row in range(rows)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(asks, range(16)))


def test_the_next_prediction_is_of_the_version_that_was_answered_last(client: Client) -> None:
    model = client.create_model("Dense(1 => 1)", name="moving", parameters=[{"weight": [[1]], "bias": [0]}])
    for number in range(1, 6):
        layers = [{"weight": [[1]], "bias": [number]}]
        client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers}).raise_for_status()
        for reference in ("moving", model.id):
            answer = client.predict(reference, [[1]])
            assert (answer.version, answer.outputs) == (number, [[1 + number]])


def test_a_model_that_was_renamed_or_deleted_is_not_answered_from_memory(client: Client) -> None:
    model = client.create_model("Dense(1 => 1)", name="fleeting", seed=3)
    client.predict("fleeting", [[1]])
    client.http.patch(f"/api/models/{model.id}", json={"name": "flown"}).raise_for_status()
    problem(client.http.post("/api/models/fleeting/predictions", json={"inputs": [[1]]}), 404)
    client.predict("flown", [[1]])
    client.http.delete(f"/api/models/{model.id}").raise_for_status()
    for path in ("flown/predictions", f"{model.id}/predictions?version=0"):
        problem(client.http.post(f"/api/models/{path}", json={"inputs": [[1]]}), 404)


@pytest.mark.parametrize("rows", [1, 20_000])
def test_a_fault_in_few_or_many_rows_is_found_where_it_is(client: Client, rows: int) -> None:
    model = client.create_model("Dense(2 => 1)").id
    path = f"/api/models/{model}/predictions"
    for fault, pointer in (
        ([1], f"{rows}"),
        ([1, None], f"{rows}/1"),
        ([[1], 2], f"{rows}/0"),
        ([1, 1e39], f"{rows}/1"),
    ):
        inputs = [*([[0.5, 0.25]] * rows), fault]
        assert pointers(client.http.post(path, json={"inputs": inputs})) == [f"#/inputs/{pointer}"]
