"""What commonly breaks, looked for in one row and in the run that it belongs to. Imports transformers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS, ArmContext
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.example import Example, prompt_text
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.find_faults import base_faults
from tuneproof.engine.models.literal_text import special_token_pattern
from tuneproof.engine.models.token_fault import FoundFault, TokenFault
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.trace.report import ContextUse
from tuneproof.engine.training.label_faults import label_faults
from tuneproof.engine.training.tokenize import EncodedRow

TEMPLATE_FILES = (
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)
"""The files of a base that say how a text becomes tokens."""

BEFORE, AFTER = 20, 40
"""Characters that are shown around the first difference of two prompts."""


def faults_of(base: BaseCheckpoint, example: Example, row: EncodedRow, context: ContextUse) -> list[FoundFault]:
    """The faults of the base, and those of the row."""
    found = base_faults(base.chat, base.eos_token_ids)
    found += label_faults(row, base.eos_token_ids)
    if not any(each.fault is TokenFault.ALL_MASKED for each in found) and context.prompt_tokens >= context.limit:
        found.append(_no_answer_left(context))
    return [*found, *_special_in_text(base, example)]


def changed_template(store: RunStore, base: BaseCheckpoint, setting: ArmContext) -> list[FoundFault]:
    """Whether the base is asked otherwise than when the run was measured. Raises GateClosed if its weights are others."""
    if not store.has(artifacts.MODEL):
        return []
    recorded = artifacts.ModelFacts.model_validate_json(store.read(artifacts.MODEL))
    changed = _changed_files(recorded, base)
    other = [name for name in changed if name not in TEMPLATE_FILES]
    if other:
        raise GateClosed(
            "the base model is not the one that was measured",
            where=str(base.folder),
            fix=f"restore the one with sha256 {recorded.sha256}; changed: {', '.join(other[:3])}",
        )
    return [
        FoundFault(
            TokenFault.OTHER_TEMPLATE,
            breaks_here=True,
            sentence=f"{', '.join(changed)} changed since the run was measured{difference}",
            fix="serve the model with the files it was trained with, or train again: what was measured holds for those alone",
        )
        for difference in [_first_difference(store, base, setting)]
        if changed or difference
    ]


def _changed_files(recorded: artifacts.ModelFacts, base: BaseCheckpoint) -> Sequence[str]:
    """The files of the base that are not those of the run."""
    if not recorded.files:
        return [] if base.with_first_digest().sha256 == recorded.sha256 else ["config.json"]
    return sorted(name for name in {*recorded.files, *base.files} if recorded.files.get(name) != base.files.get(name))


def _first_difference(store: RunStore, base: BaseCheckpoint, setting: ArmContext) -> str:
    """Where a prompt that the run stored and the same prompt of today differ; empty if they do not."""
    for name, arms in ((ArmName.TUNED, TUNED_ARMS), (ArmName.ZERO_SHOT, UNTUNED_ARMS)):
        if not store.has(artifacts.prompt_file(name)):
            continue
        then, now = store.read(artifacts.prompt_file(name)), base.prompt(arms[name](setting).template())
        if then != now:
            at = next((at for at, (a, b) in enumerate(zip(then, now, strict=False)) if a != b), min(len(then), len(now)))
            around = slice(max(0, at - BEFORE), at + AFTER)
            return f"; the prompt of {name} was `{_one_line(then[around])}` at character {at + 1}, and is `{_one_line(now[around])}`"
    return ""


def _no_answer_left(context: ContextUse) -> FoundFault:
    return FoundFault(
        TokenFault.ALL_MASKED,
        breaks_here=True,
        sentence=f"the prompt alone takes {context.prompt_tokens:,} of {context.limit:,} tokens: tuneproof leaves the row out of training; "
        "cut to the limit, it would have no label",
        fix="shorten the request, raise training.max_length, or choose a base with a longer context",
    )


def _special_in_text(base: BaseCheckpoint, example: Example) -> Iterator[FoundFault]:
    pattern = special_token_pattern(base.tokenizer)
    found = sorted({token for text in (prompt_text(example), example.output) for token in re.findall(pattern, text) if token})
    if found:
        yield FoundFault(
            TokenFault.SPECIAL_IN_TEXT,
            breaks_here=False,
            sentence=f"the row has {', '.join(f'`{token}`' for token in found)} as text; it is encoded as text, and not as the token",
            fix="a server that encodes it as the token lets a user end a turn or begin another: have it escape user text, or clean the row",
        )


def _one_line(text: str) -> str:
    return text.replace("\n", "↵")
