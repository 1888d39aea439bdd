"""The audit of a million rows in eight shards, on Ray and in one process: `python -m tests.bench.scale`.

The rows are those of `tests.bench.audit`. Prints both times, the peak memory of the command without Ray's workers, and whether the two
reports are byte-identical. `python -m tests.bench.scale ROWS` takes another number of rows.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.audit import write_rows
from tests.conftest import COMMAND, REAL_DATA
from tuneproof.engine.data.readers import read_examples

ROWS, SHARDS = 1_000_000, 8


def main(rows: int) -> None:
    outputs = [example.output for example in read_examples(str(REAL_DATA / "wikisql" / "test.jsonl")).examples]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_file, eval_file = write_rows(folder, rows, outputs)
        shards = split_lines(train_file, SHARDS)
        reports = []
        for where in ("here", "ray"):
            reports.append(folder / f"{where}.json")
            seconds, peak, code = run(shards, eval_file, where, reports[-1])
            print(f"{rows:>9,} rows in {SHARDS} shards, --on {where:<4}: {seconds:6.1f} s, peak {peak:5,} MiB, exit {code}", flush=True)
        here, ray = (report.read_bytes() for report in reports)
        print(f"reports of {len(here):,} bytes: {'equal' if here == ray else 'they DIFFER'}")


def split_lines(file: Path, count: int) -> list[Path]:
    """Splits the lines of a file into `count` files, in order."""
    lines = file.read_bytes().splitlines(keepends=True)
    shards = [file.with_name(f"shard-{number}.jsonl") for number in range(count)]
    for number, shard in enumerate(shards):
        shard.write_bytes(b"".join(lines[len(lines) * number // count : len(lines) * (number + 1) // count]))
    return shards


def run(shards: list[Path], eval_file: Path, where: str, report: Path) -> tuple[float, int, int]:
    """Seconds and peak memory in MiB of the command, and its exit code."""
    command = [str(COMMAND), "audit", *map(str, shards), "--against", str(eval_file), "--json", "--on", where]
    with report.open("wb") as out, Path(os.devnull).open("wb") as nowhere:
        started = time.perf_counter()
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2)]
        _, status, used = os.wait4(os.posix_spawn(COMMAND, command, os.environ, file_actions=actions), 0)
    return time.perf_counter() - started, used.ru_maxrss // 1024, os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
