"""One of the processes of a training, as torchrun starts it: `python -m tuneproof.engine.training.rank_main DOOR`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection

from tuneproof.engine.core.errors import Interrupted, TuneproofError
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.methods.refusals import may_need_bitsandbytes
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.distributed.control_socket import connect
from tuneproof.engine.training.distributed.launch import ForwardedEvent, Outcome, Ready, TrainingJob


class WorkerSink:
    """Where the first process tells its events: to the worker, which has the log."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Sends one event."""
        self._connection.send(ForwardedEvent(event, sync))


class NullSink:
    """Where the others tell theirs, which are those of the first."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Takes one event."""


def main() -> None:
    # Whoever ends the worker may signal every process of it; when these shall stop, the worker tells them.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    quiet_libraries()
    connection, stop = connect(sys.argv[1]), StopRequest()
    connection.send(Ready())
    work: TrainingJob = connection.recv()
    obeying = threading.Thread(target=_obey, args=(connection, stop), daemon=True)
    obeying.start()
    is_first = os.environ["RANK"] == "0"
    outcome = _outcome(work, WorkerSink(connection) if is_first else NullSink(), stop)
    # The first knows when all is written; of the others only what went wrong is news.
    if is_first or (isinstance(outcome, Exception) and not isinstance(outcome, Interrupted)):
        connection.send(outcome)
    # To leave by itself would look like a failure to those that are not done.
    obeying.join()


def _obey(connection: Connection, stop: StopRequest) -> None:
    """Passes on the one thing that the worker sends, and ends this process when the worker has let go of it or is gone."""
    try:
        while True:
            connection.recv()
            stop.ask()
    except (EOFError, OSError):
        os._exit(0)


def _outcome(work: TrainingJob, log: WorkerSink | NullSink, stop: StopRequest) -> Outcome:
    try:
        if not may_need_bitsandbytes(work.plan.method):
            block_import("bitsandbytes")
        # Only now, because it imports TRL.
        with large_imports():
            from tuneproof.engine.training.distributed.collectives import init_process_group
            from tuneproof.engine.training.run import train

        init_process_group()
        return train(work.base, work.rows, work.probe, work.plan, work.folder, log, stop)
    except TuneproofError as error:
        return error
    except Exception as error:
        traceback.print_exc()
        return _portable(error)


def _portable(error: Exception) -> Exception:
    """The error as it is, or in words where another process could not read it."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
