"""`tuneproof reproduce`: decodes stored prompts again and compares the answers with the stored ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import ExitCode, VerifyFailed
from tuneproof.engine.core.plain_text import rewrite_line, sanitize, sanitize_json
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.store import RunStore

if TYPE_CHECKING:
    from tuneproof.engine.reproduce import Reproduced, Reproduction

SHOWN = 5
"""How many differing answers are shown with both texts; --json has all of them."""


def reproduce_command(run: Path, arm: str, case_id: str | None, *, as_json: bool) -> int:
    """Decodes one answer of an arm again, or all, and prints the result. Raises VerifyFailed if an answer differs."""
    store = RunStore.open(run)
    quiet_libraries()
    from tuneproof.engine.reproduce import Reproduction

    reproduction = Reproduction(store, arm)
    for difference in reproduction.differences():
        print(f"different from the measurement: {sanitize(difference, one_line=True)}", file=sys.stderr)
    if case_id is None:
        found, decoded = reproduction.all(_Progress()), "in one pass"
    else:
        one, is_alone = reproduction.one(case_id)
        found, decoded = [one], "alone" if is_alone else "with the others"
    differing = [each for each in found if not each.same]
    if as_json:
        document = {"run": str(run), "arm": arm, "decoded": decoded, "predictions": len(found), "same": not differing}
        shown = found if case_id is not None else differing
        print(sanitize_json(json.dumps(document | {"answers": [_document(each) for each in shown]}, ensure_ascii=False)))
    else:
        print(_one_text(found[0], decoded) if case_id is not None else _all_text(found, differing, reproduction))
    if differing:
        subject = "the answer" if len(found) == 1 else f"{len(differing)} of {len(found)} answers"
        are = "is" if len(differing) == 1 else "are"
        fix = "reproduce it with the device and library versions of the run, which model.json names"
        raise VerifyFailed(f"{subject} {are} not what the model answers now", where=reproduction.files.predictions, fix=fix)
    return int(ExitCode.DONE)


def _document(each: Reproduced) -> dict[str, object]:
    stored, again = each.stored, each.again
    return {
        "id": stored.id,
        "same": each.same,
        "output": again.text,
        "output_tokens": again.completion_tokens,
        "truncated": again.truncated,
        "stored": {"output": stored.output, "output_tokens": stored.output_tokens, "truncated": stored.truncated},
    }


def _one_text(each: Reproduced, decoded: str) -> str:
    if each.same:
        return f"{sanitize(each.again.text)}\n\nthe same as stored, decoded {decoded}"
    return f"{_both_texts(each)}\n\nnot the same as stored, decoded {decoded}"


def _all_text(found: list[Reproduced], differing: list[Reproduced], reproduction: Reproduction) -> str:
    parts = [f"{sanitize(each.stored.id)}\n{_both_texts(each)}" for each in differing[:SHOWN]]
    if len(differing) > SHOWN:
        parts.append(f"… and {len(differing) - SHOWN:,} more: --json has them all")
    parts.append(f"{reproduction.arm}: {len(found):,} answers decoded again, {len(differing):,} differ from what is stored")
    return "\n\n".join(parts)


def _both_texts(each: Reproduced) -> str:
    return "\n".join(
        f"{name}: {sanitize(text)}{' (cut off)' if cut else ''}"
        for name, text, cut in (("now   ", each.again.text, each.again.truncated), ("stored", each.stored.output, each.stored.truncated))
    )


class _Progress:
    """Shows progress in one line of the terminal; prints nothing if stderr is not a terminal."""

    def __call__(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            rewrite_line("" if done == of else f"{done:,} of {of:,} answers ")
