"""In a Python process with this folder on its path: sockets refuse every other machine, and write down who was asked for."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

LOOPBACK = ("localhost", "127.0.0.1", "::1", "", None)


def _refuse(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOOPBACK:
        with Path(os.environ["TUNEPROOF_TEST_NETWORK_LOG"]).open("a", encoding="utf-8") as log:
            log.write(f"{name}\n")
        raise OSError(f"no network in this test: {name}")


getaddrinfo, connect = socket.getaddrinfo, socket.socket.connect


def _getaddrinfo(host: Any, *args: Any, **named: Any) -> Any:
    _refuse(host)
    return getaddrinfo(host, *args, **named)


def _connect(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX:
        _refuse(address[0])
    connect(self, address)


socket.getaddrinfo = _getaddrinfo
socket.socket.connect = _connect  # type: ignore[method-assign, assignment]
