"""The data folder, which is closed to other users."""

import logging
import os
import stat
from pathlib import Path

log = logging.getLogger(__name__)

OTHERS = 0o077
"""The permissions of everybody but the owner."""
CONTENT = ("descent.db*", "datasets", "cache", "scratch")
"""Patterns of the files and folders that a service keeps right in its folder."""


def keep_private(folder: Path) -> None:
    """Make the data folder, for its owner alone, as all that this process and its children make from now on.

    What is there already is closed to others where it belongs to this user; a folder that is somebody else's (a bind
    mount, Kubernetes' fsGroup) or everybody's (such as /tmp) stays as it is.
    """
    close_new_files()
    folder.mkdir(parents=True, exist_ok=True)
    if not _close(folder):
        log.warning(
            "%s can be read by other users, and is not ours to close: what is new in it is for us alone", folder
        )
    for pattern in CONTENT:
        for path in folder.glob(pattern):
            _close(path)


def close_new_files() -> None:
    """Keep the files and folders that this process makes from others, those that libraries make included."""
    os.umask(OTHERS)


def _close(path: Path) -> bool:
    """Take the permissions of others away; return whether none are left."""
    try:
        state = path.stat()
    except FileNotFoundError:  # a link to nothing, or a file of the database that its owner has just removed
        return True
    if not state.st_mode & OTHERS:
        return True
    if state.st_uid != os.geteuid() or state.st_mode & stat.S_ISVTX:
        return False
    try:
        path.chmod(stat.S_IMODE(state.st_mode) & ~OTHERS)
    except OSError:  # a file system without modes, or one that is mounted read-only
        return False
    return True
