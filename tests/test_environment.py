"""Names of environment variables: settings, misspelt ones, and those that Kubernetes makes."""

import pytest

from service.environment import ignored, unknown
from service.settings import Settings

OF_KUBERNETES = {
    "DESCENT_SERVICE_HOST": "10.0.0.1",
    "DESCENT_SERVICE_PORT": "8000",
    "DESCENT_SERVICE_PORT_HTTP": "8000",
    "DESCENT_PORT": "tcp://10.0.0.1:8000",
    "DESCENT_PORT_8000_TCP": "tcp://10.0.0.1:8000",
    "DESCENT_PORT_8000_TCP_PROTO": "tcp",
    "DESCENT_PORT_8000_TCP_PORT": "8000",
    "DESCENT_PORT_8000_TCP_ADDR": "10.0.0.1",
    "DESCENT_WORKERS_SERVICE_HOST": "10.0.0.2",
    "DESCENT_WORKERS_PORT": "tcp://10.0.0.2:8786",
}
"""The environment of a pod beside Services called descent and descent-workers."""


def test_the_variables_that_kubernetes_makes_are_ignored() -> None:
    assert unknown(OF_KUBERNETES, Settings.model_fields) == []
    assert ignored({**OF_KUBERNETES, "DESCENT_DATA": "/data"}) == sorted(OF_KUBERNETES)


def test_the_port_of_kubernetes_leaves_ours_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_PORT", OF_KUBERNETES["DESCENT_PORT"])
    assert Settings().port == 8000
    assert Settings(port=9000).port == 9000


def test_every_setting_is_known_in_capitals_and_not() -> None:
    names = {f"DESCENT_{name.upper()}": "1" for name in Settings.model_fields}
    assert unknown({**names, "descent_data": "data"}, Settings.model_fields) == []
    assert ignored(names) == []


@pytest.mark.parametrize(
    ("name", "suggested"), [("DESCENT_PROT", "DESCENT_PORT"), ("DESCENT_MAX_UPLAODS", "DESCENT_MAX_UPLOAD")]
)
def test_a_misspelt_name_is_answered_with_the_right_one(name: str, suggested: str) -> None:
    assert unknown({name: "9000"}, Settings.model_fields) == [f"{name} is no setting: did you mean {suggested}?"]


def test_a_name_that_is_like_none_is_answered_with_all_of_them() -> None:
    (sentence,) = unknown({"DESCENT_ZZZZ": "1"}, Settings.model_fields)
    assert all(f"DESCENT_{name.upper()}" in sentence for name in Settings.model_fields)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://user:secret@host/descent", "postgresql is not supported yet"),
        ("sqlite+aiosqlite:////data/descent.db", r"sqlite\+aiosqlite is not supported yet"),
        ("descent.db", "no URL of a database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_database_that_is_no_sqlite_file_is_refused(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        Settings(database=url)
    assert "sqlite:////data/descent.db" in str(refused.value)
