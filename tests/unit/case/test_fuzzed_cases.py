"""Whatever a case file or `--set` says, the answer is a case or a mistake with file, line and fix, at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneproof.engine.case.load import dump_case, load_case
from tuneproof.engine.core.errors import CaseError

LONGEST_SECONDS = 5

CASE = """version: 1
name: tickets
decision: {private_facts: false, format_drift: true, stable_task: true, labeled_examples: 120}
task:
  instruction: Triage the ticket into one of the queues.
  output: {kind: json, schema: {type: object, properties: {queue: {type: string}}}, bounds: {queue: {max_length: 20}}}
  metric: field_accuracy
data:
  examples: tickets.jsonl
  split: {train: 0.6, validation: 0.15, eval: 0.25, seed: 0, group_by: user}
  columns: {input: text, output: queue}
  leave_out: [duplicate]
  accept: {private-data: reviewed}
model: {base: sample, revision: main}
baselines: [zero_shot, few_shot]
prompts: {mine: 'Answer: {input}', other: {system: Be brief., user: '{input}'}}
endpoint: {url: http://localhost:8000/v1, model: m, body: {temperature: 0}}
method: {name: lora}
training: {epochs: 3, learning_rate: 2e-4, batch_size: 8, launcher: slurm, slurm: {nodes: 1, extra: {mem: 4G}}}
evaluate: {compare: [full, {name: dora, rank: 8}], seeds: 2}
target: {at_least: 0.9, min_gain: 0.02}
budget: {hours: 2}
"""

FRAGMENTS = [
    *(
        "\0",
        "\ud800",
        "\ufeff",
        "\x85",
        "\u2028",
        "\x1b",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "- ",
        "? ",
        "&a ",
        "*a ",
        "<<: ",
        "! ",
        "# ",
    ),
    *(
        "!!python/name:os.system ",
        "!!binary ",
        "!!set ",
        "!!timestamp ",
        "!!int ",
        "!!str ",
        "!!float ",
        "%YAML 1.1\n",
        "---\n",
        "...\n",
        "|\n  ",
    ),
    *(
        "2024-01-01",
        "1:30",
        "2e-4",
        "1_000",
        "0x1F",
        ".nan",
        ".inf",
        "1e999",
        "9" * 5000,
        "yes",
        "null",
        "true",
        "-1",
        "0",
        "\n",
        "\t",
        "  ",
    ),
    *("[" * 200, "{a: " * 100, "x" * 300, "/dev/zero", "..", "~", "12", "'2e-4'", "(a+)+$", "(" * 300, "a{99999999999}"),
]
KEYS = sorted(
    {word for word in CASE.replace("{", " ").replace(":", " ").replace(",", " ").split() if word.islower() and word.isidentifier()}
)


@st.composite
def mutated_cases(draw: st.DrawFn) -> str:
    """A case file that was right before a few of its characters were changed."""
    text = CASE
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.sampled_from([0, 0, 1, 2, 6, 60])))
        text = text[:at] + draw(st.sampled_from(FRAGMENTS) | st.sampled_from(KEYS) | st.text(max_size=4)) + text[end:]
    return text


OVERRIDES = st.tuples(
    st.lists(st.sampled_from(KEYS) | st.text(max_size=4), min_size=1, max_size=4).map(".".join),
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=3).map("".join),
).map("=".join)


def check(folder: Path, text: str, overrides: list[str]) -> None:
    path = folder / "case.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    begun = time.monotonic()
    try:
        case = load_case(path, overrides)
    except CaseError as error:
        assert (path.name in error.where or error.where.startswith("--set")) and len(str(error)) < 2500
    else:
        path.write_text(dump_case(case), encoding="utf-8")
        assert load_case(path) == case
    assert time.monotonic() - begun < LONGEST_SECONDS


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated_cases(), st.lists(OVERRIDES, max_size=1))
def test_any_case_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str, overrides: list[str]) -> None:
    check(tmp_path_factory.getbasetemp(), text, overrides)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(OVERRIDES)
def test_any_set_is_taken_or_refused(tmp_path_factory: pytest.TempPathFactory, override: str) -> None:
    check(tmp_path_factory.getbasetemp(), CASE, [override])


@pytest.mark.long
@settings(max_examples=40_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated_cases(), st.lists(OVERRIDES, max_size=1))
def test_tens_of_thousands_of_cases_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str, overrides: list[str]) -> None:
    check(tmp_path_factory.getbasetemp(), text, overrides)
