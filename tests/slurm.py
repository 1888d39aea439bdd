"""A Slurm cluster for tests, with a real controller and real nodes on this machine, and replays whose worker is a job of it."""

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

TIMEOUT_SECONDS = 120.0
"""After this time a test fails; everything takes much less."""

CONTROLLER, NODE = "slurmctld", "slurmd"
DAEMON_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

CLUSTER_CONF = """
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


def missing_daemon() -> str | None:
    """The first of Slurm's daemons that is not installed; None if both are."""
    return next((name for name in (CONTROLLER, NODE) if shutil.which(name, path=DAEMON_PATH) is None), None)


@contextmanager
def slurm_cluster(folder: Path, nodes: int = 1) -> Iterator[None]:
    """A running cluster; until the context ends, Slurm commands of this process and its children use it.

    Several nodes on one machine need a Slurm that was built with `--enable-multiple-slurmd`, as Debian's is.
    """
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    names = [host] if nodes == 1 else [f"n{number}" for number in range(nodes)]
    controller_port, *ports = free_ports(1 + nodes)
    for name in ("state", *(f"spool-{name}" for name in names)):
        (folder / name).mkdir()
    base_conf = CLUSTER_CONF.format(folder=folder, host=host, user=getpass.getuser(), controller_port=controller_port)
    conf.write_text(base_conf + "".join(NODE_CONF.format(name=name, host=host, port=port) for name, port in zip(names, ports, strict=True)))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(conf)
    processes = [start_daemon(CONTROLLER, folder), *(start_daemon(NODE, folder, *(["-N", name] if nodes > 1 else [])) for name in names)]
    try:
        wait_until(lambda: slurm_output("sinfo", "--noheader", "--format", "%T %D") == f"idle {nodes}", "idle nodes")
        yield
        # Processes of a job outlive the daemon of its node.
        slurm_output("scancel", "--user", getpass.getuser())
        wait_until(lambda: unfinished_jobs() == [], "an empty queue")
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=TIMEOUT_SECONDS)
        os.environ.pop("SLURM_CONF")
        if before is not None:
            os.environ["SLURM_CONF"] = before


def start_daemon(name: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """Starts one of the daemons in the foreground."""
    path = shutil.which(name, path=DAEMON_PATH)
    assert path is not None
    with (folder / f"{'-'.join((name, *options))}.out").open("wb") as out:
        return subprocess.Popen([path, *options, "-D"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def free_ports(count: int) -> list[int]:
    """Free TCP ports of the loopback interface."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def unfinished_jobs() -> list[str]:
    """The ids of the jobs that are queued or running."""
    return slurm_output("squeue", "--noheader", "--format", "%i").split()


def slurm_output(*command: str) -> str:
    """What a Slurm command prints on stdout."""
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS).stdout.strip()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Returns once the condition holds."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {TIMEOUT_SECONDS:.0f} s"
        time.sleep(0.05)


def train_and_interrupt(run: Path, end: Callable[[subprocess.Popen[str]], object], *words: str) -> Result:
    """Trains the run in a job, calls `end` with the replay after step 2, and returns how the replay ended."""
    replay = start_replay(run, "--resume", *ON_SLURM, *words)
    wait_until(lambda: any(isinstance(event, StepLogged) and event.step >= 2 for event in events_of(run)), "step 2")
    end(replay)
    return wait_for_result(replay, run)


def start_replay(run: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Starts to replay the sample case, and does not wait for its end."""
    command = [str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(run), *words]
    with stderr_file(run).open("w") as err:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, env={**os.environ, **environment})


def wait_for_job(run: Path) -> str:
    """Waits until the replay says that its job is queued; returns the id of the job."""
    wait_until(lambda: "is queued" in stderr_file(run).read_text(), "the job")
    return stderr_file(run).read_text().split()[2]


def wait_for_result(replay: subprocess.Popen[str], run: Path) -> Result:
    """Waits for the end of a replay."""
    out, _ = replay.communicate(timeout=300)
    err = stderr_file(run).read_text()
    assert "Traceback" not in err
    return Result(replay.returncode, out, err)


def stderr_file(run: Path) -> Path:
    """The file with the stderr of the replay."""
    return run.with_suffix(".err")


def events_of(run: Path) -> list[AnyEvent]:
    """The events in the log of a run so far."""
    return EventReader(run / EVENTS).read()


def last_launch(run: Path) -> Launched:
    """The launch event of the newest worker of the run."""
    return next(event for event in reversed(events_of(run)) if isinstance(event, Launched))


def kill_worker(run: Path) -> None:
    """Kills the worker of a job and its parent, which started it."""
    worker = psutil.Process(last_launch(run).pid)
    for process in (worker.parent(), worker):
        assert process is not None
        process.kill()
