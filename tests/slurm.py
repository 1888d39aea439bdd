"""A Slurm cluster of one node: a real controller and a real node on this machine, in a folder and on ports of their own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 120.0
"""How long anything may take before a test gives it up: far more than it takes."""

DAEMONS = ("slurmctld", "slurmd")
WHERE = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/linear
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=1
PartitionName=all Nodes={host} Default=YES State=UP
"""


def missing() -> str | None:
    """Which of Slurm's daemons is not installed here; none where they all are."""
    return next((name for name in DAEMONS if shutil.which(name, path=WHERE) is None), None)


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """A cluster that every command of Slurm in this process and its children speaks to, until the context ends."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    controller_port, node_port = free_ports()
    conf.write_text(CONF.format(folder=folder, host=host, user=getpass.getuser(), controller_port=controller_port, node_port=node_port))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(conf)
    processes = [started(name, folder) for name in DAEMONS]
    try:
        wait_until(lambda: asked("sinfo", "--noheader", "--format", "%T") == "idle", "a node")
        yield
        # What still runs is started by the node, and outlives it.
        asked("scancel", "--user", getpass.getuser())
        wait_until(lambda: jobs() == [], "an empty queue")
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=SECONDS)
        os.environ.pop("SLURM_CONF")
        if before is not None:
            os.environ["SLURM_CONF"] = before


def started(name: str, folder: Path) -> subprocess.Popen[bytes]:
    """One of the daemons, in the foreground."""
    path = shutil.which(name, path=WHERE)
    assert path is not None
    with (folder / f"{name}.out").open("wb") as out:
        return subprocess.Popen([path, "-D"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def free_ports() -> tuple[int, int]:
    """Two ports of loopback that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def jobs() -> list[str]:
    """The ids of the jobs that wait or run."""
    return asked("squeue", "--noheader", "--format", "%i").split()


def asked(*command: str) -> str:
    """What a command of Slurm prints."""
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS).stdout.strip()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Returns once the condition holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about in {SECONDS:.0f} s"
        time.sleep(0.05)
