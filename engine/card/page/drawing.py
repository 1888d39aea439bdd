"""Drawing with matplotlib for a page: SVG whose text is text, whose colours are those of the page, and whose bytes are always the same.

matplotlib is loaded when the first drawing is made.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 400
"""Of every drawing, in units of about a CSS pixel: a phone shows it at its size, a wide window a little larger."""

SMALL, USUAL = 10.5, 12.0
"""Sizes of text, in the same units."""

POINTS_PER_INCH = 72


class Ink(StrEnum):
    """The colours of a drawing, as matplotlib is told them; the page has a property of the same name in lower case for each."""

    INK = "#010203"
    MUTED = "#010204"
    RULE = "#010205"
    ACCENT = "#010206"
    BAR = "#010207"
    FILL = "#010208"


_OF_A_BACKEND = ("backend", "interactive", "toolbar", "timezone", "tk.", "webagg.", "macosx.", "keymap.", "docstring.")
"""The settings of matplotlib that a drawing into a file does not have."""

_SETTINGS: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tuneproof",
    # A dollar sign in a name is no formula.
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "axes.unicode_minus": True,
}

_HEAD = re.compile(r"^.*?<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>\s*(?:<metadata>.*?</metadata>\s*)?", re.DOTALL)
_FONT = re.compile(r"font: (?:(\d+) )?([\d.]+)px [^;\"]*")
_ID = re.compile(r"\bid=\"([^\"]+)\"")
_REFERENCE = re.compile(r"(url\(#|href=\"#)([^\")]+)")


@contextmanager
def drawn_alike() -> Iterator[None]:
    """The settings under which every drawing of a version of matplotlib is the same, whatever the user's own settings are."""
    import matplotlib

    settings: dict[Any, Any] = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith(_OF_A_BACKEND)}
    with matplotlib.rc_context(settings | _SETTINGS):
        yield


def empty_figure(height: float) -> Figure:
    """A figure of `WIDTH` and this height, both in the units of the drawing."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=POINTS_PER_INCH)
    figure.patch.set_visible(False)
    return figure


def axes_at(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Axes without a frame, this far from the sides of the figure."""
    width, height = (side * POINTS_PER_INCH for side in figure.get_size_inches())
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height))
    axes.patch.set_visible(False)
    axes.set_frame_on(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=Ink.MUTED, pad=6)
    return axes


def as_svg(figure: Figure, name: str, label: str) -> Markup:
    """The figure for a page: an image with this label for those who do not see it. `name` is its own on the page."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Markup(_for_page(file.getvalue(), name, label))


def _for_page(svg: str, name: str, label: str) -> str:
    """Without a size of its own, in the colours and the font of the page, and with ids that no other drawing has."""
    said = escape(label)
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="\\1" role="img" '
    svg = _HEAD.sub(lambda found: head.replace("\\1", found[1]) + f'aria-label="{said}">\n', svg, count=1)
    for ink in Ink:
        svg = svg.replace(ink.value, f"var(--{ink.name.lower()})")
    svg = _FONT.sub(lambda found: f"font: {found[1] or 400} {found[2]}px var(--font)", svg)
    wanted = {found[2] for found in _REFERENCE.finditer(svg)}
    svg = _ID.sub(lambda found: f'id="{name}-{found[1]}"' if found[1] in wanted else "", svg)
    return _REFERENCE.sub(rf"\g<1>{name}-\g<2>", svg).strip()
