"""A server gets tools, calls and results in the text of the turns, which every server takes."""

from __future__ import annotations

import json

from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.data.messages import FullMessage, Message, ToolCall, ToolOffer
from tuneproof.engine.endpoint.server import Server

TOOL = '{"type": "function", "function": {"name": "find"}}'


def test_a_request_has_only_roles_that_every_server_knows() -> None:
    calls = (ToolCall("find", '{"id": 7}', "c1"),)
    chat = [ToolOffer(tools=(TOOL,)), Message("user", "Where?"), FullMessage("assistant", "", calls), FullMessage("tool", "Oslo", (), "c1")]
    server = Server("http://localhost/v1", Endpoint(model="m", url="http://localhost/v1"))
    sent = json.loads(server.request_body(chat, 16))["messages"]
    assert [turn["role"] for turn in sent] == ["system", "user", "assistant", "user"]
    assert TOOL in sent[0]["content"] and '"id": 7' in sent[2]["content"] and "Oslo" in sent[3]["content"]
