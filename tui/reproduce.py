"""`tuneproof reproduce`: decodes stored prompts again and compares the answers with the stored ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import ExitCode, VerifyFailed
from tuneproof.engine.core.plain_text import sanitize, sanitize_json
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.store import RunStore
from tuneproof.tui.decoded_again import DECODE_AS_THEN, SHOWN, AnswerProgress, answer_document, both_texts

if TYPE_CHECKING:
    from tuneproof.engine.reproduce import Reproduced, Reproduction


def reproduce_command(run: Path, arm: str, case_id: str | None, *, as_json: bool) -> int:
    """Decodes one answer of an arm again, or all, and prints the result. Raises VerifyFailed if an answer differs."""
    store = RunStore.open(run)
    quiet_libraries()
    from tuneproof.engine.reproduce import Reproduction

    reproduction = Reproduction(store, arm)
    for difference in reproduction.differences():
        print(f"different from the measurement: {sanitize(difference, one_line=True)}", file=sys.stderr)
    if case_id is None:
        found, decoded = reproduction.all(AnswerProgress()), "in one pass"
    else:
        one, is_alone = reproduction.one(case_id)
        found, decoded = [one], "alone" if is_alone else "with the others"
    differing = [each for each in found if not each.same]
    if as_json:
        document = {"run": str(run), "arm": arm, "decoded": decoded, "predictions": len(found), "same": not differing}
        shown = found if case_id is not None else differing
        print(sanitize_json(json.dumps(document | {"answers": [answer_document(each) for each in shown]}, ensure_ascii=False)))
    else:
        print(_one_text(found[0], decoded) if case_id is not None else _all_text(found, differing, reproduction))
    if differing:
        subject = "the answer" if len(found) == 1 else f"{len(differing)} of {len(found)} answers"
        are = "is" if len(differing) == 1 else "are"
        raise VerifyFailed(f"{subject} {are} not what the model answers now", where=reproduction.files.predictions, fix=DECODE_AS_THEN)
    return int(ExitCode.DONE)


def _one_text(each: Reproduced, decoded: str) -> str:
    if each.same:
        return f"{sanitize(each.again.text)}\n\nthe same as stored, decoded {decoded}"
    return f"{both_texts(each)}\n\nnot the same as stored, decoded {decoded}"


def _all_text(found: list[Reproduced], differing: list[Reproduced], reproduction: Reproduction) -> str:
    parts = [f"{sanitize(each.stored.id)}\n{both_texts(each)}" for each in differing[:SHOWN]]
    if len(differing) > SHOWN:
        parts.append(f"… and {len(differing) - SHOWN:,} more: --json has them all")
    parts.append(f"{reproduction.arm}: {len(found):,} answers decoded again, {len(differing):,} differ from what is stored")
    return "\n\n".join(parts)
