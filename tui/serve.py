"""`tuneproof --serve`: the wizard in a browser, over the loopback interface and only for those who know the token in its address.

textual-serve starts a wizard for each page that is opened, and draws it with xterm.js. What is added here: every request needs the token as
the first part of its path, and the name of this machine's loopback interface as its host. So neither another user of the machine nor a page
of another site (by DNS rebinding, or by opening the web socket) reaches it.
"""

from __future__ import annotations

import logging
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp_jinja2
import jinja2
from aiohttp import web
from textual_serve.server import Server

from tuneproof.engine.core.errors import ExitCode, UsageError

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "localhost", "::1")
"""What a browser may call this machine; the port may be another one, where a port is forwarded."""

HEADERS = {
    # The page of textual-serve names a font of Google, which would be told of every visit.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' ws:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(opens: Path | None, port: int) -> int:
    """Serves the wizard until Ctrl+C, and returns the exit code. Raises UsageError if the port is taken."""
    _check_port(port)
    WizardServer(opens, port).serve()
    return int(ExitCode.DONE)


def _check_port(port: int) -> None:
    try:
        with socket.create_server((LOOPBACK, port)):
            pass
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"port {port} cannot be used: {why}", where="--serve", fix="choose another: tuneproof --serve PORT") from None


class WizardServer(Server):
    """textual-serve for the wizard, behind a token."""

    def __init__(self, opens: Path | None, port: int) -> None:
        command = [sys.executable, "-m", "tuneproof.tui.cli", *([str(opens)] if opens is not None else [])]
        super().__init__(shlex.join(command), host=LOOPBACK, port=port, title="tuneproof")
        self.token = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """The address to open, with the token."""
        return f"http://{self.host}:{self.port}/{self.token}/"

    def initialize_logging(self) -> None:
        """Writes problems only: a line for every request would write the token."""
        logging.basicConfig(level=logging.WARNING)

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(self.templates_path), autoescape=jinja2.select_autoescape())
        app.add_routes(
            [
                web.get(f"/{self.token}/", self.handle_index),
                web.get(f"/{self.token}/ws", self.handle_websocket),
                web.get(f"/{self.token}/download/{{key}}", self.handle_download),
                web.static(f"/{self.token}/static", self.statics_path),
            ]
        )
        app.on_startup.append(self.on_startup)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses a request for another host, from a page of another site, or without the token."""
        origin = request.headers.get("Origin")
        if _name(f"//{request.host}") not in HOSTS or (origin is not None and urlsplit(origin).netloc != request.host):
            raise web.HTTPForbidden(text="this is for the loopback interface of one machine")
        if not secrets.compare_digest(request.path.split("/")[1].encode(), self.token.encode()):
            raise web.HTTPForbidden(text="the address is not whole: it ends with the token that tuneproof --serve printed")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page, with addresses that hold behind a forwarded port as well."""
        here = f"{request.host}/{self.token}"
        context = {
            "font_size": 16,
            "app_websocket_url": f"ws://{here}/ws",
            "config": {"static": {"url": f"http://{here}/static/"}},
            "application": {"name": self.title},
        }
        return aiohttp_jinja2.render_template("app_index.html", request, context)

    async def on_startup(self, app: web.Application) -> None:
        """Prints the address once it answers."""
        print(f"the wizard is at {self.address}")
        print(f"from your machine: ssh -L {self.port}:{LOOPBACK}:{self.port} HOST, then open the address; Ctrl+C ends it", flush=True)


def _name(address: str) -> str | None:
    """The host that an address names, without its port; None if it is none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
