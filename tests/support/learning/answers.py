"""The reference files, and the terms that their cases name."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.terms import Registry, Term

REFERENCES = Path(__file__).parents[2] / "learning" / "references"
TOLERANCES = {"float64": 1e-10, "float32": 1e-5}
Array = NDArray[Any]


@cache
def answers(name: str) -> Any:
    return json.loads((REFERENCES / f"{name}.json").read_text())


def cases(*names: str) -> list[Any]:
    """Parameters (file, case, dtype), one for every case of the files in either precision."""
    return [
        pytest.param(name, case, dtype, id=f"{name.partition('_')[0]}-{label(case)}-{dtype}")
        for name in names
        for case in answers(name)["cases"]
        for dtype in TOLERANCES
    ]


def label(case: Mapping[str, Any]) -> str:
    """The case in one word: its names and numbers."""
    return json.dumps([value for key, value in case.items() if key not in TOLERANCES]).translate(
        str.maketrans(" ", "_", '"{}[]')
    )


def term(registry: Registry[Any], given: Mapping[str, Any], key: str = "name") -> Any:
    """The term that an object of the wire names; terms inside it are of the same kind."""
    fields = {name if name != "lambda" else "lambda_": value for name, value in given.items() if name != key}
    if "rules" in fields:
        fields["rules"] = tuple(term(registry, inner, key) for inner in fields["rules"])
    found: Term = registry[given[key]](**fields)
    return found


def agree(ours: Any, theirs: Any, dtype: str) -> bool:
    """Whether numbers agree within the precision's tolerance, relative above one and absolute below."""
    reference = np.asarray(theirs, np.float64)
    found = np.asarray(ours, np.float64)
    assert found.shape == reference.shape
    return bool(np.all(np.abs(found - reference) <= TOLERANCES[dtype] * (1 + np.abs(reference))))
