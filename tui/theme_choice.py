"""Which theme the wizard has: the environment's, or the one chosen last, or one that fits the terminal's background."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from platformdirs import user_config_path

from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.tui.theme import DARK, LIGHT

VARIABLE = "TUNEPROOF_THEME"
SHORT_NAMES = {"dark": DARK, "light": LIGHT}
LIGHT_BACKGROUNDS = frozenset({7, 9, 10, 11, 12, 13, 14, 15})
"""Of the 16 colours those on which dark text is read best; 8 is a dark grey."""


def settings_file() -> Path:
    """The file in the user's folder of settings that keeps the chosen theme."""
    return user_config_path("tuneproof") / "wizard.json"


def chosen_theme(environment: Mapping[str, str], available: Collection[str]) -> str:
    """The theme to start with. A name that is not available counts as none."""
    wanted = [environment.get(VARIABLE, ""), _kept_theme(), "light" if _is_light(environment) else "dark"]
    return next(name for word in wanted if (name := SHORT_NAMES.get(word, word)) in available)


def keep_theme(name: str) -> None:
    """Keeps the theme for the next start. Raises OSError."""
    write_atomically(settings_file(), json.dumps({"theme": name}) + "\n")


def _kept_theme() -> str:
    try:
        kept = json.loads(settings_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    theme = kept.get("theme") if isinstance(kept, dict) else None
    return theme if isinstance(theme, str) else ""


def _is_light(environment: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light: the last number of COLORFGBG, which rxvt, Konsole and others set."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return background.isdecimal() and int(background) in LIGHT_BACKGROUNDS
