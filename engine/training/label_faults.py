"""Whether what the loss sees can teach an answer and its end: of a row as it is encoded, and of a batch as the trainer reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.token_fault import FoundFault, TokenFault
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow


def label_faults(row: EncodedRow, eos_token_ids: Sequence[int]) -> list[FoundFault]:
    """What is wrong with the labels of one row."""
    targets = targets_of(row.labels)
    if not targets:
        return [
            FoundFault(
                TokenFault.ALL_MASKED,
                breaks_here=True,
                sentence="the loss sees no token of this row: nothing is learned from it",
                fix="give the row an answer, or leave it out of the examples",
            )
        ]
    if set(eos_token_ids).isdisjoint(targets):
        return [
            FoundFault(
                TokenFault.END_NOT_LEARNED,
                breaks_here=True,
                sentence="no label of this row is an end token: a model that learns from it does not stop",
                fix="name the end token as `eos_token` in tokenizer_config.json",
            )
        ]
    return []


def check_rows(base: BaseCheckpoint, rows: Iterable[EncodedRow]) -> None:
    """Raises GateClosed if the labels of a row teach no answer or no end."""
    for row in rows:
        # The end is the last label, so that most rows take one look.
        if row.labels[-1] not in base.eos_token_ids and (found := label_faults(row, base.eos_token_ids)):
            raise GateClosed(found[0].sentence, where=f"model.base: {base.name}", fix=found[0].fix)


def check_collator(sequences: Any, collator: Callable[[list[Any]], Any]) -> None:
    """Raises GateClosed if a collator masks a target, such as an end token that is the padding token as well.

    Tried on the first and the last of the sequences, which have `input_ids` and `labels`, in one batch.
    """
    tried = [sequences[0], sequences[len(sequences) - 1]]
    before = [target for each in tried for target in targets_of(each["labels"])]
    after = targets_of(collator(tried)["labels"].flatten().tolist())
    if before != after:
        raise GateClosed(
            f"the loss would see {len(after)} of the {len(before)} target tokens of a batch: the collator masks the others",
            where="training",
            fix="install the library versions of constraints.txt: another version of trl or transformers collates otherwise",
        )


def targets_of(labels: Sequence[int]) -> list[int]:
    """The labels that are not masked."""
    return [int(label) for label in labels if label != IGNORE_INDEX]
