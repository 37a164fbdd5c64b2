"""The statements of the README are true."""

import re
from pathlib import Path

from service.settings import Settings
from tests.support.curl import send
from tests.support.serving import RunningService

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
TUTORIAL = next(block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "curl" in block)


def test_the_six_lines_of_the_tutorial_run_as_they_stand(service: RunningService) -> None:
    lines = TUTORIAL.splitlines()
    assert len(lines) == 6

    _, _, untrained, job, trained, evaluation = [send(line, service.url) for line in lines]
    assert untrained["version"] == 0
    assert (job["state"], job["version"]) == ("succeeded", 1)
    assert [round(row[0], 1) for row in trained["outputs"]] == [26.1, 30.1]
    assert evaluation["part"] == "test"


def test_the_table_of_settings_is_complete() -> None:
    documented = set(re.findall(r"^\| `DESCENT_(\w+)` \|", README, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}
