"""Packages that were written for former addresses still load."""

import re
import sys
from importlib import import_module

import pytest

from service.learning.renamed import FACES, HERE, NAMES


@pytest.fixture(autouse=True)
def _nothing_is_loaded_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for former in FACES:
        monkeypatch.delitem(sys.modules, HERE + former, raising=False)


@pytest.mark.parametrize("former", FACES)
def test_a_former_address_warns_and_gives_what_is_there_now(former: str) -> None:
    with pytest.warns(DeprecationWarning, match=re.escape(f"{HERE}{former} is {HERE}{FACES[former]} now")):
        module = import_module(HERE + former)
    present = import_module(HERE + FACES[former])
    assert {name for name in vars(present) if not name.startswith("__")} <= vars(module).keys()


def test_the_warning_names_the_line_that_imports() -> None:
    with pytest.warns(DeprecationWarning, match="import from there") as caught:
        from service.learning.loss import AggregatedLoss  # type: ignore[import-untyped]  # noqa: F401 - as packages do
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("former", NAMES)
def test_a_former_name_is_what_it_is_called_now(former: str) -> None:
    module = import_module(HERE + former)
    assert {name: getattr(module, name) for name in NAMES[former]} == {
        name: getattr(module, present) for name, present in NAMES[former].items()
    }


def test_an_address_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("service.learning.nothing")
