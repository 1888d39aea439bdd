"""A hub of one's own on this machine, with a cache that is empty: it has one model, knows of no other, or says nothing at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NAME = "org/small"
MODEL = {
    "id": NAME,
    "modelId": NAME,
    "config": {"model_type": "llama", "tokenizer_config": {"chat_template": "{{ messages }}"}},
    "cardData": {"license": "apache-2.0"},
    "siblings": [{"rfilename": "model.safetensors", "size": 2_500_000_000}, {"rfilename": "config.json", "size": 700}],
}


@contextmanager
def local_hub(patch: pytest.MonkeyPatch, cache: Path, *, silent: bool = False) -> Iterator[threading.Event]:
    """Sends huggingface_hub to a server on this machine; yields an event that is set once it was asked."""
    asked, ended = threading.Event(), threading.Event()

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            if silent:
                ended.wait(60)
                return
            found = NAME in self.path
            body = json.dumps(MODEL if found else {"error": "Repository not found"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if not found:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Writes nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    patch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    try:
        yield asked
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
