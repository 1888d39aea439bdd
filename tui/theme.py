"""How the wizard looks: its dark and its light theme, and what each colour and sign means.

Every meaning has a colour *and* a sign or a word, so that nothing is lost without colour. The colours lie on or near the 256 colours of a
terminal, and for 16 colours a theme has its own, because the nearest of 16 is often a grey or another hue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from textual.content import Content
from textual.theme import Theme

DARK, LIGHT = "tuneproof-dark", "tuneproof-light"
FEW_COLORS = frozenset({"standard", "windows"})
"""What Rich calls the terminals with 16 colours."""


@dataclass(frozen=True)
class Look:
    """The sign in front of a text, the variable of the theme with its colour, and its weight."""

    sign: str
    variable: str
    bold: bool = False


class Meaning(Enum):
    """What a text says, independent of the theme."""

    TUNE = Look("✓", "verdict-tune", bold=True)
    DO_NOT_TUNE = Look("✗", "verdict-do-not", bold=True)
    INCONCLUSIVE = Look("≈", "verdict-inconclusive", bold=True)
    TARGET_MET = Look("✓", "target-met")
    TARGET_PERHAPS = Look("≈", "warn")
    TARGET_MISSED = Look("✗", "target-missed")
    BLOCK = Look("■", "block", bold=True)
    WARN = Look("▲", "warn")
    INFO = Look("·", "info")
    BEST = Look("★", "best", bold=True)
    ERROR = Look("✗", "block")
    DONE = Look("✓", "done")
    RUNNING = Look("●", "info", bold=True)
    WAITING = Look("○", "muted")
    AGAIN = Look("↻", "info")
    RATE = Look("", "rate")
    INTERVAL = Look("", "interval")
    TARGET = Look("┃", "target")
    TRACK = Look("·", "panel-border")
    ROUTE = Look("→", "route", bold=True)
    HEADING = Look("", "heading", bold=True)
    MUTED = Look("", "muted")

    @property
    def sign(self) -> str:
        """The sign of one cell; empty where the text itself says it."""
        return self.value.sign

    @property
    def style(self) -> str:
        """The style for `Content`; the theme gives its variable a colour when it is drawn."""
        return f"bold ${self.value.variable}" if self.value.bold else f"${self.value.variable}"

    def text(self, text: str) -> Content:
        """The text in this style, never parsed as markup."""
        return Content.styled(text, self.style)

    def signed(self, text: str) -> Content:
        """The sign and the text, in this style."""
        return self.text(f"{self.sign} {text}" if self.sign else text)


def wizard_themes(color_system: str | None) -> tuple[Theme, Theme]:
    """The dark and the light theme for what a terminal can show, as Rich names it: `truecolor`, `256`, `standard` or None."""
    if color_system in FEW_COLORS:
        # None of 16 grounds lets all 16 colours be read: the highlighted line changes its colours with those of its ground.
        cursor = {"block-cursor-text-style": "bold reverse", "block-cursor-blurred-text-style": "underline"}
        dark, light = _theme(DARK, _DARK | _DARK_OF_16, cursor, dark=True), _theme(LIGHT, _LIGHT | _LIGHT_OF_16, cursor, dark=False)
    else:
        dark, light = _theme(DARK, _DARK, {}, dark=True), _theme(LIGHT, _LIGHT, {}, dark=False)
    return dark, light


def meaning_variables(theme_variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of all meanings for a theme that does not know them, from those that every theme has."""
    return {name: theme_variables[of] for name, of in _IN_OTHER_THEMES.items()}


_DARK = {
    "background": "#121417",
    "surface": "#181b1f",
    "panel": "#23272d",
    "foreground": "#dfe3e8",
    "muted": "#9aa3ad",
    "border": "#4b535d",
    "cursor": "#1f2f6f",
    "cursor-blurred": "#262b33",
    "on-cursor": "#ffffff",
    "accent": "#5fd7d7",
    "rate": "#5f87d7",
    "interval": "#87afd7",
    "good": "#5fd787",
    "bad": "#ff8787",
    "warn": "#ffaf5f",
    "info": "#5fafff",
    "best": "#ffd75f",
}
_DARK_OF_16 = {
    "background": "#000000",
    "surface": "#000000",
    "panel": "#000000",
    "foreground": "#ffffff",
    "muted": "#aaaaaa",
    "border": "#555555",
    "cursor": "#000000",
    "cursor-blurred": "#000000",
    "accent": "#55ffff",
    "rate": "#5555ff",
    "interval": "#00aaaa",
    "good": "#55ff55",
    "bad": "#ff5555",
    "warn": "#ffff55",
    "info": "#55ffff",
    "best": "#ff55ff",
}
_LIGHT = {
    "background": "#fcfcfa",
    "surface": "#f7f7f5",
    "panel": "#f1f1ef",
    "foreground": "#1f2328",
    "muted": "#4e5661",
    "border": "#9aa3ad",
    "cursor": "#d7e3f7",
    "cursor-blurred": "#e6e8ea",
    "on-cursor": "#1f2328",
    "accent": "#005f87",
    "rate": "#0a5fd0",
    "interval": "#2e4f80",
    "good": "#005f00",
    "bad": "#af0000",
    "warn": "#724600",
    "info": "#005faf",
    "best": "#870087",
}
_LIGHT_OF_16 = {
    "background": "#ffffff",
    "surface": "#ffffff",
    "panel": "#ffffff",
    "foreground": "#000000",
    "muted": "#555555",
    "border": "#aaaaaa",
    "cursor": "#ffffff",
    "on-cursor": "#000000",
    "cursor-blurred": "#ffffff",
    "accent": "#0000aa",
    "rate": "#5555ff",
    "interval": "#555555",
    # The green of 16 colours cannot be read on white.
    "good": "#0000aa",
    "bad": "#aa0000",
    "warn": "#aa5500",
    "info": "#555555",
    "best": "#aa00aa",
}

_OF_MEANINGS = {
    "verdict-tune": "good",
    "verdict-do-not": "bad",
    "verdict-inconclusive": "warn",
    "target-met": "good",
    "target-missed": "warn",
    "block": "bad",
    "warn": "warn",
    "info": "info",
    "best": "best",
    "done": "good",
    "rate": "rate",
    "interval": "interval",
    "target": "foreground",
    "heading": "accent",
    "route": "info",
    "muted": "muted",
    "border": "accent",
    "border-blurred": "border",
    "panel-border": "border",
    "text": "foreground",
    "text-muted": "muted",
    "text-disabled": "muted",
    "text-success": "good",
    "text-error": "bad",
    "text-warning": "warn",
    "text-accent": "accent",
    "text-primary": "info",
    "block-cursor-background": "cursor",
    "block-cursor-foreground": "on-cursor",
    "block-cursor-blurred-background": "cursor-blurred",
    "block-cursor-blurred-foreground": "foreground",
    "footer-key-foreground": "accent",
    "footer-foreground": "foreground",
    "footer-background": "panel",
    "scrollbar": "border",
    "scrollbar-background": "surface",
    "scrollbar-hover": "muted",
    "scrollbar-active": "accent",
}
"""The variables of a theme, those of meanings first, and the colour of each."""

_IN_OTHER_THEMES = {
    "verdict-tune": "text-success",
    "verdict-do-not": "text-error",
    "verdict-inconclusive": "text-warning",
    "target-met": "text-success",
    "target-missed": "text-warning",
    "block": "text-error",
    "warn": "text-warning",
    "info": "text-primary",
    "best": "text-accent",
    "done": "text-success",
    "rate": "primary",
    "interval": "text-primary",
    "target": "foreground",
    "heading": "text-accent",
    "route": "text-primary",
    "muted": "foreground-muted",
    "panel-border": "secondary",
}


def _theme(name: str, colors: Mapping[str, str], others: Mapping[str, str], *, dark: bool) -> Theme:
    return Theme(
        name,
        primary=colors["info"],
        secondary=colors["border"],
        warning=colors["warn"],
        error=colors["bad"],
        success=colors["good"],
        accent=colors["accent"],
        foreground=colors["foreground"],
        background=colors["background"],
        surface=colors["surface"],
        panel=colors["panel"],
        dark=dark,
        variables={variable: colors[color] for variable, color in _OF_MEANINGS.items()} | dict(others),
    )
