"""Which server a case names, and that no message shows a secret in its settings."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.endpoint.server import resolve_server


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"url": "http://me:hunter2@localhost/v1", "model": "m"}, "a user or a password in it"),
        ({"url": "http://localhost/v1?key=hunter2", "model": "m"}, "has a `?` or `#` in it"),
        ({"url": "hunter2", "model": "m"}, "not the URL of a server"),
        ({"url": "http://localhost/v1", "model": "m", "key_env": "hunter2"}, "never the key itself"),
        ({"url": "http://localhost/v1", "model": "m", "key": "hunter2"}, "unknown key `endpoint.key`"),
        ({"url": "http://localhost/v1", "model": "m", "body": {"stream": True}}, "`body` cannot have `stream`"),
        ("http://me:hunter2@localhost/v1", "endpoint"),
    ],
)
def test_a_secret_in_the_case_is_refused_and_not_shown(write_case: Any, endpoint: Any, message: str) -> None:
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    for path, overrides in (
        (write_case({"name": "x", "decision": decision, "endpoint": endpoint}), []),
        (write_case({"name": "x", "decision": decision}, "other.yaml"), [f"endpoint={endpoint!r}"]),
    ):
        with pytest.raises(CaseError) as raised:
            load_case(path, overrides)
        assert message in str(raised.value) and "hunter2" not in str(raised.value)


def test_without_a_url_in_the_case_the_one_in_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Endpoint(model="m")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(CaseError, match="OPENAI_BASE_URL"):
        resolve_server(settings)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1/")
    assert resolve_server(settings).url == "http://localhost:8000/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hunter2@localhost/v1")
    with pytest.raises(CaseError) as raised:
        resolve_server(settings)
    assert "hunter2" not in str(raised.value)
