"""torchrun on one machine, ended only by the worker: `python -m tuneproof.engine.training.distributed.torchrun`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from tuneproof.engine.core import hardware
from tuneproof.engine.training.distributed.control_socket import KEY

GRACE_SECONDS = 20.0
"""How long processes that were let go may take to end; they do at once, unless a driver holds them."""

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


@dataclass(frozen=True)
class NodeProcesses:
    """The processes of one machine; `first` and `store` are where those of several find each other."""

    processes: int
    nodes: int = 1
    number: int = 0
    first: str = "localhost"
    store: int = 0

    @property
    def options(self) -> list[str]:
        """As torchrun reads it."""
        each = f"--nproc-per-node={self.processes}"
        if self.nodes == 1:
            return [each, "--standalone", "--local-addr=localhost"]
        where = [f"--master-addr={self.first}", f"--master-port={self.store}"]
        return [each, f"--nnodes={self.nodes}", f"--node-rank={self.number}", *where]

    @property
    def interface(self) -> str | None:
        """By which network interface they speak to each other; none where that cannot be told."""
        return LOOPBACK if self.nodes == 1 else interface_to(self.first)


@contextmanager
def running_torchrun(group: NodeProcesses, door: str, key: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """torchrun with the processes of this machine, which come to the door; in the end it is waited for until none is left."""
    with tempfile.TemporaryDirectory(prefix="tuneproof-ranks-") as logs:
        # SIGQUIT is what nobody sends; without a signal to handle torchrun complains.
        options = [*group.options, "--signals-to-handle=SIGQUIT", f"--log-dir={logs}"]
        command = [
            sys.executable,
            "-m",
            "tuneproof.engine.training.distributed.torchrun",
            *options,
            "-m",
            "tuneproof.engine.training.rank_main",
            door,
        ]
        # In a session of its own: a key pressed in a terminal is for the worker, which tells the processes.
        started = subprocess.Popen(command, env=_environment(group, key), stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            yield started
        finally:
            _wait_for_the_end(started)


def _environment(group: NodeProcesses, key: str | None) -> dict[str, str]:
    """What the processes are given; what the user has set is kept."""
    wanted = {"OMP_NUM_THREADS": str(max(1, hardware.detect_machine().cores // group.processes))}
    if group.interface is not None:
        # By itself gloo takes the one that the host's name leads to, which on many machines is loopback.
        wanted["GLOO_SOCKET_IFNAME"] = group.interface
    secret = {} if key is None else {KEY: key}
    return wanted | dict(os.environ) | secret


def interface_to(address: str) -> str | None:
    """The network interface over which this machine reaches an address; none where it has no name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: this only has the system choose its way.
        probe.connect((address, 9))
        own = probe.getsockname()[0]
    held = ((name, each.address) for name, addresses in psutil.net_if_addrs().items() for each in addresses)
    return next((name for name, each in held if each == own), None)


def _wait_for_the_end(launcher: subprocess.Popen[bytes]) -> None:
    try:
        launcher.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(launcher.pid).children(recursive=True):
                process.kill()
        launcher.kill()
        launcher.wait()


def main() -> None:
    # A cluster may signal every process of a job, and torchrun would end those that are to save a checkpoint.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    from torch.distributed.run import main as torchrun

    torchrun(sys.argv[1:])


if __name__ == "__main__":
    main()
