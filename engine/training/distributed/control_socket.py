"""The connection between the worker and the processes that train for it: a Unix socket, or a TCP port if they are on several machines.

A port is open to the whole network, and messages are unpickled. So nothing is read from a connection before both ends have proved that they
have the key, by the challenge of `multiprocessing.connection`.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import socket
import struct
import tempfile
import threading
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

KEY = "TUNEPROOF_CONTROL_KEY"
"""The environment variable with the key: other users cannot read it, as they can a command line."""

HANDSHAKE_SECONDS = 10.0
"""How long a client may be silent before it has proved that it has the key."""

_log = logging.getLogger(__name__)


class ControlServer(Protocol):
    """The worker's listener for the training processes."""

    @property
    def key(self) -> str | None:
        """The key that clients need; None if only this user can connect."""

    def fileno(self) -> int:
        """The listening socket's file descriptor, readable when a client connects."""

    def accept(self) -> list[Connection]:
        """The clients that have connected since the last call; does not wait."""


class LocalControlServer:
    """A Unix socket in a folder that only this user can enter."""

    key = None

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tuneproof-control-")
        self.address = str(Path(self._folder.name) / "socket")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen()
        self._listener.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
        self._folder.cleanup()

    def fileno(self) -> int:
        """The listening socket's file descriptor."""
        return self._listener.fileno()

    def accept(self) -> list[Connection]:
        """The clients that have connected since the last call; does not wait."""
        return [Connection(client.detach()) for client in _accept_all(self._listener)]


class NetworkControlServer:
    """A TCP port of this machine, and its key."""

    def __init__(self) -> None:
        self.key = secrets.token_hex(32)
        self._listener = socket.create_server(("", 0))
        self._listener.setblocking(False)
        self._authenticated: queue.SimpleQueue[Connection] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._listener.getsockname()[1])

    def fileno(self) -> int:
        """The listening socket's file descriptor, readable when a client connects, authenticated or not."""
        return self._listener.fileno()

    def accept(self) -> list[Connection]:
        """The clients that have been authenticated since the last call; does not wait."""
        for client in _accept_all(self._listener):
            # In a thread each, so that a client that says nothing delays no other.
            threading.Thread(target=self._authenticate, args=(client,), daemon=True).start()
        return [self._authenticated.get() for _ in range(self._authenticated.qsize())]

    def _authenticate(self, client: socket.socket) -> None:
        with client:
            _set_timeout(client, HANDSHAKE_SECONDS)
            connection, key = Connection(os.dup(client.fileno())), self.key.encode()
            try:
                deliver_challenge(connection, key)
                answer_challenge(connection, key)
            # A stranger can send anything.
            except Exception as error:
                connection.close()
                _log.warning("refused a client without the key: %s: %s", type(error).__name__, error)
                return
            _set_timeout(client, 0)
            self._authenticated.put(connection)


def connect(address: str) -> Connection:
    """Connects to a control server: to the path of a Unix socket, or with the key from the environment to `host:port`.

    Raises OSError, EOFError or AuthenticationError if the server is gone or refuses the connection.
    """
    # Removed, so that child processes do not inherit it.
    key = os.environ.pop(KEY, None)
    if key is None:
        return Client(address, family="AF_UNIX")
    host, port = address.rsplit(":", 1)
    return Client((host, int(port)), authkey=key.encode())


def _accept_all(listener: socket.socket) -> list[socket.socket]:
    clients: list[socket.socket] = []
    while True:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            return clients
        client.setblocking(True)
        clients.append(client)


def _set_timeout(client: socket.socket, seconds: float) -> None:
    """Limits how long reading and writing may take; 0 removes the limit."""
    # On the socket itself rather than on Python's object for it: a Connection has only its file descriptor.
    timeval = struct.pack("ll", int(seconds), 0)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        client.setsockopt(socket.SOL_SOCKET, option, timeval)
