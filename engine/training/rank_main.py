"""One training process, as torchrun starts it: `python -m tuneproof.engine.training.rank_main ADDRESS`."""

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
from tuneproof.engine.core.plain_text import use_plain_streams
from tuneproof.engine.methods.refusals import may_need_bitsandbytes
from tuneproof.engine.run.event import Event, EventSink
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.distributed.control_socket import connect
from tuneproof.engine.training.distributed.launch import ForwardedEvent, Outcome, Ready, TrainingJob


class WorkerSink:
    """Sends the events of rank 0 to the worker, which has the log."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Sends one event."""
        self._connection.send(ForwardedEvent(event, sync))


class NullSink:
    """Drops events of ranks above 0, which are those of rank 0."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Drops one event."""


def main() -> None:
    # Whatever ends the worker may signal all its processes; the worker tells these when to stop.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    quiet_libraries()
    use_plain_streams()
    connection, stop = connect(sys.argv[1]), StopRequest()
    connection.send(Ready())
    job: TrainingJob = connection.recv()
    listener = threading.Thread(target=_listen, args=(connection, stop), daemon=True)
    listener.start()
    is_rank_zero = os.environ["RANK"] == "0"
    outcome = _train(job, WorkerSink(connection) if is_rank_zero else NullSink(), stop)
    # Rank 0 knows when everything is written; from the others only an error is news.
    if is_rank_zero or (isinstance(outcome, Exception) and not isinstance(outcome, Interrupted)):
        connection.send(outcome)
    # The worker closes the connection. Exiting earlier would look like a failure to ranks that are not done.
    listener.join()


def _listen(connection: Connection, stop: StopRequest) -> None:
    """Turns the worker's only message into a stop request, and exits the process when the connection is closed."""
    try:
        while True:
            connection.recv()
            stop.request()
    except (EOFError, OSError):
        os._exit(0)


def _train(job: TrainingJob, log: EventSink, stop: StopRequest) -> Outcome:
    try:
        if not may_need_bitsandbytes(job.plan.method):
            block_import("bitsandbytes")
        # Only now: it imports TRL.
        with large_imports():
            from tuneproof.engine.training.distributed.collectives import init_process_group
            from tuneproof.engine.training.run import train

        init_process_group()
        return train(job.base, job.rows, job.probe, job.plan, job.folder, log, stop)
    except TuneproofError as error:
        return error
    except Exception as error:
        traceback.print_exc()
        return _picklable(error)


def _picklable(error: Exception) -> Exception:
    """The error itself, or a RuntimeError with its message if another process could not unpickle it."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
