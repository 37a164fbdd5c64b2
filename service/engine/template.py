"""The module that the fork server loads before it forks a worker; nothing else imports it: it changes its process."""

import os
import signal
from importlib import import_module

from service.startup import allocator, garbage

LOADED = (
    "numpy",
    "dask",
    "distributed",
    "distributed.nanny",
    "sqlalchemy.orm",
    "service.engine.tickets",
    "service.cli",
)
"""Modules that a worker runs, and the command, which a worker reads as its main module."""
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Read when NumPy is loaded: a process whose BLAS has threads cannot be forked safely."""

# A terminal and systemd send these to the whole group; the service is told, and it ends its workers.
for sent_to_all in (signal.SIGINT, signal.SIGTERM):
    signal.signal(sent_to_all, signal.SIG_IGN)
os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
allocator.keep_little()
parent = os.getppid()
with garbage.kept():  # a collection in a worker would write to, and so copy, all pages that it shares with the others
    for module in LOADED:
        if os.getppid() != parent:  # the service has ended meanwhile, and a stop by signal is not heard here
            os._exit(0)
        import_module(module)
