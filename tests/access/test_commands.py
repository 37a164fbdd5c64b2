"""`descent keys` makes, shows and ends keys on the machine of the service."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.access import records
from service.access.keys import digest_of
from service.cli import cli
from service.database.database import Database
from service.telemetry import logs


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(logs, "set_up", lambda: None)
    monkeypatch.setenv("DESCENT_DATA", str(tmp_path))
    return CliRunner()


def keys(run: CliRunner, *arguments: str) -> Result:
    return run.invoke(cli, ["keys", *arguments])


def test_a_key_is_printed_alone_listed_without_its_text_and_revoked_once(run: CliRunner, tmp_path: Path) -> None:
    made = keys(run, "create", "--scope", "train", "--name", "ci", "--owner", "ada", "--expires", "90d")
    digest = digest_of(made.stdout.strip())
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    found = records.holder(database, digest)
    assert found is not None
    assert (found.owner, found.scope) == ("ada", "train")
    listed = keys(run, "list")
    assert f"{found.key}  ci  train  owner ada  until 2" in listed.stdout
    assert made.stdout.strip() not in listed.stdout
    assert "expires at" in keys(run, "create", "--scope", "read", "--expires", "3600").stderr
    assert keys(run, "revoke", "ci").exit_code == 0
    assert records.holder(database, digest) is None
    again = keys(run, "revoke", "ci")
    assert (again.exit_code, "was revoked before" in again.stderr) == (2, True)
    database.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scope", "root"], "--scope: "),
        (["--scope", "read", "--expires", "soon"], "--expires: give a span"),
        (["--scope", "read", "--name", "a b"], "--name: "),
        (["--scope", "read", "--owner", ""], "--owner: "),
    ],
)
def test_a_key_that_cannot_be_is_refused_in_a_sentence(run: CliRunner, arguments: list[str], told: str) -> None:
    refused = keys(run, "create", *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(told)
