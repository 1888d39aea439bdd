"""A training does not begin if its loss would not see an answer or its end."""

from __future__ import annotations

import pytest
from transformers import DataCollatorForLanguageModeling
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling as PaddingCollator

from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.models.token_fault import TokenFault
from tuneproof.engine.training.label_faults import check_collator, check_rows, label_faults
from tuneproof.engine.training.packing import PackedCollator, pack_rows
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow


@pytest.fixture
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def test_rows_as_they_are_encoded_teach_an_answer_and_its_end(base: BaseCheckpoint) -> None:
    rows, _ = training_of(base)
    check_rows(base, rows)
    assert not any(label_faults(row, base.eos_token_ids) for row in rows)


@pytest.mark.parametrize(
    ("labels", "fault"), [([IGNORE_INDEX] * 3, TokenFault.ALL_MASKED), ([IGNORE_INDEX, 40, 41], TokenFault.END_NOT_LEARNED)]
)
def test_a_row_that_teaches_no_answer_or_no_end_is_not_trained_on(base: BaseCheckpoint, labels: list[int], fault: TokenFault) -> None:
    rows, _ = training_of(base)
    broken = EncodedRow([39, 40, 41], labels)
    assert [each.fault for each in label_faults(broken, base.eos_token_ids)] == [fault]
    with pytest.raises(GateClosed, match="row"):
        check_rows(base, [*rows, broken])


def test_a_collator_that_masks_padding_by_its_id_is_noticed_where_padding_is_the_end(base: BaseCheckpoint) -> None:
    rows, _ = training_of(base)
    sequences = [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
    base.tokenizer.pad_token = base.tokenizer.eos_token
    check_collator(sequences, PaddingCollator(pad_token_id=base.tokenizer.pad_token_id))
    check_collator(pack_rows(rows, 64), PackedCollator(base.tokenizer.pad_token_id))
    with pytest.raises(GateClosed, match="the collator masks"):
        check_collator(
            [{"input_ids": each["input_ids"], "labels": each["input_ids"]} for each in sequences],
            lambda batch: DataCollatorForLanguageModeling(base.tokenizer, mlm=False)([{"input_ids": each["input_ids"]} for each in batch]),
        )
