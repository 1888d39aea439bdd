"""A script of the user's ends in a score, or in an error that names the row and what the script did."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.core.errors import CaseError, ExitCode
from tuneproof.engine.scoring.script_process import script_process


def given(body: str, head: str = "", **limits: Any) -> dict[str, float]:
    """What a script with this body of `score` gives one answer."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    with script_process(ScriptMetric(script=f"{head}\ndef score(output, row):\n{lines}\n", **limits)) as process:
        return process.score("the answer", {"id": "r7", "input": "hü"}, "row r7 (rows.jsonl:3)")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("return len(output) / 20", {"score": 0.5}),
        ("return True", {"score": 1.0}),
        ("print('x' * 100_000)\nreturn {'a': 1, 'b': 0.25}", {"a": 1.0, "b": 0.25}),
        ("import fractions\nreturn fractions.Fraction(1, 2)", {"score": 0.5}),
        ("return float(row['input'] == 'hü')", {"score": 1.0}),
        ("import sys\nreturn float(sys.stdin.read() == '')", {"score": 1.0}),
    ],
)
def test_a_number_or_named_numbers_are_the_score(body: str, fields: dict[str, float]) -> None:
    assert given(body) == fields


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 1 / 0", "ZeroDivisionError: division by zero"),
        ("return row['gone']", "KeyError: 'gone'"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("return 'good'", "the score is 'good', which is no number"),
        ("return None", "which is no number"),
        ("return {1: 0.5}", "the name of a field is a text"),
        ("return {'\\ud800': 0.5}", "surrogates not allowed"),
        ("return {}", "gave no field"),
        ("return 2", "gave score = 2"),
        ("return {'tone': -0.1}", "gave tone = -0.1"),
        ("return float('nan')", "not between 0 and 1"),
        ("import os\nos._exit(3)", "exited with code 3"),
        ("import os\nos.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
def test_anything_else_is_an_error_that_names_the_row(body: str, said: str) -> None:
    with pytest.raises(CaseError) as found:
        given(body)
    assert said in str(found.value) and "row r7 (rows.jsonl:3)" in str(found.value)
    assert found.value.exit_code is ExitCode.USAGE and found.value.fix


def test_the_line_of_the_script_is_named() -> None:
    with pytest.raises(CaseError, match=r"script, line 4"):
        given("value = output\nreturn int(value)")


@pytest.mark.parametrize("body", ["while True: pass", "return 10 ** 10 ** 9 % 7"])
def test_a_script_that_takes_too_long_is_ended(body: str) -> None:
    with pytest.raises(CaseError, match=r"longer than 0.2 s on row r7"):
        given(body, seconds=0.2)


def test_a_script_that_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(CaseError, match="MemoryError"):
        given("return len([0] * 10 ** 9)", memory_gb=0.5)


def test_a_script_that_cannot_be_loaded_says_why() -> None:
    with pytest.raises(CaseError, match="when it was loaded: ModuleNotFoundError"):
        given("return 1", head="import no_such_module")


def test_a_script_is_given_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert given("import os\nreturn float('OPENAI_API_KEY' in os.environ)") == {"score": 0.0}
    assert "OPENAI_API_KEY" in os.environ
