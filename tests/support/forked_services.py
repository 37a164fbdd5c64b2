"""A process that has loaded the service's modules and forks programs: to load them takes longer than most tests."""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from multiprocessing import util
from pathlib import Path
from typing import IO, Any

LOADED = (
    "service.app",
    "service.server",
    "service.startup.preparation",
    "service.telemetry.logs",
    "service.engine.cluster",
    "service.engine.dispatcher",
    "service.engine.fork_server",
    "service.engine.watchdog",
    "distributed.nanny",
    "service.engine.tickets",
)
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
_spawn: Callable[[Any, Any, Any], int] = util.spawnv_passfds
PLACE = "TESTS_TEMPLATE"
"""The variable with the place of a socket, where the process is met that has loaded the modules."""
MOST_BYTES = 1 << 17
"""Bytes of a request: a command and an environment."""


class ForkedProgram:
    """A module that runs as a program in a fork, with what tests use of `subprocess.Popen`."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: IO[Any],
        *,
        group: bool = False,
        folder: Path | None = None,
    ) -> None:
        read, write = os.pipe()
        request = {
            "command": [module, *arguments],
            "environment": dict(environment),
            "group": group,
            "folder": str(folder or Path.cwd()),
        }
        self._parent = _template()
        self.pid = self._parent.ask(request, write, log.fileno())
        os.close(write)
        self.stdout = os.fdopen(read)
        self.returncode: int | None = None
        self._end = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        """Return the exit code, or None while the program runs."""
        return self._reap() if self._has_ended(0) else self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("a fork", timeout or 0)
        return self._reap()

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self._end, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        return self.returncode is not None or bool(select.select([self._end], [], [], timeout)[0])

    def _reap(self) -> int:
        if self.returncode is None:
            self.returncode = self._parent.ask({"reap": self.pid})
            os.close(self._end)
        return self.returncode


def load() -> None:
    """Start the process that loads the modules, for this process and all that it starts; it ends with this one."""
    folder = tempfile.TemporaryDirectory()
    place = str(Path(folder.name) / "template")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(place)
    listener.listen()
    ours, theirs = socket.socketpair()
    files = [listener.fileno(), theirs.fileno()]
    # the process that cleans up behind a killed service would warn in its log, sooner or later
    environment = {**os.environ, "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning"}
    environment |= dict.fromkeys(ONE_THREAD, "1")  # as its workers read it
    process = subprocess.Popen([sys.executable, "-m", __name__, *map(str, files)], pass_fds=files, env=environment)
    listener.close()
    theirs.close()
    os.environ[PLACE] = place

    def end() -> None:
        ours.close()
        process.wait()
        folder.cleanup()

    atexit.register(end)


class Template:
    """A fork of the process that has loaded the modules, which forks programs for this process alone."""

    def __init__(self) -> None:
        if PLACE not in os.environ:
            load()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(os.environ[PLACE])
        atexit.register(self._socket.close)

    def ask(self, request: Mapping[str, Any], *files: int) -> int:
        socket.send_fds(self._socket, [json.dumps(request).encode()], files)
        return int(self._socket.recv(100))


@cache
def _template() -> Template:
    return Template()


def serve_connections(listener: socket.socket, end: socket.socket) -> None:
    """Fork a template for each process of tests that connects; return in a program, or at the end."""
    gc.disable()  # there is nothing to collect in what is loaded
    for module in LOADED:
        import_module(module)
    gc.freeze()
    gc.enable()
    while True:
        ready, _, _ = select.select([listener, end], [], [])
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if end in ready:
            return
        requests, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            end.close()
            serve_requests(requests)
            return
        requests.close()


def serve_requests(requests: socket.socket) -> None:
    """Fork a program for each request for one, and tell its end to whoever asks; return in the program, or at the end.

    A program is forked from the main thread, while there is no other: it runs as one that was started by itself.
    """
    while text := (message := socket.recv_fds(requests, MOST_BYTES, 2))[0]:
        request, files = json.loads(text), message[1]
        if "reap" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["reap"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                requests.close()
                _become(request, *files)
                return
        for file in files:
            os.close(file)
        requests.send(str(answer).encode())


def _become(request: dict[str, Any], stdout: int, stderr: int) -> None:
    if request["group"]:
        os.setpgid(0, 0)
    for file, place in ((stdout, 1), (stderr, 2)):
        os.dup2(file, place)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    util.spawnv_passfds = _forked_or_spawned  # type: ignore[assignment]  # it takes no more than Python gives it
    sys.argv = request["command"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _forked_or_spawned(path: Any, arguments: Any, files: Any) -> int:
    """Start a process as `spawnv_passfds` does; fork the service's fork server, which would load the same modules."""
    code = str(arguments[-1])
    threads = len(list(Path("/proc/self/task").iterdir()))  # those of libraries too: a bucket's client has some
    if not code.startswith("from multiprocessing.forkserver import main") or threads > 1:
        return _spawn(path, arguments, files)
    process = os.fork()
    if process == 0:
        beginning = 3
        for file in (*sorted(files), os.sysconf("SC_OPEN_MAX")):
            os.closerange(beginning, file)
            beginning = file + 1
        try:
            exec(code, {})  # noqa: S102 - what Python gives the process that it would start
        except Exception:  # noqa: BLE001 - the process that it stands for would tell it, too
            traceback.print_exc()
        finally:
            os._exit(0)
    return process


if __name__ == "__main__":
    serve_connections(*(socket.socket(fileno=int(file)) for file in sys.argv[1:]))
