"""Checks before anything is started, and the preparations for the service once all of them pass."""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from service.database.inspection import fault_of, has_keys
from service.database.lock import FileLock
from service.settings import Settings
from service.startup.private_folder import keep_private

FULL = {errno.ENOSPC, errno.EDQUOT}
"""Errors that do not prevent a start: data can still be read, and other requests get 503 until there is room."""
BACKLOG = 2048


class Names(NamedTuple):
    """The words for an address and its port, and for the way to choose another port."""

    host: str
    way: str
    port: str


SERVICE = Names("DESCENT_HOST", "--port", "--port (0: any)")
METRICS = Names("DESCENT_METRICS_HOST", "DESCENT_METRICS_PORT", "DESCENT_METRICS_PORT")


class Refused(Exception):
    """The service cannot start; the message is one sentence with the reason and the remedy."""


@contextmanager
def prepared(settings: Settings) -> Iterator[list[socket.socket]]:
    """The sockets to serve on, with the data folder made and the database locked for as long as the block lasts.

    Raises:
        Refused: a check fails; nothing was made then.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(each) for each in _listening(settings.host, settings.port)]
        if settings.metrics_port is not None:
            for each in _listening(settings.metrics_host, settings.metrics_port, METRICS):
                each.close()  # the server of metrics opens one of its own
        check(settings)
        _check_doors(settings, sockets)
        stack.callback(locked(settings).release)
        yield sockets


def check(settings: Settings) -> None:
    """Check folders and database, and make the data folder.

    Raises:
        Refused: one of them cannot be used.
    """
    check_places(settings)
    try:
        keep_private(settings.data)
    except OSError as error:
        raise Refused(
            f"DESCENT_DATA: {settings.data} cannot be made ({error.strerror}): name another folder."
        ) from None


def check_places(settings: Settings) -> None:
    """Check folders and database, and make nothing. Raises Refused where one of them cannot be used."""
    file = database_file(settings)
    _check_folder("DESCENT_DATA", settings.data)
    if "://" in settings.storage_address:
        _check_bucket(settings.storage_address)
    else:
        _check_folder("DESCENT_STORAGE", Path(settings.storage_address))
    if settings.database is not None:
        if not file.parent.exists():
            raise Refused(f"DESCENT_DATABASE: there is no folder {file.parent}: make it, or name another file.")
        _check_folder("DESCENT_DATABASE", file.parent)
    if (fault := fault_of(file)) is not None:
        raise Refused(f"{fault} with DESCENT_{'DATA' if settings.database is None else 'DATABASE'}.")


def check_port(settings: Settings) -> None:
    """Check that the service may listen, and that its doors are settled. Raises Refused where it may not."""
    sockets = _listening(settings.host, settings.port)
    try:
        _check_doors(settings, sockets)
    finally:
        for each in sockets:
            each.close()


def _check_doors(settings: Settings, sockets: list[socket.socket]) -> None:
    """Check that a service without keys is out of others' reach.

    Raises:
        Refused: other machines reach it.
    """
    if settings.auth == "off" or all(ip_address(each.getsockname()[0]).is_loopback for each in sockets):
        return
    if not has_keys(database_file(settings)):
        raise Refused(
            f"Other machines may reach {settings.host}, and there are no keys: make one with `descent keys create "
            f"--name admin --scope admin`, with the same DESCENT_DATA, or let everybody in with DESCENT_AUTH=off."
        )


def database_file(settings: Settings) -> Path:
    if settings.database is None:
        return settings.own_database
    from sqlalchemy import make_url  # here: most have no such setting, and the service listens before it imports this

    return Path(make_url(settings.database).database or "")


def _check_bucket(address: str) -> None:
    """Check that the address is one of a bucket; whether it is there is seen when datasets are stored."""
    from service.storage.bucket import Bucket  # here: pyarrow takes a third of a second

    try:
        Bucket(address)
    except ValueError as error:
        raise Refused(f"DESCENT_STORAGE: {error}; give one, or a folder.") from None


def _check_folder(name: str, folder: Path) -> None:
    """Whether files can be made in the folder, or in the first one above it that exists.

    A file without a name is the test: permissions allow root everything, also where nothing can be written.
    """
    nearest = folder.absolute()
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    if not nearest.is_dir():
        raise Refused(f"{name}: {nearest} is no folder: name another one, or move it away.")
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        if error.errno not in FULL:
            reason = os.strerror(error.errno or 0)
            detail = f"{name}: nothing can be written in {nearest} ({reason})"
            raise Refused(f"{detail}: give it to this user, or name another folder.") from None


def locked(settings: Settings) -> FileLock:
    """Return the lock of the database.

    Raises:
        Refused: another service has it.
    """
    file = database_file(settings)
    try:
        lock = FileLock(file.with_name(f"{file.name}.lock"))
    except OSError as error:
        raise Refused(f"{file}.lock cannot be opened ({error.strerror}): give it to this user.") from None
    if not lock.held:
        lock.release()
        raise Refused(f"Another service works with {file}: stop it, or choose another folder with --data.")
    return lock


def _listening(host: str, port: int, names: Names = SERVICE) -> list[socket.socket]:
    """Return a socket for each address of the host, which listens already: of two services only one gets a port.

    Raises:
        Refused: the port is in use, or the host no address of this machine.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # a part of the name is empty or too long for one
        reason = getattr(error, "strerror", None) or "this is no name"
        raise Refused(f"{names.host}: {host} has no address ({reason}): 127.0.0.1 or 0.0.0.0 has.") from None
    sockets: list[socket.socket] = []
    failures: list[OSError] = []
    for family, _, _, _, address in dict.fromkeys(addresses):
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a family that this machine has switched off
            failures.append(error)
            continue
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            failures.append(error)
        else:
            sockets.append(listener)
    in_use = [failure for failure in failures if failure.errno == errno.EADDRINUSE]
    if not sockets or in_use:
        for each in sockets:
            each.close()
        raise Refused(_why_not(host, port, (in_use or failures)[0], names))
    return sockets


def _why_not(host: str, port: int, error: OSError, names: Names) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is in use: stop what listens there, or choose another with {names.port}."
        case errno.EACCES:
            return f"Port {port} is for root alone: choose one above 1023 with {names.way}."
        case errno.EADDRNOTAVAIL:
            return f"{names.host}: {host} is no address of this machine: 127.0.0.1 or 0.0.0.0 is."
        case _:
            return f"Nothing can listen at port {port} of {host} ({os.strerror(error.errno or 0)}): choose another."
