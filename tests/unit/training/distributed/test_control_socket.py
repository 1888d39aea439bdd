"""Only a client with the key is heard by the worker over the network, and it does not wait for clients without one."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest

from tuneproof.engine.training.distributed import control_socket
from tuneproof.engine.training.distributed.control_socket import KEY, NetworkControlServer, connect


@pytest.fixture
def server() -> Iterator[NetworkControlServer]:
    with NetworkControlServer() as server:
        yield server


class MakesFolder:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def connected(server: NetworkControlServer, key: str) -> tuple[Connection, list[Connection]]:
    """A client that connects with a key, and the connections that the server has accepted by then."""
    os.environ[KEY] = key
    accepted: list[Connection] = []
    with ThreadPoolExecutor() as pool:
        connecting = pool.submit(connect, f"127.0.0.1:{server.port}")
        while not connecting.done():
            wait([server.fileno()], 0.05)
            accepted += server.accept()
    client = connecting.result()
    while not accepted:
        accepted += server.accept()
    return client, accepted


def test_a_client_with_the_key_is_accepted_and_the_key_is_removed_from_its_environment(server: NetworkControlServer) -> None:
    client, (accepted,) = connected(server, server.key)
    with client, accepted:
        client.send("ready")
        assert accepted.recv() == "ready" and KEY not in os.environ


def test_a_client_with_another_key_is_refused(server: NetworkControlServer) -> None:
    with pytest.raises(AuthenticationError):
        connected(server, "0" * 64)
    assert server.accept() == []


def test_nothing_is_unpickled_from_a_client_without_the_key(server: NetworkControlServer, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        sent = pickle.dumps(MakesFolder(tmp_path / "made"))
        stranger.sendall(len(sent).to_bytes(4, "big") + sent)
        wait([server.fileno()])
        assert server.accept() == []
        # The challenge, then the refusal, then the end.
        while stranger.recv(1024):
            pass
    assert server.accept() == [] and not (tmp_path / "made").exists()


def test_a_silent_client_delays_no_other_and_is_dropped(server: NetworkControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "HANDSHAKE_SECONDS", 1)
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        client, (accepted,) = connected(server, server.key)
        while stranger.recv(1024):
            pass
        # An accepted client may be silent for as long as it likes.
        assert not accepted.poll(1.5)
        client.send("later")
        assert accepted.recv() == "later"
        client.close()
        accepted.close()
