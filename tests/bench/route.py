"""The time of a run that only needs a route, from the start of the command to its end: `python -m tests.bench.route`."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT, tuneproof

RUNS = 15


def main() -> None:
    case = ROOT / "sample_cases" / "route_only.yaml"
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(RUNS):
            started = time.perf_counter()
            assert tuneproof("--replay", case, "--run-dir", Path(folder) / str(number)).code == 0
            seconds.append(time.perf_counter() - started)
    print(f"route only, {RUNS} runs: median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s")


if __name__ == "__main__":
    main()
