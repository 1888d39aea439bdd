"""The wizard in a browser: for the loopback interface and those who have the token, and nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer

from tests.conftest import COMMAND
from tests.slurm import free_ports
from tuneproof.tui import cli
from tuneproof.tui.serve import WizardServer

SECONDS = 60.0


@asynccontextmanager
async def served() -> AsyncIterator[tuple[TestClient[web.Request, web.Application], str]]:
    """A client of the server, and its token."""
    server = WizardServer(None, 1)
    async with TestClient(TestServer(await server._make_app(), host="127.0.0.1")) as client:
        yield client, server.token


@pytest.mark.asyncio
async def test_the_page_is_for_those_with_the_token_on_this_machine() -> None:
    async with served() as (client, token):
        page = await client.get(f"/{token}/")
        assert page.status == 200 and f"/{token}/ws" in await page.text()
        assert page.headers["Referrer-Policy"] == "no-referrer" and "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert (await client.get(f"/{token}/static/js/textual.js")).status == 200
        forwarded = await client.get(f"/{token}/", headers={"Host": "localhost:9000"})
        assert f"ws://localhost:9000/{token}/ws" in await forwarded.text()


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/wrong/", "/wrong/ws", "//", "/%00/"])
async def test_nothing_is_answered_without_the_token(path: str) -> None:
    async with served() as (client, token):
        response = await client.get(path)
        assert response.status == 403 and token not in await response.text()
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect(path)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8137"},
        {"Host": "["},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_other_hosts_and_pages_of_other_sites_are_refused_even_with_the_token(headers: dict[str, str]) -> None:
    async with served() as (client, token):
        assert (await client.get(f"/{token}/", headers=headers)).status == 403
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect(f"/{token}/ws", headers=headers)


def test_each_start_has_another_token() -> None:
    tokens = {WizardServer(None, 1).token for _ in range(3)}
    assert len(tokens) == 3 and min(map(len, tokens)) >= 32


def test_a_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert cli.main(["--serve", str(taken.getsockname()[1])]) == 2
    printed = capsys.readouterr().err
    assert "cannot be used" in printed and "--serve PORT" in printed


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address that the real command prints."""
    [port] = free_ports(1)
    process = subprocess.Popen(
        [str(COMMAND), "--serve", str(port)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    yield found[0]
    process.send_signal(signal.SIGINT)
    # asyncio may warn of a wizard that is still ending when its loop closes.
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0


@pytest.mark.long
@pytest.mark.asyncio
@pytest.mark.skipif(shutil.which("chromium") is None, reason="CHROMIUM IS MISSING: apt-get install chromium")
async def test_chromium_shows_the_home_screen_and_its_keys_work(address: str, tmp_path: Path) -> None:
    [port] = free_ports(1)
    profile = tmp_path / "profile"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={port}", f"--user-data-dir={profile}"]
    # A process group of its own: Chromium has many processes.
    quiet = subprocess.DEVNULL
    browser = subprocess.Popen(["chromium", *options, "about:blank"], stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        async with asyncio.timeout(SECONDS), ClientSession() as session:
            page = await session.ws_connect(await _page(session, port), max_msg_size=0)
            await page.send_json({"id": 1, "method": "Network.enable"})
            await page.send_json({"id": 2, "method": "Page.navigate", "params": {"url": address}})
            await _drawn(page, "should you fine-tune? measured, not guessed")
            focus = "document.querySelector('.xterm-helper-textarea').focus()"
            await page.send_json({"id": 5, "method": "Runtime.evaluate", "params": {"expression": focus}})
            await _answer(page, 5)
            for kind in ("keyDown", "keyUp"):
                key = {"type": kind, "key": "n", "code": "KeyN", "windowsVirtualKeyCode": 78, "text": "n" if kind == "keyDown" else ""}
                await page.send_json({"id": 3, "method": "Input.dispatchKeyEvent", "params": key})
            await _drawn(page, "A short name for the case.")
            expression = {"expression": "document.body.className"}
            await page.send_json({"id": 4, "method": "Runtime.evaluate", "params": expression})
            assert "-first-byte" in str(await _answer(page, 4))
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


async def _page(session: ClientSession, port: int) -> str:
    """The address of the debugger of the browser's first page, once it answers."""
    while True:
        try:
            async with session.get(f"http://127.0.0.1:{port}/json") as response:
                pages = [each for each in await response.json() if each["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
        except (OSError, IndexError):
            await asyncio.sleep(0.05)


async def _drawn(page: ClientWebSocketResponse, text: str) -> None:
    """Returns once the wizard has drawn the text in the browser."""
    drawn = ""
    async for message in page:
        event = json.loads(message.data)
        if event.get("method") == "Network.webSocketFrameReceived":
            payload = event["params"]["response"]["payloadData"]
            drawn += base64.b64decode(payload).decode(errors="replace") if event["params"]["response"]["opcode"] == 2 else payload
            if text in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn):
                return
    raise AssertionError(f"never drawn: {text}")


async def _answer(page: ClientWebSocketResponse, number: int) -> dict[str, object]:
    async for message in page:
        event = json.loads(message.data)
        if event.get("id") == number:
            return dict(event["result"])
    raise AssertionError("no answer")
