"""A notice of the terminal when a run ends, for those who look at another window: its bell, and OSC 9 or OSC 777 for one with words."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from tuneproof.engine.core.plain_text import sanitize

if TYPE_CHECKING:
    from tuneproof.engine.run.state import RunState

VARIABLE = "TUNEPROOF_NOTIFY"

LEAST_SECONDS = 30.0
"""Runs that end sooner are watched to their end, and a bell would only disturb; a kind of notice that is named comes all the same."""

BELL = "\a"
MOST_CHARACTERS = 200


class Notice(StrEnum):
    """How the terminal is told."""

    AUTO = "auto"
    OFF = "off"
    BELL = "bell"
    OSC_9 = "osc9"
    """iTerm2, WezTerm, Ghostty, kitty, Windows Terminal and others."""
    OSC_777 = "osc777"
    """VTE (GNOME Terminal), foot, rxvt-unicode and others."""


def notice(text: str, seconds: float, environment: Mapping[str, str]) -> str:
    """What to write to the terminal when something that took so long has ended; empty for nothing."""
    kind = _wanted(environment)
    if kind is Notice.OFF or (kind is Notice.AUTO and seconds < LEAST_SECONDS):
        return ""
    words = sanitize(text, one_line=True, max_length=MOST_CHARACTERS)
    match _spoken_by(environment) if kind is Notice.AUTO else kind:
        case Notice.OSC_9:
            return f"\x1b]9;{words}\a{BELL}"
        case Notice.OSC_777:
            return f"\x1b]777;notify;tuneproof;{words.replace(';', ',')}\a{BELL}"
    return BELL


def run_ended(name: str, state: RunState) -> str:
    """How a run has ended, in a few words: its name, its status and its verdict."""
    verdict = f": {state.card.answer}" if state.card is not None else ""
    return f"{name} {state.status}{verdict}"


def notify_on_stderr(text: str, seconds: float) -> None:
    """Tells the terminal that stderr is; does nothing if it is none."""
    if sys.stderr.isatty():
        # Past the stream, which lets no control character through.
        sys.stderr.flush()
        os.write(sys.stderr.fileno(), notice(text, seconds, os.environ).encode())


def _wanted(environment: Mapping[str, str]) -> Notice:
    try:
        return Notice(environment.get(VARIABLE, Notice.AUTO).lower())
    except ValueError:
        return Notice.AUTO


def _spoken_by(environment: Mapping[str, str]) -> Notice:
    """What the terminal understands, as far as the environment says; the bell alone where words might be drawn."""
    kind = environment.get("TERM", "")
    if kind in ("", "dumb", "unknown", "linux") or environment.get("TMUX") or environment.get("STY"):
        return Notice.BELL
    if environment.get("VTE_VERSION") or kind.startswith(("foot", "rxvt")):
        return Notice.OSC_777
    return Notice.OSC_9
