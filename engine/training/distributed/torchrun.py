"""torchrun on one machine, which only the worker ends: `python -m tuneproof.engine.training.distributed.torchrun`."""

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
from pathlib import Path
from typing import Self

import psutil

from tuneproof.engine.core import hardware
from tuneproof.engine.run.node_rendezvous import Rendezvous
from tuneproof.engine.training.distributed.control_socket import KEY

GRACE_SECONDS = 20.0
"""How long processes may take to exit once the worker has closed their connections; they do at once, unless a driver blocks them."""

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"

STORE_FILE = "TUNEPROOF_STORE_FILE"
"""The environment variable with the file through which the processes of one machine meet; not set if they are on several."""

LOOPBACK_ONLY = {
    "GLOO_SOCKET_IFNAME": LOOPBACK,
    "NCCL_SOCKET_IFNAME": LOOPBACK,
    # torch's TCPStore listens on all interfaces and asks nobody for a key.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
}
"""What keeps the processes of one machine from listening on its network."""


@dataclass(frozen=True)
class NodeProcesses:
    """The training processes of one machine, and where they meet those of other nodes."""

    processes: int
    nodes: int = 1
    node_rank: int = 0
    first: str = "localhost"
    """The address of the first node."""
    store_port: int = 0
    """The port of torchrun's store on the first node; unused on a single node."""

    @classmethod
    def of(cls, rendezvous: Rendezvous, node_rank: int, first: str) -> Self:
        """Those of one node of a job."""
        return cls(rendezvous.processes, rendezvous.nodes, node_rank, first, rendezvous.store_port)

    def options(self, folder: Path) -> list[str]:
        """torchrun's options; on a single node its own store is a file in the folder."""
        processes = f"--nproc-per-node={self.processes}"
        if self.nodes == 1:
            file = ["--rdzv-backend=c10d", "--rdzv-conf=store_type=file", f"--rdzv-endpoint={folder / 'rendezvous'}"]
            return [processes, "--local-addr=localhost", *file]
        store = [f"--master-addr={self.first}", f"--master-port={self.store_port}"]
        return [processes, f"--nnodes={self.nodes}", f"--node-rank={self.node_rank}", *store]

    def network(self, folder: Path) -> dict[str, str]:
        """The environment variables that say what they communicate over."""
        if self.nodes == 1:
            return LOOPBACK_ONLY | {STORE_FILE: str(folder / "store")}
        # By default gloo takes the interface that the host name resolves to, which is loopback on many machines.
        interface = interface_to(self.first)
        return {} if interface is None else {"GLOO_SOCKET_IFNAME": interface}


@contextmanager
def running_torchrun(processes: NodeProcesses, address: str, key: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """torchrun with the processes of this machine, which connect to the control server at the address.

    On leaving, waits until all of them have exited.
    """
    with tempfile.TemporaryDirectory(prefix="tuneproof-ranks-") as name:
        folder = Path(name)
        # Nobody sends SIGQUIT; without any signal to handle, torchrun complains.
        options = [*processes.options(folder), "--signals-to-handle=SIGQUIT", f"--log-dir={folder}"]
        launcher = [sys.executable, "-m", "tuneproof.engine.training.distributed.torchrun", *options]
        program = ["-m", "tuneproof.engine.training.rank_main", address]
        # In a session of its own: a key pressed in a terminal is for the worker, which then tells the processes.
        torchrun = subprocess.Popen(
            [*launcher, *program], env=_environment(processes, folder, key), stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield torchrun
        finally:
            _wait_for_exit(torchrun)


def _environment(processes: NodeProcesses, folder: Path, key: str | None) -> dict[str, str]:
    """The environment of the processes; variables that the user has set are kept."""
    defaults = {"OMP_NUM_THREADS": str(max(1, hardware.detect_machine().cores // processes.processes))} | processes.network(folder)
    secret = {} if key is None else {KEY: key}
    return defaults | dict(os.environ) | secret


def interface_to(address: str) -> str | None:
    """The network interface over which this machine reaches an address; None if it has no name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a UDP socket sends nothing; it only makes the system choose a route.
        probe.connect((address, 9))
        own = probe.getsockname()[0]
    interfaces = ((name, each.address) for name, addresses in psutil.net_if_addrs().items() for each in addresses)
    return next((name for name, each in interfaces if each == own), None)


def _wait_for_exit(torchrun: subprocess.Popen[bytes]) -> None:
    try:
        torchrun.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(torchrun.pid).children(recursive=True):
                process.kill()
        torchrun.kill()
        torchrun.wait()


def main() -> None:
    # A cluster may signal every process of a job, and torchrun would then end processes that are about to save a checkpoint.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    from torch.distributed.run import main as torchrun

    torchrun(sys.argv[1:])


if __name__ == "__main__":
    main()
