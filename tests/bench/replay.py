"""Time and memory that the sample case takes from the command to its card: `python -m tests.bench.replay`."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from tests.conftest import sample_case, tuneproof
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import StageFinished


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        started = time.perf_counter()
        result = tuneproof("--replay", sample_case(), "--run-dir", run)
        seconds = time.perf_counter() - started
        assert result.code == 0, result.err
        stages = [e for e in EventReader(run / "events.jsonl").read() if isinstance(e, StageFinished)]
    # On Linux ru_maxrss is in KiB, and RUSAGE_CHILDREN is the largest process among the children.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"support_tickets: {seconds:.1f} s, largest process {peak:.2f} GiB")
    print(", ".join(f"{e.stage} {e.seconds:.1f} s" for e in stages))


if __name__ == "__main__":
    main()
