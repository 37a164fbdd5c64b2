"""The container files agree with each other and with the repository. (Their form is checked by `make check`.)"""

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from service.settings import Settings
from service.startup.preparation import Refused, prepared

REPOSITORY = Path(__file__).parent.parent


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as pairs of an instruction and its arguments, continued lines joined."""
    lines = [line for line in (REPOSITORY / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def final_stage() -> dict[str, str]:
    """The last stage's instructions, each by its last arguments."""
    stage: dict[str, str] = {}
    for word, rest in instructions():
        stage = {} if word == "FROM" else {**stage, word: rest}
    return stage


def probe() -> list[str]:
    """The arguments of the HEALTHCHECK."""
    _, _, command = final_stage()["HEALTHCHECK"].partition("CMD ")
    arguments: list[str] = json.loads(command)
    return arguments


def composed() -> dict[str, Any]:
    """The one service of docker-compose.yml, and its volumes."""
    document: dict[str, Any] = YAML(typ="safe").load(REPOSITORY / "docker-compose.yml")
    return document


def test_every_copied_path_exists_and_is_sent_to_the_builder() -> None:
    sent = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == sent
    assert all((REPOSITORY / source).exists() for source in copied)


def test_the_process_is_not_root_and_owns_its_volume() -> None:
    stage = final_stage()
    user, group = stage["USER"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert f"--owner={user} --group={group} {stage['VOLUME']}" in stage["RUN"]
    assert f"DESCENT_DATA={stage['VOLUME']}" in stage["ENV"]


def test_signals_reach_the_program_since_no_shell_stands_between() -> None:
    stage = final_stage()
    program, *_ = json.loads(stage["ENTRYPOINT"])
    assert program in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    assert json.loads(stage["CMD"]) == ["serve"]


def test_the_image_and_the_makefile_install_the_same_uv() -> None:
    versions = re.findall(r"\buv(?:==|_VERSION := )([\d.]+)", "".join(rest for _, rest in instructions()))
    versions += re.findall(r"UV_VERSION := ([\d.]+)", (REPOSITORY / "Makefile").read_text())
    assert len(versions) == 2
    assert len(set(versions)) == 1


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server on a free port that answers /health/ready with the status; yields the port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def probing(port: int) -> int:
    """The exit code of the image's probe, with a proxy in the environment that must not be asked."""
    python, *arguments = probe()
    assert python == "python"
    environment = {**os.environ, "DESCENT_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode


def test_the_probe_passes_when_the_service_is_ready() -> None:
    with answering(200) as port:
        assert probing(port) == 0


def test_the_probe_fails_when_the_service_is_not_ready() -> None:
    with answering(503) as port:
        assert probing(port) == 1


def test_the_probe_fails_when_nothing_listens() -> None:
    with answering(200) as port:
        pass
    assert probing(port) == 1


def test_the_probe_has_options_that_old_builders_know() -> None:
    options, _, _ = final_stage()["HEALTHCHECK"].partition(" CMD ")
    assert {option.partition("=")[0] for option in options.split()} <= {"--interval", "--timeout", "--start-period"}


def test_the_probe_has_no_argument_with_a_space() -> None:
    assert not any(" " in argument for argument in probe())


def test_compose_publishes_the_port_on_loopback_and_mounts_the_volume() -> None:
    document, stage = composed(), final_stage()
    service = document["services"]["descent"]
    assert all(each["profiles"] for name, each in document["services"].items() if name != "descent")
    assert service["ports"] == [f"127.0.0.1:{stage['EXPOSE']}:{stage['EXPOSE']}"]
    assert service["volumes"] == [f"data:{stage['VOLUME']}"]
    assert service["read_only"] is True
    assert service["environment"]["DESCENT_AUTH"] == "off"  # and a bare image, which listens to all, says what to set


def test_the_image_listens_to_all_and_so_asks_for_keys_or_a_word(tmp_path: Path) -> None:
    host = dict(each.split("=", 1) for each in final_stage()["ENV"].split())["DESCENT_HOST"]
    with pytest.raises(Refused, match=r"descent keys create .* DESCENT_AUTH=off"), prepared(_settings(tmp_path, host)):
        pass
    with prepared(_settings(tmp_path, host, auth="off")) as sockets:
        assert sockets


def _settings(folder: Path, host: str, **others: str) -> Settings:
    return Settings.model_validate({"data": folder, "host": host, "port": 0, **others})


def test_compose_limits_memory_processors_and_logs() -> None:
    for name, service in composed()["services"].items():
        assert service["mem_limit"], name
    service = composed()["services"]["descent"]
    assert service["cpus"] > 0
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_files_that_compose_mounts_are_there_and_volumes_are_declared() -> None:
    document = composed()
    for service in document["services"].values():
        for source in (mount.partition(":")[0] for mount in service["volumes"]):
            assert (REPOSITORY / source).exists() if source.startswith("./") else source in document["volumes"]


def test_prometheus_asks_the_ports_that_the_service_has() -> None:
    configured = YAML(typ="safe").load(REPOSITORY / "deploy" / "prometheus.yml")
    targets = [
        target for job in configured["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    ]
    service = composed()["services"]["descent"]["environment"]
    assert targets == [f"descent:{final_stage()['EXPOSE']}", f"descent:{service['DESCENT_METRICS_PORT']}"]
    assert service["DESCENT_HOSTS"] == "descent"


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    dashboard = json.loads((REPOSITORY / "deploy" / "grafana" / "dashboards" / "descent.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = set(re.findall(r"\bdescent_[a-z_]+", " ".join(expressions)))
    sources = "".join((REPOSITORY / "service" / "metrics" / f"{name}.py").read_text() for name in ("tables", "traffic"))
    known = set(re.findall(r'"(descent_[a-z_]+)"', sources))
    assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} <= known
    assert len(expressions) > 10


def test_the_image_drops_no_part_of_arrow_that_the_service_loads() -> None:
    dropped = re.findall(r"pyarrow/(\S+)", next(rest for word, rest in instructions() if "pyarrow/include" in rest))
    assert {"libarrow_flight*", "_flight*", "include", "src", "tests"} <= set(dropped)
    kept = ("libarrow.so", "libparquet.so", "libarrow_s3.so", "libarrow_compute.so", "_csv.", "_parquet.", "_s3fs.")
    assert not any(name.startswith(pattern.rstrip("*")) for pattern in dropped for name in kept)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the package's wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (file,) = folder.iterdir()
    return set(zipfile.ZipFile(file).namelist())


def test_the_wheel_carries_what_the_service_reads_at_run_time(wheel: set[str]) -> None:
    read = [*(REPOSITORY / "migrations").rglob("*"), *(REPOSITORY / "service" / "page").rglob("*")]
    files = {path.relative_to(REPOSITORY).as_posix() for path in read if path.is_file() and path.suffix != ".pyc"}
    assert "migrations/env.py" in files
    assert files <= wheel


def test_the_wheel_carries_nothing_else(wheel: set[str]) -> None:
    assert {name.partition("/")[0] for name in wheel if ".dist-info/" not in name} == {"service", "migrations"}
