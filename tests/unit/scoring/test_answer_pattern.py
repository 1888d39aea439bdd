"""A pattern of the case finds what Python finds, and takes no exponential time."""

from __future__ import annotations

import pickle
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.arms.train_bounds import allows
from tuneproof.engine.audit.checks.format import outputs_off_format
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.output_bounds import FieldBound
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring import answer_pattern
from tuneproof.engine.scoring.answer_pattern import AnswerPattern
from tuneproof.engine.scoring.grade import FailureClass, Grader
from tuneproof.engine.scoring.graders import make_grader

PATTERNS = (
    r"#### (-?[\d,.]+)",
    r"\\boxed\{([^{}]+)\}",
    r"<answer>(.*?)</answer>",
    r"\b(yes|no)\b",
    r"(\w+)$",
    r"(?i)answer:\s*(\S+)",
    r"([^]a]+)",
    r"([]a]+)\Z",
    r"(a{,3})b",
    r"(a){e<=1}",
    r"([[:alpha:]]+)",
    r"(?m)^(\w+)$",
    r"(?P<n>\d+)(?P=n)",
    r"(?=(a+))a",
    r"([\D]+)",
    r"(\[[^\[]*\])",
    r"([a^]+)\B",
    r"(?x) (a) # [ x",
    r"(?a)(\w+)",
    r"(a$|b)\n?",
)
TEXTS = st.lists(
    st.sampled_from(["#### 72", "\\boxed{x^2}", "<answer>a\n</answer>", "yes", "no", " ", "\n", "é", "e\u0301", "²", "Answer:", "a", "aab"])
    | st.sampled_from(["b", "][", "[:al]", "x{}", "a){e<=1}", "1212", "हिन्दी", "\x1c", "\u2028", "\ud800", "^", "_", "\u017f", "\uff10"]),
    max_size=6,
).map("".join)


@pytest.mark.filterwarnings("ignore:Possible nested set")
@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=25)
@given(text=TEXTS)
def test_a_pattern_finds_what_python_finds(pattern: str, text: str) -> None:
    last = next(iter([*re.finditer(pattern, text)][::-1]), None)
    found = AnswerPattern(pattern).last_in(text)
    assert (found and (found.group(1), found.end())) == (last and (last.group(1), last.end()))
    assert AnswerPattern(pattern).is_whole(text) == (re.fullmatch(pattern, text) is not None)


EXPONENTIAL = [r"^(a+)+$", r"^(a|aa)+$", r"(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"^(a|a?)+$", r"^(\w+\s?)*$"]
HARD = "a" * 5000 + "!" + "x" * 3000


def _grader(pattern: str) -> Grader:
    return make_grader(Task.model_validate({"output": {"kind": "pattern", "pattern": pattern}}), [])


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_pattern_that_takes_exponential_time_in_python_is_judged_at_once(pattern: str) -> None:
    started = time.monotonic()
    grader = _grader(pattern)
    assert grader.grade(HARD, HARD).failure in (FailureClass.NOT_PARSEABLE, FailureClass.EXTRA_TEXT)
    assert not allows(FieldBound(pattern=pattern), HARD)
    assert time.monotonic() - started < 1


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_pattern, "MATCH_SECONDS", 0.02)
    monkeypatch.setattr(answer_pattern, "MAX_SLOW_TEXTS", 2)


LOOKS_AROUND = r"^((a|aa)+)(?!b)$"


def _off_format(*outputs: str) -> str:
    rows = Rows(Example("", "q", output, Source("train.jsonl", line)) for line, output in enumerate(outputs, 1))
    (finding,) = outputs_off_format(Table(examples=rows, eval=Rows(), problems=[], grader=_grader(LOOKS_AROUND)))
    return "; ".join(f"{row.at}: {row.note}" for row in finding.rows)


@pytest.mark.usefixtures("short_limits")
def test_the_audit_names_a_row_on_which_the_pattern_takes_too_long() -> None:
    assert _off_format("aa", HARD).startswith("train.jsonl:2: task.output.pattern takes longer than")


@pytest.mark.usefixtures("short_limits")
def test_a_pattern_that_takes_too_long_on_many_rows_is_a_mistake_of_the_case() -> None:
    with pytest.raises(CaseError, match=r"on each of 3 texts, the last of them at train\.jsonl:4") as refused:
        _off_format("aa", *(f"{HARD}{at}" for at in range(5)))
    assert refused.value.where == "task.output.pattern"


def test_a_grader_of_a_pattern_goes_to_another_process() -> None:
    grader = pickle.loads(pickle.dumps(_grader(LOOKS_AROUND)))
    assert grader.grade("aa", "aa").answer == "aa"
