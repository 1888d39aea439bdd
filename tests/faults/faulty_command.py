"""The command with a fault at one of its file operations or of its worker's: `python -m tests.faults.faulty_command --replay …`."""

from __future__ import annotations

from tests.faults.at_operation import Program, begin
from tuneproof.engine.run import process
from tuneproof.tui.cli import entry

if __name__ == "__main__":
    setattr(process, "WORKER_MODULE", "tests.faults.faulty_worker")  # noqa: B010  a name that its module does not export
    begin(Program.COMMAND)
    entry()
