"""The process that embedded workers are forked from, so that their modules are loaded once, and beside the service."""

import logging
from multiprocessing import forkserver

log = logging.getLogger(__name__)

TEMPLATE = ["service.engine.template"]


def start_fork_server() -> bool:
    """Start the fork server, unless it runs; return False where it cannot be reached.

    It loads by itself, and ends when this process and the workers have.
    """
    forkserver.set_forkserver_preload(TEMPLATE)
    try:
        forkserver.ensure_running()
    except OSError as error:  # its socket lies with Python's temporary files: not every path, nor every disk, takes one
        log.warning("workers start slower, each by itself: the fork server has no socket (%s)", error)
        return False
    return True
