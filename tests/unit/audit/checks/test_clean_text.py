"""Checks of text and outputs find nothing in clean rows, and never block."""

from __future__ import annotations

import pytest

from tests.conftest import REAL_DATA
from tests.unit.audit.checks.text_rows import clean, findings, lines
from tuneproof.engine.audit.checks import CHECKS, OUTPUTS, TEXT
from tuneproof.engine.audit.registry import Check, Severity
from tuneproof.engine.data.readers import read_examples

TEXT_CHECKS = [CHECKS[name] for name in (*TEXT, *OUTPUTS) if name != "json-style"]


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.name)
def test_clean_rows_have_no_findings(check: Check) -> None:
    assert findings(check.name, [clean(line) for line in range(1, 61)]) == []


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.name)
def test_checks_of_text_never_block(check: Check) -> None:
    assert check.severity is not Severity.BLOCK


def test_clean_real_data_has_no_findings() -> None:
    folder = REAL_DATA / "gsm8k"
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has gsm8k")
    examples = read_examples([str(path) for path in sorted(folder.glob("*.jsonl"))]).examples
    assert {check.name: found for check in TEXT_CHECKS if (found := lines(check.name, examples))} == {}
