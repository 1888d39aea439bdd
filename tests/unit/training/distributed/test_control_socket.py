"""Who comes to the worker over the network is heard only with the key, and whoever has it is not kept waiting by those who have not."""

from __future__ import annotations

import os
import pickle
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest

from tuneproof.engine.run.node_rendezvous import Rendezvous, published, read_rendezvous
from tuneproof.engine.training.distributed import control_socket as door_module
from tuneproof.engine.training.distributed.control_socket import KEY, NetworkControlServer, connect
from tuneproof.engine.training.distributed.torchrun import LOOPBACK, interface_to


@pytest.fixture
def door() -> Iterator[NetworkControlServer]:
    with NetworkControlServer() as door:
        yield door


class Harm:
    """What does harm when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def come(door: NetworkControlServer, key: str) -> tuple[Connection, list[Connection]]:
    """One who knocks with a key, and whom the door has let in by then."""
    os.environ[KEY] = key
    let_in: list[Connection] = []
    with ThreadPoolExecutor() as pool:
        knocking = pool.submit(connect, f"127.0.0.1:{door.port}")
        while not knocking.done():
            wait([door.fileno()], 0.05)
            let_in += door.came()
    come = knocking.result()
    while not let_in:
        let_in += door.came()
    return come, let_in


def test_who_has_the_key_is_let_in_and_both_can_speak(door: NetworkControlServer) -> None:
    there, (here,) = come(door, door.key)
    with there, here:
        there.send("ready")
        assert here.recv() == "ready" and KEY not in os.environ


def test_who_has_another_key_is_turned_away(door: NetworkControlServer) -> None:
    with pytest.raises(AuthenticationError):
        come(door, "0" * 64)
    assert door.came() == []


def test_nothing_is_unpickled_of_one_who_has_not_shown_the_key(door: NetworkControlServer, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", door.port)) as stranger:
        sent = pickle.dumps(Harm(tmp_path / "harm"))
        stranger.sendall(len(sent).to_bytes(4, "big") + sent)
        wait([door.fileno()])
        assert door.came() == []
        # The challenge, then what tells it that its answer is none, then the end.
        while stranger.recv(1024):
            pass
    assert door.came() == [] and not (tmp_path / "harm").exists()


def test_one_who_says_nothing_keeps_nobody_waiting_and_is_let_go(door: NetworkControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "HANDSHAKE_SECONDS", 1)
    with socket.create_connection(("127.0.0.1", door.port)) as stranger:
        there, (here,) = come(door, door.key)
        while stranger.recv(1024):
            pass
        # Of those that are let in nobody is held to a time.
        assert not here.poll(1.5)
        there.send("later")
        assert here.recv() == "later"
        there.close(), here.close()


def test_a_call_is_heard_while_it_is_out_and_read_by_nobody_else(tmp_path: Path) -> None:
    call, path = Rendezvous(nodes=2, processes=4, door=1, store=2, key="secret"), tmp_path / "7.call"
    assert read_rendezvous(path) is None
    with published(path, call):
        assert read_rendezvous(path) == call and stat.S_IMODE(path.stat().st_mode) == 0o600 and "secret" not in repr(call)
    assert read_rendezvous(path) is None and list(tmp_path.iterdir()) == []


def test_processes_of_several_nodes_speak_over_the_interface_that_leads_to_the_first() -> None:
    assert interface_to("127.0.0.1") == LOOPBACK
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
    assert interface_to("192.0.2.1") not in (None, LOOPBACK)
