"""Training in several processes on this machine: torchrun starts them, and the worker tells them what to do and follows them.

The worker stays the only one that writes the log: events and the outcome come to it over a socket. A process that finds its end of the
socket closed ends itself, so none outlives the worker; and the worker ends all of them as soon as one has failed or is gone, for the others
would wait for it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tuneproof.engine import machine
from tuneproof.engine.errors import RunFailed
from tuneproof.engine.methods.catalogue import Plan
from tuneproof.engine.run.event import Event, Teller
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.encode import EncodedRow
from tuneproof.engine.training.trained import Trained

if TYPE_CHECKING:
    from tuneproof.engine.model import BaseModel
    from tuneproof.engine.training.probe import Probe

POLL_SECONDS = 0.1

GRACE_SECONDS = 20.0
"""How long processes that were let go may take to end; they do at once, unless a driver holds them."""

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


@dataclass(frozen=True)
class Work:
    """What every process is given: the whole training, of which it does its share."""

    base: BaseModel
    rows: Sequence[EncodedRow]
    probe: Probe
    plan: Plan
    folder: Path


@dataclass(frozen=True)
class Told:
    """An event on its way to the log."""

    event: Event
    sync: bool


class Stop:
    """What a process is sent that shall stop at a checkpoint."""


Outcome = Trained | Exception
Message = Told | Outcome


def train_in_processes(
    base: BaseModel, rows: Sequence[EncodedRow], probe: Probe, plan: Plan, folder: Path, log: Teller, stop: StopRequest
) -> Trained:
    """Trains as `sft.train` does, each step shared by the plan's number of processes.

    Raises what the training raises in any of them, and RunFailed where one of them is gone without a word.
    """
    # In a folder that only this user can enter.
    with tempfile.TemporaryDirectory(prefix="tuneproof-ranks-") as place, socket.socket(socket.AF_UNIX) as door:
        address = Path(place) / "door"
        door.bind(str(address))
        door.listen(plan.processes)
        with _launched(plan.processes, address) as launcher:
            outcome = _Ranks(Work(base, rows, probe, plan, folder), door, launcher).follow(log, stop)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@dataclass
class _Ranks:
    """The processes as the worker sees them: those that have come to the door, and which of them know that they shall stop."""

    work: Work
    door: socket.socket
    launcher: subprocess.Popen[bytes]
    here: list[Connection] = field(default_factory=list)
    stopping: list[Connection] = field(default_factory=list)

    def follow(self, log: Teller, stop: StopRequest) -> Outcome:
        """Passes on what they tell until there is an outcome; then lets go of all of them."""
        try:
            while True:
                for message in self._messages():
                    if not isinstance(message, Told):
                        return message
                    log.emit(message.event, sync=message.sync)
                if stop.asked:
                    self._ask_to_stop()
                self._check_launcher()
        finally:
            for connection in self.here:
                connection.close()

    def _messages(self) -> list[Message]:
        """What has come in; all of it is read before any is judged, for one process that is gone makes others fail."""
        ready = wait([self.door, *self.here], POLL_SECONDS)
        with self._none_gone():
            if self.door in ready:
                connection = Connection(self.door.accept()[0].detach())
                self.here.append(connection)
                connection.send(self.work)
            return [connection.recv() for connection in self.here if connection in ready]

    def _ask_to_stop(self) -> None:
        with self._none_gone():
            for connection in self.here:
                if connection not in self.stopping:
                    connection.send(Stop())
                    self.stopping.append(connection)

    def _check_launcher(self) -> None:
        code = self.launcher.poll()
        if code is not None and code < 0:
            raise self._gone()
        if code is not None:
            raise RuntimeError(f"torchrun ended with exit code {code}; the log says why")

    @contextmanager
    def _none_gone(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError):
            raise self._gone() from None

    def _gone(self) -> RunFailed:
        return RunFailed(
            f"one of the {self.work.plan.processes} processes that train was ended from outside, perhaps for want of memory",
            where="training.processes",
            fix="free memory and add --resume, or take fewer",
        )


@contextmanager
def _launched(processes: int, address: Path) -> Iterator[subprocess.Popen[bytes]]:
    """torchrun with its processes; in the end it is waited for until none is left."""
    launcher = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "--local-addr=localhost"]
    command = [sys.executable, "-m", *launcher, f"--log-dir={address.parent}", "-m", "tuneproof.engine.training.rank", str(address)]
    threads = max(1, machine.look().cores // processes)
    # Nothing is said to another machine.
    environment = {"OMP_NUM_THREADS": str(threads), "GLOO_SOCKET_IFNAME": LOOPBACK, **os.environ}
    # In a session of its own: a key pressed in a terminal is for the worker, which tells the processes.
    started = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield started
    finally:
        _wait_for_the_end(started)


def _wait_for_the_end(launcher: subprocess.Popen[bytes]) -> None:
    try:
        launcher.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(launcher.pid).children(recursive=True):
                process.kill()
        launcher.kill()
        launcher.wait()
