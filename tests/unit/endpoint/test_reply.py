"""Servers return reasoning in several ways; none of it is the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.endpoint.reply import ServerAnswer, read_reply


def reply(message: dict[str, Any], finish: str = "stop") -> ServerAnswer:
    choices = [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}]
    read = read_reply(json.dumps({"choices": choices}).encode())
    assert isinstance(read, ServerAnswer)
    return read


@pytest.mark.parametrize(
    "message",
    [
        {"content": "yes"},
        {"content": "yes", "reasoning_content": "well"},
        {"content": "yes", "reasoning": "well"},
        {"content": "<think>well</think>yes"},
        {"content": "well</think>\n\nyes"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "well"}]}, {"type": "text", "text": "yes"}]},
        {"content": None, "refusal": "yes"},
    ],
)
def test_the_answer_is_what_follows_the_reasoning(message: dict[str, Any]) -> None:
    assert answer_of(reply(message).text) == "yes"


@pytest.mark.parametrize("content", [None, ""])
def test_a_model_that_only_reasoned_gave_an_empty_answer_and_no_server_failed(content: str | None) -> None:
    read = reply({"content": content, "reasoning_content": "well, yes"}, finish="length")
    assert answer_of(read.text) == "" and read.truncated
