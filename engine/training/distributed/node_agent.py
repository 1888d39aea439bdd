"""Runs torchrun for each training of the worker, on a node of its job that is not the worker's.

`python -m tuneproof.engine.training.distributed.node_agent RENDEZVOUS RESULT` until the file RESULT exists. It runs in the job step of the
worker, which starts no step of its own: when a job is cancelled, an srun inside it kills its tasks at once, before they save a
checkpoint.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.run.node_rendezvous import Rendezvous, exists_on_shared_disk, read_rendezvous
from tuneproof.engine.training.distributed.control_socket import KEY, connect
from tuneproof.engine.training.distributed.torchrun import NodeProcesses, running_torchrun

RENDEZVOUS_SECONDS = 1.0
"""How often to look for a rendezvous file, in a folder that may be on another machine."""

POLL_SECONDS = 0.1


def main() -> None:
    # The worker says when to stop.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    file, result = Path(sys.argv[1]), Path(sys.argv[2])
    while not exists_on_shared_disk(result):
        rendezvous = read_rendezvous(file)
        if rendezvous is not None:
            take_part(rendezvous, first=os.environ["SLURM_LAUNCH_NODE_IPADDR"], node_rank=int(os.environ["SLURM_NODEID"]))
        time.sleep(RENDEZVOUS_SECONDS)


def take_part(rendezvous: Rendezvous, first: str, node_rank: int) -> None:
    """Has this node's processes train until the worker closes the connection; `first` is the address of the first node."""
    address = f"{first}:{rendezvous.control_port}"
    os.environ[KEY] = rendezvous.key
    try:
        worker = connect(address)
    except (OSError, EOFError, AuthenticationError):
        # The training ended before this node had connected.
        return
    processes = NodeProcesses.of(rendezvous, node_rank, first)
    with worker, running_torchrun(processes, address, rendezvous.key) as torchrun:
        code = _wait_for_first(worker, torchrun)
        if code is not None:
            name = os.environ.get("SLURMD_NODENAME", socket.gethostname())
            what = f"torchrun on node {name} ended with exit code {code}"
            with suppress(OSError):
                worker.send(RunFailed(what, where="training.slurm.nodes", fix=_where_the_reason_is()))


def _wait_for_first(worker: Connection, torchrun: subprocess.Popen[bytes]) -> int | None:
    """Waits for torchrun or the worker; the exit code of torchrun, or None if the worker closes the connection first."""
    while torchrun.poll() is None:
        # The worker sends nothing to a node, so the connection becomes readable only when it is closed.
        if wait([worker], POLL_SECONDS):
            return None
    return torchrun.returncode


def _where_the_reason_is() -> str:
    log = f"{os.environ['SLURM_JOB_ID']}_{os.environ['SLURM_PROCID']}_log.err"
    return f"slurm/{log} in the run folder says why; fix that and add --resume"


if __name__ == "__main__":
    main()
