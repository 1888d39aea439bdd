"""The worker with a fault at one of its file operations."""

from __future__ import annotations

from tests.faults.at_operation import Program, begin
from tuneproof.engine import worker

if __name__ == "__main__":
    begin(Program.WORKER)
    worker.main()
