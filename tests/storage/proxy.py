"""A proxy before PostgreSQL that cuts the line once the server has answered a COMMIT."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool


@contextmanager
def cut_after_commit(url: str) -> Iterator[tuple[str, threading.Event]]:
    """A URL through the proxy, and the event that makes it cut the next COMMIT."""
    server = _server_of(url)
    cut = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, server, cut), daemon=True).start()
    host, port = listener.getsockname()
    query = {k: v for k, v in make_url(url).query.items() if k != "host"} | {"sslmode": "disable"}
    proxied = make_url(url).set(host=host, port=port, query=query)
    try:
        yield proxied.render_as_string(hide_password=False), cut
    finally:
        listener.close()


def _server_of(url: str) -> str | tuple[str, int]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as conn:
        info = conn.connection.driver_connection.info
        host, port = info.host, info.port
    engine.dispose()
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def _accept(listener: socket.socket, server: str | tuple[str, int], cut: threading.Event) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            family = socket.AF_UNIX if isinstance(server, str) else socket.AF_INET
            upstream = socket.socket(family)
            upstream.connect(server)
            committed = threading.Event()
            for source, target in ((client, upstream), (upstream, client)):
                threading.Thread(
                    target=_pump,
                    args=(source, target),
                    kwargs={"upward": source is client, "cut": cut, "committed": committed},
                    daemon=True,
                ).start()


def _pump(
    source: socket.socket,
    target: socket.socket,
    *,
    upward: bool,
    cut: threading.Event,
    committed: threading.Event,
) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if upward and cut.is_set() and b"COMMIT" in data:
                committed.set()
            elif not upward and committed.is_set():
                break
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
