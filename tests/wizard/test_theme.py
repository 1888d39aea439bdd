"""The wizard can be read in every terminal: its themes, few or no colours, no Unicode, no cursor."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from rich._palettes import EIGHT_BIT_PALETTE, STANDARD_PALETTE
from rich.color import Color, ColorSystem
from textual.theme import BUILTIN_THEMES

from tests.conftest import COMMAND
from tests.contrast import contrast_ratio
from tests.snapshots.scenes import STEPS
from tests.wizard.driving import picture, strips, until, until_shown
from tuneproof.tui.app import TuneproofApp
from tuneproof.tui.theme import DARK, LIGHT, Meaning, wizard_themes
from tuneproof.tui.theme_choice import chosen_theme, settings_file
from tuneproof.tui.widgets.ascii import in_ascii, shows_unicode

LEAST_CONTRAST = 4.5
"""The contrast that WCAG 2.2 requires of text of any size."""
NOT_TEXT = {Meaning.RATE, Meaning.TRACK}
"""The bars, which need less (3, for graphics), and the dots behind them."""
GROUNDS = ("background", "surface", "panel", "block-cursor-background", "block-cursor-blurred-background")
DEPTHS = ("truecolor", "256", "standard")
THEMES = (DARK, LIGHT)
Rgb = tuple[int, ...]


def seen(color: str, depth: str) -> Rgb:
    """A colour as a terminal with so many colours draws it."""
    parsed = Color.parse(color)
    match depth:
        case "256":
            number = parsed.downgrade(ColorSystem.EIGHT_BIT).number
            return tuple(EIGHT_BIT_PALETTE[number or 0])
        case "standard":
            number = parsed.downgrade(ColorSystem.STANDARD).number
            return tuple(STANDARD_PALETTE[number or 0])
    return tuple(parsed.get_truecolor())


def variables(theme: str, depth: str) -> dict[str, str]:
    """The colours of a theme in a terminal with so many colours."""
    chosen = next(each for each in wizard_themes(depth) if each.name == theme)
    return {**chosen.to_color_system().generate(), **chosen.variables}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_every_text_can_be_read_on_every_ground_in_every_number_of_colours(theme: str, depth: str) -> None:
    colors = variables(theme, depth)
    texts = {meaning.value.variable for meaning in set(Meaning) - NOT_TEXT} | {"foreground", "accent", "footer-key-foreground"}
    pairs = [(text, ground, LEAST_CONTRAST) for text in texts for ground in GROUNDS]
    pairs += [("rate", "background", 3.0), ("block-cursor-foreground", "block-cursor-background", LEAST_CONTRAST)]
    faint = {
        (text, ground): round(ratio, 2)
        for text, ground, least in pairs
        if (ratio := contrast_ratio(seen(colors[text], depth), seen(colors[ground], depth))) < least
    }
    assert not faint


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_good_bad_and_in_between_differ_in_every_number_of_colours(theme: str, depth: str) -> None:
    colors = variables(theme, depth)
    names = ("verdict-tune", "verdict-do-not", "verdict-inconclusive", "best", "foreground")
    assert len({seen(colors[name], depth) for name in names}) == len(names)


def test_whatever_has_a_sign_is_told_from_its_opposite_without_colour() -> None:
    for one, other in ((Meaning.TUNE, Meaning.DO_NOT_TUNE), (Meaning.TARGET_MET, Meaning.TARGET_MISSED), (Meaning.BLOCK, Meaning.WARN)):
        assert one.sign != other.sign
        assert in_ascii(one.sign) != in_ascii(other.sign)


def test_the_chosen_theme_comes_back_and_the_environment_goes_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    available = {DARK, LIGHT, *BUILTIN_THEMES}
    assert chosen_theme({}, available) == DARK
    assert chosen_theme({"COLORFGBG": "0;15"}, available) == LIGHT
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(json.dumps({"theme": "nord"}), encoding="utf-8")
    assert chosen_theme({"COLORFGBG": "0;15"}, available) == "nord"
    assert chosen_theme({"TUNEPROOF_THEME": "light"}, available) == LIGHT
    assert chosen_theme({"TUNEPROOF_THEME": "no-such-theme"}, available) == "nord"
    settings_file().write_text('{"theme": ["torn', encoding="utf-8")
    assert chosen_theme({}, available) == DARK


@pytest.mark.asyncio
async def test_the_other_theme_is_kept_and_every_theme_can_be_chosen(stage: Path) -> None:
    app = STEPS["baselines"].app()
    async with app.run_test(size=(80, 24)) as pilot:
        await STEPS["baselines"].go(pilot)
        assert not settings_file().exists()
        await pilot.press("T")
        await until(pilot, lambda: app.theme == LIGHT, "the light theme")
        assert json.loads(settings_file().read_text(encoding="utf-8")) == {"theme": LIGHT}
        for name in app.available_themes:
            app.theme = name
            await pilot.pause()
            assert app.return_code in (None, 0), name
    assert TuneproofApp().theme == name


@pytest.mark.asyncio
async def test_a_theme_that_cannot_be_kept_is_used_all_the_same(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null/none")
    app = TuneproofApp()
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await pilot.press("T")
        await until_shown(pilot, "the theme is not kept")
        assert app.theme == LIGHT


@pytest.mark.asyncio
async def test_a_terminal_without_unicode_gets_ascii_alone(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    scene = STEPS["card"]
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await scene.go(pilot)
        drawn = picture(pilot)
        widths = [strip.cell_length for strip in strips(pilot)]
    assert drawn.isascii(), [character for character in drawn if not character.isascii()]
    assert set(widths) == {80}


def test_ascii_keeps_every_cell_where_it_is() -> None:
    assert in_ascii("┌─ 漢字 ██▓░ ┃ ✓ ⣇é") == "+- ???? ##=: | v .?"


@pytest.mark.parametrize(
    ("environment", "unicode"),
    [
        ({}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "C", "TUNEPROOF_ASCII": "0"}, True),
        ({"LANG": "en_GB.UTF-8", "TUNEPROOF_ASCII": "1"}, False),
    ],
)
def test_the_locale_says_whether_the_terminal_shows_unicode(environment: dict[str, str], unicode: bool) -> None:
    assert shows_unicode(environment) is unicode


def test_a_terminal_without_a_cursor_gets_a_sentence() -> None:
    outer, inner = pty.openpty()
    done = subprocess.run(
        [COMMAND], stdin=inner, stdout=inner, stderr=subprocess.PIPE, env={**os.environ, "TERM": "dumb"}, text=True, timeout=60
    )
    os.close(outer)
    os.close(inner)
    assert done.returncode == 2
    assert "`dumb`" in done.stderr and "--replay" in done.stderr


@pytest.mark.asyncio
async def test_a_picture_of_the_screen_goes_into_the_current_folder(stage: Path) -> None:
    app = TuneproofApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.action_screenshot()
        await until_shown(pilot, "picture written to")
    (written,) = Path.cwd().glob("*.svg")
    assert "tuneproof" in written.read_text(encoding="utf-8")
