"""Stored parts read back as they were, and neither are written twice nor read once changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.freeze import examples_from_jsonl, examples_to_jsonl
from tuneproof.engine.data.messages import FullMessage, ToolCall, ToolUse
from tuneproof.engine.data.split import Part, case_ids, split
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.store import RunStore

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5))
def test_any_example_reads_back_the_same_with_its_id(texts: list[tuple[str, str, str]]) -> None:
    examples = [
        Example(a, b, c, Source("rows.jsonl", i), system=c, history=(Message("user", a), Message("assistant", b)), metadata={"key": [c]})
        for i, (a, b, c) in enumerate(texts)
    ]
    assert examples_from_jsonl(examples_to_jsonl(examples)) == list(zip(case_ids(examples), examples, strict=True))


def test_tools_read_back_the_same_and_rows_without_any_are_stored_as_before() -> None:
    call = ToolCall("find", '{"id": 7}', "c1")
    turns = (FullMessage("assistant", "", (call,), reasoning="Look it up."), FullMessage("tool", "Oslo", tool_call_id="c1", name="find"))
    use = ToolUse(tools=('{"type": "function", "function": {"name": "find"}}',), turns=turns, calls=(call,))
    plain = Example("", "Where?", "In Oslo.", Source("rows.jsonl", 1), history=(Message("user", "a"), Message("assistant", "b")))
    tooled = replace(plain, history=turns, tool_use=use)
    examples = [plain, tooled, replace(tooled, tool_use=replace(use, calls=()))]
    stored = examples_to_jsonl(examples)
    assert [example for _, example in examples_from_jsonl(stored)] == examples
    assert "tool" not in stored.splitlines()[0] and len({example.content_hash for example in examples}) == 3


def test_the_stored_parts_are_written_once_and_read_only_if_unchanged(tmp_path: Path) -> None:
    case = Case.model_validate({"name": "x", "decision": {"private_facts": False, "format_drift": True, "stable_task": True}})
    store = RunStore.create(tmp_path / "run", case)
    parts = split([Example("", f"text {i}", "x", Source("rows.jsonl", i)) for i in range(40)], SplitShares())
    store.write_parts(Inputs(), parts)
    assert [e for _, e in store.part(Part.EVAL)] == parts.eval
    with pytest.raises(GateClosed, match="frozen"):
        store.write_parts(Inputs(), parts)
    path = store.path / "splits" / "eval.jsonl"
    path.write_bytes(path.read_bytes().replace(b"text", b"test", 1))
    with pytest.raises(GateClosed, match="not what the run wrote"):
        store.part(Part.EVAL)
