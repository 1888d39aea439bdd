"""A small OpenAI-compatible server on loopback that answers each case in the way its text names, and records all requests."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW = 1.2
"""Seconds that a slow answer takes; clients in tests have a shorter timeout."""


class LoopbackServer(ThreadingHTTPServer):
    """Answers a case that contains `way=NAME` with the method `_NAME` of its handler."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        """Number of requests, by the text of the case."""
        self.times: list[float] = []
        """When each request came, `time.monotonic()`."""
        self.bodies: list[dict[str, Any]] = []
        self.open_requests = self.most_open_requests = 0
        self.delay = 0.0
        """Seconds before each answer."""
        self.api_key: str | None = None
        """If set, requests with another API key get status 401."""
        self.answer = "yes"
        self.answers: dict[str, str] = {}
        """Other answers, by the last line of the case."""
        self.rule: Callable[[str], str] | None = None
        """Says the answer to a whole message, before the answers above."""
        self.prompt_tokens: Callable[[str], int] = lambda message: 30
        """What it reports as the number of tokens of a whole message."""
        self.remaining: int | None = None
        """Requests to answer before every connection is dropped; None for no limit."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: some tests close connections on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    text = message = ""
    server: LoopbackServer

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.message = body["messages"][-1]["content"]
        self.text = text = self.message.split("\n")[-1]
        server = self.server
        with server.lock:
            server.requests[text] += 1
            server.times.append(time.monotonic())
            server.bodies.append(body)
            server.open_requests += 1
            server.most_open_requests = max(server.most_open_requests, server.open_requests)
        try:
            time.sleep(server.delay)
        finally:
            # Before the answer is sent: a client may send its next request as soon as it has it.
            with server.lock:
                server.open_requests -= 1
        if server.api_key is not None and self.headers.get("Authorization") != f"Bearer {server.api_key}":
            self._send(401, {"error": {"message": f"invalid API key: {self.headers.get('Authorization')}"}})
            return
        way = text.partition("way=")[2].split()[0] if "way=" in text else "ok"
        if server.remaining is not None:
            server.remaining -= 1
            way = way if server.remaining >= 0 else "drops_connection"
        getattr(self, f"_{way}")(server.requests[text])

    def _send(self, status: int, content: bytes | dict[str, Any], **headers: str) -> None:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(sent)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(sent)

    def _say(self, content: str | None, finish: str = "stop", usage: bool = True) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        read = self.server.prompt_tokens(self.message)
        reported = {"usage": {"prompt_tokens": read, "completion_tokens": 2, "total_tokens": read + 2}} if usage else {}
        self._send(200, {"id": "x", "object": "chat.completion", "choices": [choice], **reported})

    def _ok(self, attempt: int) -> None:
        if self.server.rule is not None:
            self._say(self.server.rule(self.message))
        else:
            self._say(self.server.answers.get(self.text, self.server.answer))

    def _wrong(self, attempt: int) -> None:
        self._say("no")

    def _truncated(self, attempt: int) -> None:
        self._say("ye", finish="length")

    def _without_usage(self, attempt: int) -> None:
        self._say(self.server.answer, usage=False)

    def _slow(self, attempt: int) -> None:
        time.sleep(SLOW)
        self._say(self.server.answer)

    def _once_busy(self, attempt: int) -> None:
        self._send(429, {"error": {"message": "slow down"}}, Retry_After="0.3") if attempt == 1 else self._ok(attempt)

    def _busy(self, attempt: int) -> None:
        self._send(429, {"error": {"message": "slow down"}}, Retry_After="0")

    def _busy_for_a_day(self, attempt: int) -> None:
        self._send(429, {"error": "come back tomorrow"}, Retry_After="86400")

    def _broken(self, attempt: int) -> None:
        self._send(500, {"error": {"message": "it broke"}})

    def _once_broken(self, attempt: int) -> None:
        self._broken(attempt) if attempt == 1 else self._ok(attempt)

    def _rejected(self, attempt: int) -> None:
        self._send(400, {"error": {"message": "this case is too long"}})

    def _drops_connection(self, attempt: int) -> None:
        self.close_connection = True
        self.connection.close()

    def _torn(self, attempt: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices"')
        self.close_connection = True

    def _not_json(self, attempt: int) -> None:
        self._send(200, b"<html>\x1b[31m\xff garbage</html>")

    def _unknown_format(self, attempt: int) -> None:
        self._send(200, {"answer": "yes"})

    def _without_text(self, attempt: int) -> None:
        self._say(None)

    def _echoes_key(self, attempt: int) -> None:
        self._send(500, {"error": {"message": f"not with {self.headers.get('Authorization')}, not with you"}})

    def _answers_key(self, attempt: int) -> None:
        self._say(f"yes {self.headers.get('Authorization')}")


@contextmanager
def loopback(port: int = 0) -> Iterator[LoopbackServer]:
    """Runs a server within the context, at the given port or any free one."""
    server = LoopbackServer(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
