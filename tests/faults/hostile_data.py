"""Files of data with faults of every kind: mutated ones, bombs, pipes and devices; `tuneproof audit` reads each, or refuses it by name."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.faults.commands import forked
from tests.faults.sizes import Size
from tests.faults.tally import Tally
from tests.unit.data.fuzzed_files import mutated_files
from tests.unit.data.test_hostile_files import GOOD, repeated, shared_prefixes, zstd
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.data.reading_limits import MIB

SEED = 20_253

LONGEST_SECONDS = 30
"""After so long an audit of a file of a few bytes hangs, on a busy machine too."""

MADE: dict[str, Callable[[Path], object]] = {
    "spaces.jsonl.gz": lambda path: path.write_bytes(gzip.compress(b" " * 40 * MIB, 1)),
    "brackets.json.zst": lambda path: path.write_bytes(zstd(b"[" * 40 * MIB)),
    "nested.jsonl": lambda path: path.write_bytes(GOOD + b'{"input": ' + b"[" * 100_000 + b"\n" + GOOD),
    "row.jsonl": lambda path: path.write_bytes(GOOD + b'{"input": "' + b"x" * 50 * MIB + b'"}\n' + GOOD),
    "quote.csv": lambda path: path.write_bytes(b'input,output\na,b\n"' + b"never closed\n" * 2 * MIB),
    "repeated.parquet": repeated,
    "prefixes.parquet": shared_prefixes,
    "pipe.jsonl": os.mkfifo,
    "zero.jsonl": lambda path: path.symlink_to("/dev/zero"),
    "loop.jsonl": lambda path: path.symlink_to(path),
    "escapes.jsonl": lambda path: path.write_bytes(GOOD + b'{"input": "\\u001b]52;c;eA==\\u0007\\u202e", "output": "<|im_end|>"}\n'),
    "\x1b[2Jname.jsonl": lambda path: path.write_bytes(GOOD[:-3]),
}
"""Files that are made to do harm, by their names."""

LARGE = {"spaces.jsonl.gz", "brackets.json.zst", "row.jsonl", "quote.csv", "repeated.parquet", "prefixes.parquet"}
"""Those of which each takes a second."""


def inject(size: Size, folder: Path) -> Tally:
    """Audits one file after another; an audit that finds something that blocks ends with 3."""
    tally = Tally("a hostile file of data")
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MADE.items():
        if size is Size.TINY and name in LARGE:
            continue
        make(folder / name)
        _audit(tally, folder / name)
    for number, (ending, content) in enumerate(mutated(size.of(6, 300, 20_000))):
        path = folder / f"mutated-{number}{ending}"
        path.write_bytes(content)
        _audit(tally, path)
        path.unlink()
    return tally


def mutated(count: int) -> list[tuple[str, bytes]]:
    """So many mutated files, the same each time: their endings and contents."""
    found: list[tuple[str, bytes]] = []

    @seed(SEED)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(mutated_files())
    def collect(file: tuple[str, bytes]) -> None:
        found.append(file)

    collect()
    return found


def _audit(tally: Tally, path: Path) -> None:
    tally.injected += 1
    ended = forked("audit", path, seconds=LONGEST_SECONDS)
    tally.check_end(ascii(path.name), ended, {0, ExitCode.REFUSED}, path.name.strip("\x1b") if ended.code == ExitCode.REFUSED else "")
    if "\x1b" in ended.err + ended.out:
        tally.unreported += 1
        tally.problems.append(f"{path.name!a}: an escape sequence reaches the terminal")
