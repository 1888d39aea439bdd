"""`--set KEY=VALUE` changes a key of the case, and an override that is wrong is named in the error."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.errors import CaseError

CASE = "name: tickets\ndecision: {private_facts: false, format_drift: true, stable_task: true, labeled_examples: 120}\n"


def test_set_overrides_a_key_with_a_yaml_value(write_case: Any) -> None:
    case = load_case(write_case(CASE), ["training.epochs=2", "decision.labeled_examples=7", "baselines=[zero_shot]"])
    assert (case.training.epochs, case.decision.labeled_examples, case.baselines) == (2, 7, ["zero_shot"])


@pytest.mark.parametrize(
    ("override", "message"), [("training.epoch=2", "did you mean `epochs`?"), ("training", "KEY=VALUE"), ("name.first=x", "no keys below")]
)
def test_a_wrong_override_is_named_in_the_error(write_case: Any, override: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        load_case(write_case(CASE), [override])
    assert message in str(caught.value) and f"--set {override}" in str(caught.value)
