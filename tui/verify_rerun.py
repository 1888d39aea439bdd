"""What `tuneproof verify --rerun N` decodes again, and how it says what came of it."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.store import RunStore
from tuneproof.tui.decoded_again import DECODE_AS_THEN, SHOWN, AnswerProgress, answer_document, both_texts

if TYPE_CHECKING:
    from tuneproof.engine.rerun import Rerun


def decode_again(store: RunStore, count: int) -> Rerun | str:
    """Decodes a sample of the answers again; the name of the library that is missing for it, if one is."""
    quiet_libraries()
    try:
        from tuneproof.engine.rerun import rerun
    except ModuleNotFoundError as error:
        return str(error.name)
    again = rerun(store, count, AnswerProgress())
    for each in again.changed:
        print(f"different from the measurement: {sanitize(each, one_line=True)}", file=sys.stderr)
    return again


def rerun_document(again: Rerun | str) -> dict[str, object]:
    """What came of it, for `--json`; `reproduced` says whether all answers of the run were decoded again, to the stored texts."""
    if isinstance(again, str):
        return {"rerun": {"decoded": 0, "not_installed": again}}
    from tuneproof.engine.rerun import RULE

    answers = [{"arm": arm, **answer_document(each)} for arm, found in again.decoded.items() for each in found]
    about = {"asked": again.asked, "decoded": again.answers, "same": not again.differing, "rule": RULE}
    rerun = {**about, "not_decoded": again.not_decoded, "different_now": again.changed, "answers": answers}
    same = not again.differing
    return {"verified": same, "reproduced": same and again.answers == again.stored, "rerun": rerun}


def rerun_lines(again: Rerun | str) -> Iterator[str]:
    """What came of it: how many answers of which arms, which could not be decoded and why, and those that differ."""
    if isinstance(again, str):
        yield f"no answer was decoded again: {again} is not installed here"
        return
    from tuneproof.engine.rerun import RULE

    if again.decoded:
        arms = ", ".join(f"{arm} {len(found)}" for arm, found in again.decoded.items())
        same = f"{len(again.differing)} of them are not as stored" if again.differing else "all as stored"
        yield f"decoded again: {again.answers:,} answers, {same} ({sanitize(arms, one_line=True)}); chosen were {RULE}"
    by_reason: dict[str, list[str]] = defaultdict(list)
    for arm, why in again.not_decoded.items():
        by_reason[why].append(arm)
    for why, arms_of in by_reason.items():
        yield f"not decoded again: {sanitize(', '.join(arms_of), one_line=True)}: {sanitize(why, one_line=True)}"
    for arm, each in again.differing[:SHOWN]:
        yield f"\n{sanitize(f'{arm}, {each.stored.id}', one_line=True)}\n{both_texts(each)}"
    if len(again.differing) > SHOWN:
        yield f"\n… and {len(again.differing) - SHOWN:,} more: --json has them all"


def is_as_stored(again: Rerun | str) -> bool:
    """Whether no answer that was decoded again is another."""
    return isinstance(again, str) or not again.differing


def check_rerun(again: Rerun | str) -> None:
    """Raises VerifyFailed if an answer is not what is stored."""
    if isinstance(again, str) or not again.differing:
        return
    (arm, _), differ = again.differing[0], len(again.differing)
    are = "is" if differ == 1 else "are"
    what = f"{differ} of {again.answers} answers that were decoded again {are} not what is stored"
    raise VerifyFailed(what, where=again.predictions[arm], fix=DECODE_AS_THEN)
