"""What the terminal shows and takes: colours, Unicode, size, and the clipboard by the escape sequence OSC 52."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import termios
import time
import tty
from collections.abc import Iterator, Mapping

from tuneproof.engine.doctor.line import Group, Line, good, limited, missing

TERMINAL = Group.TERMINAL

WITHOUT_CURSOR = ("dumb", "unknown")
"""Values of TERM for terminals that only add lines."""

COLUMNS, ROWS = 80, 24

TTY = "/dev/tty"
"""The terminal that the command was started from, wherever its output goes."""

ANSWER_SECONDS = 0.5
"""How long a terminal may take to answer: over a slow line as well, while one that does not know the question is silent."""

ATTRIBUTES_QUERY = b"\x1b[c"
ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
CLIPBOARD_ATTRIBUTE = b"52"
"""DA1, primary device attributes: terminals that take OSC 52 may answer with 52 among them (xterm, control sequences; DEC STD 070)."""

COPY_FALLBACK = "y writes what it copies to a file as well, and says which"
WITHOUT = "start it in one; without: tuneproof --replay CASE.yaml, tuneproof runs"


def terminal_lines(*, ask: bool) -> Iterator[Line]:
    """The lines about the terminal. With `ask` it is asked what it takes, which a program that draws on it must not do."""
    terminal = _opened()
    if terminal is None:
        yield missing(TERMINAL, "terminal", "none", f"the wizard needs one: {WITHOUT}")
        return
    try:
        yield _colours(os.environ)
        yield _unicode(os.environ)
        yield _size(terminal)
        yield _clipboard(os.environ, terminal if ask else None)
    finally:
        os.close(terminal)


def _opened() -> int | None:
    try:
        return os.open(TTY, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None


def _colours(environment: Mapping[str, str]) -> Line:
    kind, depth = environment.get("TERM", ""), environment.get("COLORTERM", "").strip().lower()
    if kind in ("", *WITHOUT_CURSOR):
        found = f"TERM is `{kind}`: it cannot move the cursor"
        return missing(TERMINAL, "colours", found, "set TERM to what your terminal is, such as xterm-256color")
    if environment.get("NO_COLOR"):
        return limited(TERMINAL, "colours", "none, because NO_COLOR is set", "nothing, if you want it so: signs say what colours say")
    if depth in ("truecolor", "24bit"):
        return good(TERMINAL, "colours", "16 million")
    if "256" in kind or kind.endswith("-kitty"):
        return good(TERMINAL, "colours", "256")
    return limited(TERMINAL, "colours", f"16, by TERM `{kind}`", "if your terminal has more: TERM=xterm-256color, or COLORTERM=truecolor")


def _unicode(environment: Mapping[str, str]) -> Line:
    from tuneproof.tui.widgets.ascii import VARIABLE, shows_unicode

    if shows_unicode(environment):
        return good(TERMINAL, "Unicode", "shown")
    todo = f"if your terminal shows it: LC_ALL=C.UTF-8, or {VARIABLE}=0"
    return limited(TERMINAL, "Unicode", "not shown, by the locale: lines are drawn in ASCII", todo)


def _size(terminal: int) -> Line:
    size = os.get_terminal_size(terminal)
    found = f"{size.columns}×{size.lines}"
    if size.columns < COLUMNS or size.lines < ROWS:
        return limited(TERMINAL, "size", found, f"enlarge it to {COLUMNS}×{ROWS}: below that, panels have to be scrolled")
    return good(TERMINAL, "size", found)


def _clipboard(environment: Mapping[str, str], terminal: int | None) -> Line:
    name = "clipboard"
    if environment.get("TMUX"):
        setting = _tmux_setting()
        if setting == "on":
            return good(TERMINAL, name, "passed on by tmux")
        todo = f"tmux set -s set-clipboard on; until then, {COPY_FALLBACK}"
        return limited(TERMINAL, name, f"not passed on by tmux, whose set-clipboard is {setting or 'not known'}", todo)
    if environment.get("STY"):
        return limited(TERMINAL, name, "not passed on by screen", COPY_FALLBACK)
    if terminal is not None and _takes_clipboard(terminal):
        return good(TERMINAL, name, "taken by the terminal (OSC 52)")
    return limited(TERMINAL, name, "the terminal does not say that it takes OSC 52", f"try y on a card; {COPY_FALLBACK}")


def _tmux_setting() -> str | None:
    if shutil.which("tmux") is None:
        return None
    try:
        done = subprocess.run(["tmux", "show-options", "-sv", "set-clipboard"], capture_output=True, text=True, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _takes_clipboard(terminal: int) -> bool:
    """Whether the terminal names the clipboard among its attributes; what is typed meanwhile is lost."""
    try:
        before = termios.tcgetattr(terminal)
    except termios.error:
        return False
    try:
        tty.setcbreak(terminal)
        os.write(terminal, ATTRIBUTES_QUERY)
        return CLIPBOARD_ATTRIBUTE in _attributes(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _attributes(terminal: int) -> list[bytes]:
    answer, until = b"", time.monotonic() + ANSWER_SECONDS
    while (left := until - time.monotonic()) > 0 and select.select([terminal], [], [], left)[0]:
        answer += os.read(terminal, 1024)
        if found := ATTRIBUTES.search(answer):
            return found[1].split(b";")
    return []
