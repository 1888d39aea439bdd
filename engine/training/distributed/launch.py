"""Training in several processes: torchrun starts them on each machine, and the worker gives them the training and follows it.

Only the worker writes the log: events and the outcome reach it over a socket. A process whose connection closes exits, so none outlives the
worker. The worker ends all of them as soon as one has failed or died, because the others would wait for it in a collective. On the other
nodes of a job, `node_agent` starts torchrun, and connects to the worker as the processes do.
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

from tuneproof.engine.core.errors import OutOfMemory, RunFailed
from tuneproof.engine.core.memory_limits import kernel_oom_kills
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
    """What every process is sent: the whole training, of which it does its share."""

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
    """Sent by a process that waits for its job."""


class StopCommand:
    """Sent to a process to stop it at a checkpoint."""


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
    rendezvous: Path | None = None,
) -> TrainingResult:
    """Trains as `training.run.train` does, with each step divided among the plan's processes.

    `rendezvous` is the file that the other nodes look for, None if all processes are on this machine. Raises what the training raises in
    any of them, and RunFailed if one of them dies.
    """
    with _started_here(plan) if rendezvous is None else _started_on_nodes(plan, rendezvous) as (server, torchrun):
        outcome = _Ranks(TrainingJob(base, rows, probe, plan, folder), server, torchrun).follow(log, stop)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


_Started = tuple[ControlServer, subprocess.Popen[bytes]]


@contextmanager
def _started_here(plan: Plan) -> Iterator[_Started]:
    with LocalControlServer() as server, running_torchrun(NodeProcesses(plan.processes), server.address) as torchrun:
        yield server, torchrun


@contextmanager
def _started_on_nodes(plan: Plan, file: Path) -> Iterator[_Started]:
    # This node's address as the other nodes know it: Slurm started them from here.
    first = os.environ["SLURM_LAUNCH_NODE_IPADDR"]
    with NetworkControlServer() as server:
        rendezvous = Rendezvous(
            nodes=plan.nodes, processes=plan.processes_per_node, control_port=server.port, store_port=_free_port(), key=server.key
        )
        here = NodeProcesses.of(rendezvous, node_rank=0, first=first)
        with running_torchrun(here, f"{first}:{server.port}", server.key) as torchrun, published(file, rendezvous):
            yield server, torchrun


def _free_port() -> int:
    """A port that is free now; if another program takes it meanwhile, torchrun says so and exits."""
    with socket.create_server(("", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class _Ranks:
    """The worker's view of the processes that train for it."""

    job: TrainingJob
    server: ControlServer
    torchrun: subprocess.Popen[bytes]
    connected: list[Connection] = field(default_factory=list)
    training: list[Connection] = field(default_factory=list)  # those that have been sent the job
    stopping: list[Connection] = field(default_factory=list)  # those that have been sent a StopCommand
    oom_kills: int | None = field(default_factory=kernel_oom_kills)  # before the training

    def follow(self, log: EventSink, stop: StopRequest) -> Outcome:
        """Passes their events on until there is an outcome, then closes all connections."""
        try:
            while True:
                for message in self._receive():
                    if not isinstance(message, ForwardedEvent):
                        return message
                    log.emit(message.event, sync=message.sync)
                if stop.requested:
                    self._send_stop()
                self._check_torchrun()
        finally:
            for connection in self.connected:
                connection.close()

    def _receive(self) -> list[Message]:
        """The messages that have arrived. All are read before any is acted on, because one process that dies makes others fail."""
        ready = wait([self.server.fileno(), *self.connected], POLL_SECONDS)
        self.connected += self.server.accept()
        with self._all_alive():
            received = [(connection, connection.recv()) for connection in self.connected if connection in ready]
            for connection in (connection for connection, message in received if isinstance(message, Ready)):
                connection.send(self.job)
                self.training.append(connection)
        return [message for _, message in received if not isinstance(message, Ready)]

    def _send_stop(self) -> None:
        with self._all_alive():
            for connection in self.training:
                if connection not in self.stopping:
                    connection.send(StopCommand())
                    self.stopping.append(connection)

    def _check_torchrun(self) -> None:
        code = self.torchrun.poll()
        if code is not None and code < 0:
            raise self._died()
        if code is not None:
            raise RuntimeError(f"torchrun ended with exit code {code}; the log says why")

    @contextmanager
    def _all_alive(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError):
            raise self._died() from None

    def _died(self) -> RunFailed:
        now, processes = kernel_oom_kills(), self.job.plan.processes
        if self.job.plan.nodes > 1:
            # This machine's kernel counts only what it kills itself.
            what = f"one of the {processes} training processes was killed, perhaps because memory ran out"
            return RunFailed(what, where="training.processes", fix="free memory and add --resume, or use fewer")
        # The kernel counts what it kills for want of memory; where it does not, memory has to be assumed.
        if now is None or self.oom_kills is None or now > self.oom_kills:
            what = f"memory ran out and one of the {processes} training processes was killed"
            return OutOfMemory(what, where="training.processes", fix="free memory and add --resume, or use fewer")
        what = f"one of the {processes} training processes was killed, not by the system for want of memory"
        return RunFailed(what, where="training.processes", fix="see worker.log, and add --resume")
