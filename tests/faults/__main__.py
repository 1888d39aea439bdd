"""Injects faults into real runs and prints what became of them: `python -m tests.faults`, with `--whole` or `--only KIND`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import (
    damaged_files,
    full_disk,
    hostile_data,
    killed_at_operation,
    killed_at_random,
    little_memory,
    model_folders,
    simultaneous_starts,
)
from tests.faults.sizes import Size
from tests.faults.tally import Tally, head

Inject = Callable[[Size, Path], Tally]

KINDS: dict[str, Inject] = {
    "kill-at-operation": killed_at_operation.inject,
    "kill-at-random": killed_at_random.inject,
    "damaged-files": damaged_files.inject,
    "full-disk": full_disk.inject,
    "little-memory": little_memory.inject,
    "starts": simultaneous_starts.inject,
    "model-folders": model_folders.inject,
    "data": hostile_data.inject,
}
"""The kinds of faults, by their names for `--only`."""


def main() -> int:
    """Injects what the options ask for; returns 1 unless every fault ended as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--quick", action="store_true", help="some of every kind, in minutes (the default)")
    much.add_argument("--whole", action="store_true", help="every file operation, every state, and hundreds of random times: hours")
    parser.add_argument("--only", metavar="KIND", choices=KINDS, action="append", help=f"only this kind: {', '.join(KINDS)}")
    options = parser.parse_args()
    size = Size.WHOLE if options.whole else Size.QUICK
    print(head(), flush=True)
    clean = True
    with tempfile.TemporaryDirectory(prefix="tuneproof-faults-") as folder:
        for name in options.only or KINDS:
            begun = time.monotonic()
            tally = KINDS[name](size, Path(folder, name))
            print(tally.row, flush=True)
            print(f"  {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
            clean = clean and tally.is_clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
