"""No user of the machine reaches the embedded cluster, whose protocol carries functions: its ports need its key."""

import socket
import ssl

import psutil

from tests.support.serving import PATIENCE, RunningService

PAGES = ("/health", "/info/main/workers.html", "/json/counts.json", "/metrics")
"""What Dask tells over HTTP unless it is told not to."""


def ports_of(service: RunningService) -> set[int]:
    """The ports on which the service's own cluster listens, in all of its processes."""
    main = psutil.Process(service.process.pid)
    processes = [main, *main.children(recursive=True)]
    listening = {
        each.laddr.port
        for process in processes
        for each in process.net_connections(kind="tcp")
        if each.status == psutil.CONN_LISTEN
    }
    return listening - {int(service.url.rpartition(":")[2])}


def answer_to(port: int, sent: bytes) -> bytes:
    """The first bytes of an answer; none where the connection closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(sent)
            return connection.recv(1000)
        except OSError:  # it broke off
            return b""


def lets_in(port: int) -> bool:
    """Whether a port takes encryption by somebody without a certificate."""
    stranger = ssl.create_default_context()
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    try:
        with stranger.wrap_socket(connection) as encrypted:
            return encrypted.recv(1) != b""
    except OSError:  # those of TLS are some, too
        return False
    finally:
        connection.close()


def test_ports_of_the_embedded_cluster_answer_nobody_without_its_key(service: RunningService) -> None:
    service.wait_until_ready()
    ports = ports_of(service)
    assert len(ports) > 2
    closed = 0
    for port in ports:
        answers = {path: answer_to(port, f"GET {path} HTTP/1.0\r\n\r\n".encode()) for path in PAGES}
        assert all(not each or b" 404 " in each.split(b"\r\n")[0] for each in answers.values()), (port, answers)
        if not any(answers.values()):  # no server of pages, but of the protocol
            closed += 1
            assert not lets_in(port)
    assert closed > 1
