"""Time and memory of the whole audit: `python -m tests.bench.audit`.

The inputs are those of `tests.bench.near` (80,000 real questions, then edited copies). Each output is a real query, the same for equal
inputs. One row in fifty is in a separate eval file. The time is that of the command, with reading and report.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path

from tests.bench.near import short_rows
from tests.conftest import COMMAND, REAL_DATA
from tuneproof.engine.data.readers import read_examples

SIZES = (10_000, 100_000, 1_000_000)
SCORED_EVERY = 50


def main() -> None:
    outputs = [example.output for example in read_examples(str(REAL_DATA / "wikisql" / "test.jsonl")).examples]
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            files = write_rows(Path(folder), size, outputs)
            seconds, peak, code = run(*files)
        print(f"{size:>9,} rows: {seconds:6.1f} s, peak {peak:5,} MiB, exit {code}", flush=True)


def write_rows(folder: Path, size: int, outputs: list[str]) -> tuple[Path, Path]:
    train_file, eval_file = folder / "rows.jsonl", folder / "eval.jsonl"
    with train_file.open("w") as rows, eval_file.open("w") as held_out:
        for at, text in enumerate(short_rows(size)):
            row = {"input": text, "output": outputs[zlib.crc32(text.encode()) % len(outputs)]}
            (held_out if at % SCORED_EVERY == 0 else rows).write(json.dumps(row) + "\n")
    return train_file, eval_file


def run(train_file: Path, eval_file: Path) -> tuple[float, int, int]:
    """Seconds and peak memory in MiB of the command, and its exit code."""
    with Path(os.devnull).open("w") as nowhere:
        started = time.perf_counter()
        child = os.posix_spawn(
            COMMAND,
            [str(COMMAND), "audit", str(train_file), "--against", str(eval_file), "--json"],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, nowhere.fileno(), stream) for stream in (sys.stdout.fileno(), sys.stderr.fileno())],
        )
        _, status, used = os.wait4(child, 0)
    return time.perf_counter() - started, used.ru_maxrss // 1024, os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
