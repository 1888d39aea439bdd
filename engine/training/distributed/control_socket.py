"""Where the processes of a training come to the worker: a Unix socket, or a port where they come from other machines too.

A port is open to whoever is on the network, and what comes over a connection is unpickled: nothing of it is read before both ends have
shown each other that they have the key, by the handshake of `multiprocessing.connection`.
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

KEY = "TUNEPROOF_DOOR_KEY"
"""The variable in which a process is given the key: unlike a command line, another user cannot read it."""

HANDSHAKE_SECONDS = 10.0
"""How long whoever has come may be silent before the key is shown."""

_log = logging.getLogger(__name__)


class ControlServer(Protocol):
    """What the worker waits at."""

    @property
    def key(self) -> str | None:
        """What whoever comes must have; none where only this user can come."""

    def fileno(self) -> int:
        """What is ready when somebody has come."""

    def came(self) -> list[Connection]:
        """Those that came and are let in; does not wait."""


class LocalControlServer:
    """A Unix socket in a folder that only this user can enter."""

    key = None

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="tuneproof-door-")
        self.address = str(Path(self._place.name) / "door")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen()
        self._listener.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._listener.close()
        self._place.cleanup()

    def fileno(self) -> int:
        """What is ready when somebody has come."""
        return self._listener.fileno()

    def came(self) -> list[Connection]:
        """Those that came; does not wait."""
        return [Connection(caller.detach()) for caller in _callers(self._listener)]


class NetworkControlServer:
    """A port of this machine, and the key to it."""

    def __init__(self) -> None:
        self.key = secrets.token_hex(32)
        self._listener = socket.create_server(("", 0))
        self._listener.setblocking(False)
        self._proven: queue.SimpleQueue[Connection] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._listener.close()

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self._listener.getsockname()[1])

    def fileno(self) -> int:
        """What is ready when somebody has come, who may not have shown the key yet."""
        return self._listener.fileno()

    def came(self) -> list[Connection]:
        """Those that have shown the key; does not wait."""
        for caller in _callers(self._listener):
            # Each by itself, so that one who says nothing keeps nobody waiting.
            threading.Thread(target=self._let_in, args=(caller,), daemon=True).start()
        return [self._proven.get() for _ in range(self._proven.qsize())]

    def _let_in(self, caller: socket.socket) -> None:
        with caller:
            _limit_silence(caller, HANDSHAKE_SECONDS)
            connection, key = Connection(os.dup(caller.fileno())), self.key.encode()
            try:
                deliver_challenge(connection, key)
                answer_challenge(connection, key)
            # Whatever a stranger sends.
            except Exception as error:
                connection.close()
                _log.warning("turned away somebody who has not shown the key: %s: %s", type(error).__name__, error)
                return
            _limit_silence(caller, 0)
            self._proven.put(connection)


def connect(address: str) -> Connection:
    """Goes to a door: to the path of a socket, or with the key to `host:port`.

    Raises OSError, EOFError or AuthenticationError where it is not let in.
    """
    # Taken out, so that nothing that this process starts has it.
    key = os.environ.pop(KEY, None)
    if key is None:
        return Client(address, family="AF_UNIX")
    host, port = address.rsplit(":", 1)
    return Client((host, int(port)), authkey=key.encode())


def _callers(listener: socket.socket) -> list[socket.socket]:
    callers: list[socket.socket] = []
    while True:
        try:
            caller, _ = listener.accept()
        except BlockingIOError:
            return callers
        caller.setblocking(True)
        callers.append(caller)


def _limit_silence(caller: socket.socket, seconds: float) -> None:
    """How long reading and writing may take at most; 0 lifts the limit."""
    # Of the socket and not of Python's object for it: a Connection has only its number.
    span = struct.pack("ll", int(seconds), 0)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        caller.setsockopt(socket.SOL_SOCKET, option, span)
