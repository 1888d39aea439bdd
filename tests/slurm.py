"""A Slurm cluster: a real controller and real nodes, all on this machine, in a folder and on ports of their own; and replays in jobs."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.conftest import COMMAND, Result, sample_case
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import AnyEvent, Launched, StepLogged
from tuneproof.engine.run.store import EVENTS

SECONDS = 120.0
"""How long anything may take before a test gives it up: far more than it takes."""

CONTROLLER, NODE = "slurmctld", "slurmd"
WHERE = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
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
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
PartitionName=all Nodes=ALL Default=YES State=UP
"""
NODE_CONF = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1\n"

ON_SLURM = ("--set", "training.launcher=slurm")


def missing() -> str | None:
    """Which of Slurm's daemons is not installed here; none where they all are."""
    return next((name for name in (CONTROLLER, NODE) if shutil.which(name, path=WHERE) is None), None)


@contextmanager
def cluster(folder: Path, nodes: int = 1) -> Iterator[None]:
    """A cluster that every command of Slurm in this process and its children speaks to, until the context ends.

    Several nodes on one machine need a Slurm that was built for them, as Debian's is.
    """
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    names = [host] if nodes == 1 else [f"n{number}" for number in range(nodes)]
    controller_port, *ports = free_ports(1 + nodes)
    for name in ("state", *(f"spool-{name}" for name in names)):
        (folder / name).mkdir()
    told = CONF.format(folder=folder, host=host, user=getpass.getuser(), controller_port=controller_port)
    conf.write_text(told + "".join(NODE_CONF.format(name=name, host=host, port=port) for name, port in zip(names, ports, strict=True)))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(conf)
    processes = [started(CONTROLLER, folder), *(started(NODE, folder, *(["-N", name] if nodes > 1 else [])) for name in names)]
    try:
        wait_until(lambda: asked("sinfo", "--noheader", "--format", "%T %D") == f"idle {nodes}", "idle nodes")
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


def started(name: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """One of the daemons, in the foreground."""
    path = shutil.which(name, path=WHERE)
    assert path is not None
    with (folder / f"{'-'.join((name, *options))}.out").open("wb") as out:
        return subprocess.Popen([path, *options, "-D"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def free_ports(count: int) -> list[int]:
    """So many ports of loopback that nobody listens on."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


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


def trained_until(run: Path, end: Callable[[subprocess.Popen[str]], object], *words: str) -> Result:
    """How the replay of a run ended that trains in a job, after something was done to it in the middle."""
    watching = replaying(run, "--resume", *ON_SLURM, *words)
    wait_until(lambda: any(isinstance(event, StepLogged) and event.step >= 2 for event in events(run)), "step 2")
    end(watching)
    return ended(watching, run)


def replaying(run: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """The command that replays the sample case, without waiting for it."""
    command = [str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(run), *words]
    with said(run).open("w") as err:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, env={**os.environ, **environment})


def queued(run: Path) -> str:
    """The job of a replay, once that has told that it is queued."""
    wait_until(lambda: "is queued" in said(run).read_text(), "the job")
    return said(run).read_text().split()[2]


def ended(watching: subprocess.Popen[str], run: Path) -> Result:
    """How a replay ended."""
    out, _ = watching.communicate(timeout=300)
    err = said(run).read_text()
    assert "Traceback" not in err
    return Result(watching.returncode, out, err)


def said(run: Path) -> Path:
    """Where the stderr of the replay goes."""
    return run.with_suffix(".err")


def events(run: Path) -> list[AnyEvent]:
    """What the log of a run tells so far."""
    return EventReader(run / EVENTS).read()


def launched(run: Path) -> Launched:
    """What the newest worker of the run said when it took it."""
    return next(event for event in reversed(events(run)) if isinstance(event, Launched))


def kill_worker(run: Path) -> None:
    """Kills the worker of a job and what started it there."""
    worker = psutil.Process(launched(run).pid)
    for process in (worker.parent(), worker):
        assert process is not None
        process.kill()
