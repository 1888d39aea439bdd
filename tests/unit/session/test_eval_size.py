"""Before the freeze, rows can be moved from train into eval, and the choice says what it buys and costs."""

from __future__ import annotations

from tests.unit.session.data_facts import facts
from tuneproof.engine.case.data import Data, SplitShares
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run.events import SplitFrozen
from tuneproof.engine.scoring.statistics import minimum_detectable_effect
from tuneproof.engine.session.eval_size import is_small, larger_eval_sets

SHARES = SplitShares(train=0.6, validation=0.15, eval=0.25)


def frozen(train: int, validation: int, scored: int) -> SplitFrozen:
    effect = minimum_detectable_effect(scored)
    return SplitFrozen(train=train, validation=validation, eval=scored, eval_sha256="0" * 64, minimum_detectable_effect=effect)


def draft(**data: object) -> DraftCase:
    return DraftCase.model_validate(
        {"name": "tickets", "data": Data.model_validate({"examples": "rows.jsonl", "split": SHARES, **data}).model_dump()}
    )


def test_a_larger_eval_set_takes_its_rows_from_train() -> None:
    smallest, *_ = larger_eval_sets(draft(), frozen(192, 48, 80), None)
    assert (smallest.train, smallest.eval) == (160, 112)
    split = smallest.sections(draft())["data"]["split"]
    assert (split["train"], split["validation"], split["eval"]) == (0.5, 0.15, 0.35)


def test_no_choice_leaves_too_little_to_train_on() -> None:
    assert all(size.train_share >= 0.3 for size in larger_eval_sets(draft(), frozen(192, 48, 80), None))


def test_an_eval_file_of_its_own_cannot_be_enlarged_from_train() -> None:
    assert not larger_eval_sets(draft(eval="eval.jsonl"), frozen(192, 48, 80), None)


def test_an_eval_set_that_a_file_is_by_its_name_cannot_be_enlarged_from_train() -> None:
    assert not larger_eval_sets(draft(), frozen(192, 48, 80), facts({Part.EVAL: ["test.jsonl"]}))


def test_80_cases_are_few_and_628_are_not() -> None:
    assert is_small(frozen(192, 48, 80)) and not is_small(frozen(1900, 400, 628))
