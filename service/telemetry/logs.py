"""Logs on stderr: time and level on each line, the same message at most once a minute."""

import logging
import time
from dataclasses import dataclass
from typing import TextIO

WINDOW = 60.0
"""Seconds in which a message that comes again is only counted."""


def set_up() -> None:
    """Send what this process logs to stderr, Python's warnings too."""
    handler = OnceAMinute()
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # a migration gets one line, which is ours
    logging.captureWarnings(True)


class LineFormatter(logging.Formatter):
    """A formatter that puts time (UTC) and level before each line, those of a traceback too."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record)} {record.levelname:<7}"
        return "\n".join(f"{head} {line}" for line in super().format(record).splitlines() or [""])


@dataclass
class Window:
    """A message that was written, the time from which it is only counted, and its count since."""

    name: str
    level: int
    message: str
    began: float
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
        self._windows[key] = Window(*key, record.created)
        if key not in written:
            super().emit(record)

    def _write_counts(self, moment: float) -> set[tuple[str, int, str]]:
        """End the windows that are over at `moment`; the messages that came again in them, which are written."""
        over = [key for key, window in self._windows.items() if moment - window.began >= WINDOW]
        return {key for key in over if self._write_count(self._windows.pop(key), moment)}

    def _write_count(self, window: Window, moment: float) -> bool:
        if window.repeats:
            text = f"{window.message} ({window.repeats} more in {moment - window.began:.0f} s)"
            record = logging.LogRecord(window.name, window.level, "", 0, text, None, None)
            super().emit(record)
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
