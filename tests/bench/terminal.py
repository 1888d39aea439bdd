"""A terminal of 80×24 for a measured program: a real pty, the text on its screen, and when it changed."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

COLUMNS, ROWS = 80, 24
UNWANTED = ("COLUMNS", "LINES", "NO_COLOR", "SSH_CONNECTION", "ESCDELAY")
"""Variables that would make the program draw or wait differently than for most users."""

TOKEN = re.compile(r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|[\r\n]|[^\x1b\r\n]+")


class Picture:
    """The text on the screen. It understands the sequences that Textual writes, cursor positions and text, and ignores colours."""

    def __init__(self) -> None:
        self._cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self._row = self._column = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._torn = ""

    def __contains__(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    def lines(self) -> list[str]:
        """The rows as text."""
        return ["".join(row) for row in self._cells]

    def feed(self, content: bytes) -> None:
        """Processes the output of the program; an incomplete sequence waits for its end."""
        text, at = self._torn + self._decoder.decode(content), 0
        while token := TOKEN.match(text, at):
            if token["final"] is not None:
                self._control(token["final"], token["parameters"])
            elif not token[0].startswith("\x1b"):
                self._put(token[0])
            at = token.end()
        self._torn = text[at:]

    def _control(self, final: str, parameters: str) -> None:
        if final == "H":
            row, _, column = parameters.partition(";")
            self._row, self._column = int(row or 1) - 1, int(column or 1) - 1

    def _put(self, text: str) -> None:
        if text == "\r":
            self._column = 0
        elif text == "\n":
            self._row += 1
        elif 0 <= self._row < ROWS:
            fitting = text[: COLUMNS - self._column]
            self._cells[self._row][self._column : self._column + len(fitting)] = fitting
            self._column += len(fitting)


class Terminal:
    """A program in a terminal of its own, from its start until it is killed."""

    def __init__(self, command: Sequence[str | Path], cwd: Path) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in UNWANTED}
        # With true colour, as in most terminals; it takes more bytes than 256 colours.
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        words = [str(word) for word in command]
        self.picture = Picture()
        self.received = 0
        self.started = time.perf_counter()
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            try:
                termios.tcsetwinsize(0, (ROWS, COLUMNS))
                os.chdir(cwd)
                os.execve(words[0], words, environment)
            finally:
                os._exit(127)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.close(self._file)
        os.waitpid(self.pid, 0)

    def press(self, keys: bytes) -> float:
        """Sends the bytes of keys, and returns the time."""
        pressed = time.perf_counter()
        os.write(self._file, keys)
        return pressed

    def wait_for(self, shown: Callable[[Picture], bool], seconds: float = 30) -> float:
        """The time at which the screen first fulfilled a condition. Raises TimeoutError with the screen if it does not."""
        now = time.perf_counter()
        deadline = now + seconds
        while not shown(self.picture):
            now = self._read(deadline)
            if now > deadline:
                raise TimeoutError(f"not shown within {seconds:g} s; the screen is:\n{self}")
        return now

    def watch(self, seconds: float) -> int:
        """Reads the output for a while, and returns the number of bytes."""
        before, deadline = self.received, time.perf_counter() + seconds
        while self._read(deadline) < deadline:
            pass
        return self.received - before

    def _read(self, deadline: float) -> float:
        """Reads the next output, or waits until the deadline; returns the time."""
        ready, _, _ = select.select([self._file], [], [], max(0, deadline - time.perf_counter()))
        now = time.perf_counter()
        if ready:
            try:
                content = os.read(self._file, 1 << 16)
            except OSError:
                raise RuntimeError(f"the program has ended; the screen is:\n{self}") from None
            self.received += len(content)
            self.picture.feed(content)
        return now

    def __str__(self) -> str:
        return "\n".join(self.picture.lines())
