"""Logs on stderr, plain or as JSON: one line an event, the same message at most once a minute."""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, TextIO

from service.access.audit import AUDIT
from service.http.request_context import OWNER, REQUEST_ID
from service.ids import is_id

log = logging.getLogger(__name__)

Form = Literal["plain", "json"]

VARIABLE = "DESCENT_LOG"
ACCESS = "service.access"
"""The name of the logger with a line for each request."""
WINDOW = 60.0
"""Seconds in which a message that comes again is only counted."""


def form_of(environment: Mapping[str, str]) -> Form:
    """Return the form that the environment asks for; also where the setting is wrong, which is told in that form."""
    return "json" if any(name.upper() == VARIABLE and environment[name] == "json" for name in environment) else "plain"


def set_up() -> None:
    """Send what this process logs to stderr, Python's warnings too; workers inherit the form with the environment."""
    formatter = JsonFormatter() if form_of(os.environ) == "json" else LineFormatter()
    handler, access = OnceAMinute(), logging.StreamHandler()
    handler.setFormatter(formatter)
    access.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in (ACCESS, AUDIT):
        requests = logging.getLogger(name)
        requests.handlers[:] = [access]
        requests.propagate = False  # requests that are alike are each a line of their own
    logging.getLogger("alembic").setLevel(logging.WARNING)  # a migration gets one line, which is ours
    logging.captureWarnings(True)
    sys.unraisablehook = _tell_ignored
    sys.excepthook = _tell_fatal


def _tell_ignored(ignored: "sys.UnraisableHookArgs") -> None:
    """Write a line for an error that Python meets while it clears up, and cannot raise."""
    log.warning("an error was passed over while something was cleared up: %r", ignored.exc_value)


def _tell_fatal(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write what ends the process in the form of all other lines."""
    if issubclass(kind, Exception):
        log.critical("the program ends by an error of its own", exc_info=(kind, error, trace))
    else:
        sys.__excepthook__(kind, error, trace)


def warn(log: logging.Logger, message: str, *arguments: object) -> None:
    """Write a warning, whose last argument is an error, with its traceback unless the database or disk is at fault."""
    from service.database.disk_faults import is_outside  # here: the service listens before it imports SQLAlchemy

    *others, error = arguments
    assert isinstance(error, Exception)
    log.warning(message, *others, getattr(error, "orig", error), exc_info=None if is_outside(error) else error)


class LineFormatter(logging.Formatter):
    """A formatter that puts time (UTC) and level before each line, and behind the message the request it is about.

    A message is one line whatever it quotes; a traceback has several.
    """

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        told = " ".join(f"{name}={value}" for name, value in _request_of(record).items())
        message = "\\n".join(record.message.splitlines())
        return f"{message} [{told}]" if told else message

    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record)} {record.levelname:<7}"
        return "\n".join(f"{head} {line}" for line in super().format(record).splitlines() or [""])


class JsonFormatter(LineFormatter):
    """A formatter that makes one line of JSON of each record, its traceback within."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
            **_request_of(record),
        }
        if (job := job_of(record)) is not None:
            line["job_id"] = job
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _request_of(record: logging.LogRecord) -> dict[str, str]:
    """Return the id and owner of the request that a record is about, as far as they are known."""
    if isinstance(record, Count):
        return {}
    known = {"request_id": REQUEST_ID.get(), "owner": OWNER.get()}
    return {name: value for name, value in known.items() if value is not None}


def job_of(record: logging.LogRecord) -> str | None:
    """Return the first job that the message names by itself."""
    if isinstance(record, Count):
        return record.job
    given = record.args if isinstance(record.args, tuple) else ()
    return next((each for each in given if isinstance(each, str) and is_id(each, "job")), None)


class Count(logging.LogRecord):
    """The record of how often a message came again: of several requests, and of no single one."""

    def __init__(self, window: "Window", seconds: float) -> None:
        text = f"{window.message} ({window.repeats} more in {seconds:.0f} s)"
        super().__init__(window.name, window.level, "", 0, text, None, None)
        self.job = window.job


@dataclass
class Window:
    """A message that was written, the time from which it is only counted, and its count since."""

    name: str
    level: int
    message: str
    began: float
    job: str | None
    repeats: int = 0


class OnceAMinute(logging.StreamHandler[TextIO]):
    """A handler that writes a message once a minute at most; the next line tells how often it came meanwhile."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._windows: dict[tuple[str, int, str], Window] = {}
        """Windows, the oldest first."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - logging must not make its caller fail, as with Python's own handlers
            self.handleError(record)
            return
        key = record.name, record.levelno, message
        written = self._write_counts(record.created)
        window = self._windows.get(key)
        if window is not None:
            window.repeats += 1
            return
        self._windows[key] = Window(*key, record.created, job_of(record))
        if key not in written:
            super().emit(record)

    def _write_counts(self, moment: float) -> set[tuple[str, int, str]]:
        """End the windows that are over at `moment`; the messages that came again in them, which are written."""
        over = [key for key, window in self._windows.items() if moment - window.began >= WINDOW]
        return {key for key in over if self._write_count(self._windows.pop(key), moment)}

    def _write_count(self, window: Window, moment: float) -> bool:
        if window.repeats:
            super().emit(Count(window, moment - window.began))
        return window.repeats > 0

    def close(self) -> None:
        self.acquire()
        try:
            for window in self._windows.values():
                self._write_count(window, time.time())
            self._windows.clear()
        finally:
            self.release()
        super().close()
