"""Room that is kept back for small urgent writes, and the mark of a full disk that all processes see."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

SIZE = 1 << 20
SLICE = 1 << 18
"""Bytes released at a time: a cancellation changes a few pages of 4 KiB, and writes each once."""
ROOM = 8 * SIZE
"""Bytes that have to be free before the reserve takes any."""
NEVER = 0.0


class Reserve:
    """A file beside the database.

    Its length is room that can be released. Its time of change is when the disk was last found full: a time can be set
    on a full disk too, and so a worker tells the service that it is alive but cannot write.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._marked = NEVER
        """The last mark of this process: on a read-only disk the file cannot have it."""

    def fill(self) -> None:
        """Take the room where there is plenty."""
        with suppress(OSError):
            if self.size < SIZE and shutil.disk_usage(self._file.parent).free >= ROOM:
                mark = self.marked()
                self._file.write_bytes(os.urandom(SIZE))  # a file system that packs would keep no room for zeros
                self._set_mark(mark)

    @property
    def size(self) -> int:
        """Bytes that are kept back."""
        try:
            return self._file.stat().st_size
        except OSError:
            return 0

    def release(self) -> bool:
        """Release a slice of the room; return False where none is left."""
        size = self.size
        if size == 0:
            return False
        with suppress(OSError):
            os.truncate(self._file, max(0, size - SLICE))
        self.mark()
        return self.size < size

    def mark(self) -> None:
        """Note that the disk is full now."""
        self._marked = time.time()
        with suppress(OSError):
            self._file.touch()
            self._set_mark(self._marked)

    def marked(self) -> float:
        """Seconds since 1970 at which the disk was last found full; `NEVER` before that."""
        try:
            return max(self._marked, self._file.stat().st_mtime)
        except OSError:
            return self._marked

    def _set_mark(self, moment: float) -> None:
        self._marked = moment
        os.utime(self._file, (moment, moment))
