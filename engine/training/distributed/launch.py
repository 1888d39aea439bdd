"""Training in several processes: torchrun starts them, on each machine its own, and the worker tells them what to do and follows them.

The worker stays the only one that writes the log: events and the outcome come to it over a socket. A process that finds its end of the
socket closed ends itself, so none outlives the worker; and the worker ends all of them as soon as one has failed or is gone, for the others
would wait for it. On the nodes of a job that are not the worker's, `stand_by` starts torchrun, and comes to the worker as the processes do.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.event import Event, EventSink
from tuneproof.engine.run.node_rendezvous import Rendezvous, published
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.distributed.control_socket import ControlServer, LocalControlServer, NetworkControlServer
from tuneproof.engine.training.distributed.torchrun import NodeProcesses, running_torchrun
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.tokenize import EncodedRow

if TYPE_CHECKING:
    from tuneproof.engine.models.base_model import BaseCheckpoint
    from tuneproof.engine.training.validation_probe import ValidationProbe

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class TrainingJob:
    """What every process is given: the whole training, of which it does its share."""

    base: BaseCheckpoint
    rows: Sequence[EncodedRow]
    probe: ValidationProbe
    plan: Plan
    folder: Path


@dataclass(frozen=True)
class ForwardedEvent:
    """An event on its way to the log."""

    event: Event
    sync: bool


class Ready:
    """What a process says that waits for its work."""


class StopCommand:
    """What a process is sent that shall stop at a checkpoint."""


Outcome = TrainingResult | Exception
Message = ForwardedEvent | Outcome


def train_in_processes(
    base: BaseCheckpoint,
    rows: Sequence[EncodedRow],
    probe: ValidationProbe,
    plan: Plan,
    folder: Path,
    log: EventSink,
    stop: StopRequest,
    calls: Path | None = None,
) -> TrainingResult:
    """Trains as `sft.train` does, each step shared by the plan's processes; `calls` is what nodes look for, where there are several.

    Raises what the training raises in any of them, and RunFailed where one of them is gone without a word.
    """
    with _launched_here(plan) if calls is None else _launched_on_nodes(plan, calls) as (door, launcher):
        outcome = _Ranks(TrainingJob(base, rows, probe, plan, folder), door, launcher).follow(log, stop)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


Launched = tuple[ControlServer, subprocess.Popen[bytes]]


@contextmanager
def _launched_here(plan: Plan) -> Iterator[Launched]:
    with LocalControlServer() as door, running_torchrun(NodeProcesses(plan.processes), door.address) as launcher:
        yield door, launcher


@contextmanager
def _launched_on_nodes(plan: Plan, calls: Path) -> Iterator[Launched]:
    # As the other nodes know it: Slurm started them from this one.
    first = os.environ["SLURM_LAUNCH_NODE_IPADDR"]
    with NetworkControlServer() as door:
        call = Rendezvous(nodes=plan.nodes, processes=plan.processes_per_node, door=door.port, store=_free_port(), key=door.key)
        group = NodeProcesses(call.processes, call.nodes, 0, first, call.store)
        with running_torchrun(group, f"{first}:{call.door}", call.key) as launcher, published(calls, call):
            yield door, launcher


def _free_port() -> int:
    """A port that nobody listens on now; should another program take it meanwhile, torchrun says so and ends."""
    with socket.create_server(("", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class _Ranks:
    """The processes as the worker sees them: those that have come, those that have their work, and those that know that they shall stop."""

    work: TrainingJob
    door: ControlServer
    launcher: subprocess.Popen[bytes]
    here: list[Connection] = field(default_factory=list)
    at_work: list[Connection] = field(default_factory=list)
    stopping: list[Connection] = field(default_factory=list)

    def follow(self, log: EventSink, stop: StopRequest) -> Outcome:
        """Passes on what they tell until there is an outcome; then lets go of all of them."""
        try:
            while True:
                for message in self._messages():
                    if not isinstance(message, ForwardedEvent):
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
        ready = wait([self.door.fileno(), *self.here], POLL_SECONDS)
        self.here += self.door.came()
        with self._none_gone():
            said = [(connection, connection.recv()) for connection in self.here if connection in ready]
            for connection in (connection for connection, message in said if isinstance(message, Ready)):
                connection.send(self.work)
                self.at_work.append(connection)
        return [message for _, message in said if not isinstance(message, Ready)]

    def _ask_to_stop(self) -> None:
        with self._none_gone():
            for connection in self.at_work:
                if connection not in self.stopping:
                    connection.send(StopCommand())
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
