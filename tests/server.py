"""A small OpenAI-compatible server on loopback that does to each case what its text asks for, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW = 1.2
"""Seconds that a slow answer takes; whoever asks waits less."""


class LoopbackServer(ThreadingHTTPServer):
    """Answers a case that says `way=NAME` in the way of that name; the number of requests for each text is kept."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.lock = threading.Lock()
        self.asked: Counter[str] = Counter()
        self.times: list[float] = []
        self.bodies: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self.takes = 0.0
        self.key: str | None = None
        self.answer = "yes"
        self.serves: int | None = None
        """How many requests are answered before every connection is dropped; none where all are."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def log_message(self, *args: Any) -> None:
        """Nothing on stderr."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][-1]["content"].split("\n")[-1]
        server = self.server
        with server.lock:
            server.asked[text] += 1
            server.times.append(time.monotonic())
            server.bodies.append(body)
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            time.sleep(server.takes)
        finally:
            # Before the answer leaves: who has it may send the next request at once.
            with server.lock:
                server.at_once -= 1
        if server.key is not None and self.headers.get("Authorization") != f"Bearer {server.key}":
            self._send(401, {"error": {"message": f"no such key: {self.headers.get('Authorization')}"}})
            return
        way = text.partition("way=")[2].split()[0] if "way=" in text else "well"
        if server.serves is not None:
            server.serves -= 1
            way = way if server.serves >= 0 else "drops"
        getattr(self, f"_{way}")(server.asked[text])

    def _send(self, status: int, content: bytes | dict[str, Any], **headers: str) -> None:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(sent)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(sent)

    def _say(self, content: str | None, finish: str = "stop", usage: bool = True) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        told = {"usage": {"prompt_tokens": 30, "completion_tokens": 2, "total_tokens": 32}} if usage else {}
        self._send(200, {"id": "x", "object": "chat.completion", "choices": [choice], **told})

    def _well(self, attempt: int) -> None:
        self._say(self.server.answer)

    def _wrong(self, attempt: int) -> None:
        self._say("no")

    def _cut(self, attempt: int) -> None:
        self._say("ye", finish="length")

    def _untold(self, attempt: int) -> None:
        self._say(self.server.answer, usage=False)

    def _slow(self, attempt: int) -> None:
        time.sleep(SLOW)
        self._say(self.server.answer)

    def _once_busy(self, attempt: int) -> None:
        self._send(429, {"error": {"message": "slow down"}}, Retry_After="0.3") if attempt == 1 else self._well(attempt)

    def _busy(self, attempt: int) -> None:
        self._send(429, {"error": {"message": "slow down"}}, Retry_After="0")

    def _busy_for_long(self, attempt: int) -> None:
        self._send(429, {"error": "come back tomorrow"}, Retry_After="86400")

    def _broken(self, attempt: int) -> None:
        self._send(500, {"error": {"message": "it broke"}})

    def _once_broken(self, attempt: int) -> None:
        self._broken(attempt) if attempt == 1 else self._well(attempt)

    def _bad(self, attempt: int) -> None:
        self._send(400, {"error": {"message": "this case is too long"}})

    def _drops(self, attempt: int) -> None:
        self.close_connection = True
        self.connection.close()

    def _half(self, attempt: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices"')
        self.close_connection = True

    def _garbage(self, attempt: int) -> None:
        self._send(200, b"<html>\x1b[31m\xff garbage</html>")

    def _shape(self, attempt: int) -> None:
        self._send(200, {"answer": "yes"})

    def _silent(self, attempt: int) -> None:
        self._say(None)

    def _echoes(self, attempt: int) -> None:
        self._send(500, {"error": {"message": f"not with {self.headers.get('Authorization')}, not with you"}})

    def _answers_the_key(self, attempt: int) -> None:
        self._say(f"yes {self.headers.get('Authorization')}")


@contextmanager
def loopback(port: int = 0) -> Iterator[LoopbackServer]:
    """A server for as long as it is needed, at any free port or at the one that is given."""
    server = LoopbackServer(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
