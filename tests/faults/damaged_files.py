"""Flipped bits, truncation and deletion of every file of a finished run, one at a time; then `verify` and `runs`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.faults.commands import forked, run
from tests.faults.sizes import Size
from tests.faults.small_case import replay_words, written
from tests.faults.tally import Tally
from tuneproof.engine.card.verify import open_stored, verify
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.listing import list_runs
from tuneproof.engine.run.store import CASE, MANIFEST

SEED = 20_252


def inject(size: Size, folder: Path) -> Tally:
    """Damages a run beside a run that is left alone."""
    tally, runs, rng = Tally("a damaged file of a run"), folder / "runs", random.Random(SEED)
    case: Path | str = "route_only.yaml" if size is Size.TINY else written(folder)
    for name, what in (("alone", "route_only.yaml"), ("damaged", case)):
        ended = run(*replay_words(Path(what), runs / name, Stage.CARD))
        assert ended.code == 0, ended.err
    damaged = runs / "damaged"
    checked = verify(open_stored(damaged))
    looked_at = {MANIFEST, *checked.rests_on, *checked.only_digest}
    for path in sorted(path for path in damaged.rglob("*") if path.is_file()):
        name, content = str(path.relative_to(damaged)), path.read_bytes()
        for damage, spoilt in _damages(content, rng, size):
            if spoilt is None:
                path.unlink()
            else:
                path.write_bytes(spoilt)
            tally.injected += 1
            # A digest that changes in the manifest is found as a difference of its file.
            named = "" if name == MANIFEST else name
            verified = forked("verify", damaged)
            # Weights may be left out of a copy, which is said.
            noticed = name in looked_at and not (spoilt is None and path.suffix == ".safetensors")
            tally.check_end(f"{name}, {damage}: verify", verified, {ExitCode.DIFFERS} if noticed else {0}, named)
            _check_listing(tally, f"{name}, {damage}: runs", runs, hidden=spoilt is None and name in (MANIFEST, CASE))
            path.write_bytes(content)
    tally.check_end("every file as it was: verify", forked("verify", damaged), {0})
    return tally


def _check_listing(tally: Tally, fault: str, runs: Path, hidden: bool) -> None:
    tally.check_end(fault, forked("runs", runs), {0})
    listed = {each.name for each in list_runs(runs)}
    if listed != {"alone"} | ({"damaged"} if not hidden else set()):
        tally.unreported += 1
        tally.problems.append(f"{fault}: lists {', '.join(sorted(listed)) or 'nothing'}")


def _damages(content: bytes, rng: random.Random, size: Size) -> Iterator[tuple[str, bytes | None]]:
    """Each damage in words, with what is left of the file; None if it is deleted."""
    if content:
        for _ in range(size.of(1, 2, 10)):
            at, bit = rng.randrange(len(content)), rng.randrange(8)
            yield f"bit {bit} of byte {at} flipped", content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
        if size is not Size.TINY:
            yield "cut in half", content[: len(content) // 2]
            yield "emptied", b""
    yield "deleted", None
