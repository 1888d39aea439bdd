"""A node of the worker's job that is not the first: it runs torchrun for each training that the worker calls it to.

`python -m tuneproof.engine.training.distributed.node_agent CALL OVER`, until there is a file OVER, in the step in which the worker is.
That starts none of its own: an srun inside a job that is told to end kills what it has started at once, before any checkpoint.
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

LOOK_SECONDS = 1.0
"""How often to look for a call in a folder that may lie on another machine."""

POLL_SECONDS = 0.1


def main() -> None:
    # When to stop is for the worker to tell.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    calls, over = Path(sys.argv[1]), Path(sys.argv[2])
    while not exists_on_shared_disk(over):
        call = read_rendezvous(calls)
        if call is not None:
            take_part(call, first=os.environ["SLURM_LAUNCH_NODE_IPADDR"], number=int(os.environ["SLURM_NODEID"]))
        time.sleep(LOOK_SECONDS)


def take_part(call: Rendezvous, first: str, number: int) -> None:
    """Has the processes of this node train until the worker lets go of it."""
    door = f"{first}:{call.door}"
    os.environ[KEY] = call.key
    try:
        worker = connect(door)
    except (OSError, EOFError, AuthenticationError):
        # It was over by the time that one came.
        return
    with worker, running_torchrun(NodeProcesses(call.processes, call.nodes, number, first, call.store), door, call.key) as torchrun:
        code = _ended_first(worker, torchrun)
        if code is not None:
            name = os.environ.get("SLURMD_NODENAME", socket.gethostname())
            what = f"torchrun on node {name} ended with exit code {code}"
            with suppress(OSError):
                worker.send(RunFailed(what, where="training.slurm.nodes", fix=_where_it_is_told()))


def _ended_first(worker: Connection, torchrun: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a torchrun that ends before the worker lets go; none where that comes first."""
    while torchrun.poll() is None:
        # The worker says nothing to a node: what can be read is its end.
        if wait([worker], POLL_SECONDS):
            return None
    return torchrun.returncode


def _where_it_is_told() -> str:
    log = f"{os.environ['SLURM_JOB_ID']}_{os.environ['SLURM_PROCID']}_log.err"
    return f"slurm/{log} in the run folder says why; mend that and add --resume"


if __name__ == "__main__":
    main()
