"""The loss of a training: a curve over the steps, and a mark at every probe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid
from textual.strip import Strip
from textual_hires_canvas import Canvas
from textual_plot import HiResMode, PlotWidget
from textual_plot.plot_widget import Legend

from tuneproof.engine.run.events import Probed
from tuneproof.engine.run.step_series import StepSeries
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.loss_axis import LinearTicks, LogTicks, StepTicks, loss_axis

POINTS = 400
"""More than a wide terminal has columns of braille dots for."""

COLUMNS = 40
"""Cells that the curve is wide in a usual terminal; it is redrawn only once the new steps are wider than one."""


TITLE = "Loss: ┈ train  o valid"


class StyledCanvas(Canvas):
    """A canvas whose blank lines have a style, too: without colour, Textual's filter needs one in every segment."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return Strip([Segment(text, style or Style.null(), control) for text, style, control in strip], strip.cell_length)


class LossPlot(PlotWidget):
    """Train loss as a line, validation loss as `o`, so that they differ without colour, too; redrawn only for visible changes.

    The steps go to the end of the training, and a line stands where the next probe will be.
    """

    # Its own keys would shadow the keys of the step.
    BINDINGS: ClassVar[list[BindingType]] = []
    can_focus = False

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  the name is Textual's
        super().__init__(id=id, allow_pan_and_zoom=False)
        self._drawn = _Drawn()
        self._shown: tuple[StepSeries, Sequence[Probed], int, int | None] | None = None

    def compose(self) -> ComposeResult:
        """The widgets of the library's plot, with canvases that also work without colour."""
        with Grid():
            yield StyledCanvas(1, 1, id="margin-top")
            yield StyledCanvas(1, 1, id="margin-left")
            yield StyledCanvas(1, 1, id="plot")
            yield StyledCanvas(1, 1, id="margin-bottom")
        yield Legend(id="legend")

    def on_mount(self) -> None:
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, 7
        self.border_title = TITLE
        super().on_mount()
        self._drawn = _Drawn()

    def on_resize(self) -> None:
        # How many labels the axes have depends on the size, which is not known before the first layout.
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, curve: StepSeries, probes: Sequence[Probed], planned: int, next_probe: int | None) -> None:
        """Draws the curve of a training of `planned` steps if it has grown visibly, or if there is a new probe."""
        self._shown = (curve, probes, planned, next_probe)
        # Axes without a curve say nothing.
        self.query_one(Grid).display = len(curve) >= 2
        now = _Drawn(len(curve), len(probes), planned, self.app.theme, (self.size.width, self.size.height))
        if len(curve) < 2 or not now.differs_from(self._drawn):
            return
        self._drawn = now
        steps, losses = curve.points(POINTS)
        seen = [probe for probe in probes if math.isfinite(probe.loss)]
        if not losses:
            return
        axis, rows = loss_axis([*losses, *(probe.loss for probe in seen)]), max(4, self.size.height - 4)
        color = self.app.theme_variables
        self.clear()
        self.plot(steps, axis.heights(losses), line_style=color[Meaning.RATE.value.variable], hires_mode=HiResMode.BRAILLE)
        if seen:
            heights = axis.heights([probe.loss for probe in seen])
            style = f"bold {color[Meaning.BEST.value.variable]}"
            self.scatter([probe.step for probe in seen], heights, marker="o", marker_style=style)
        if next_probe is not None and next_probe <= planned:
            self.add_v_line(next_probe, line_style=color[Meaning.TRACK.value.variable])
        self.set_y_formatter(LogTicks(rows) if axis.is_log else LinearTicks(rows))
        self.set_ylimits(axis.low, axis.high)
        end = max(planned, round(steps[-1]))
        # The last probe is at the last step: with no room after it, it would be on the frame.
        self.set_xlimits(0, end + end / COLUMNS)
        self.set_x_formatter(StepTicks(end, max(1, self.size.width - int(self.margin_left) - 2)))
        title = f"{TITLE}  │ next check" if next_probe is not None else TITLE
        if self.border_title != title:
            self.border_title = title


@dataclass(frozen=True)
class _Drawn:
    """What a drawing shows."""

    steps: int = 0
    probes: int = 0
    planned: int = 0
    theme: str = ""
    size: tuple[int, int] = (0, 0)

    def differs_from(self, earlier: _Drawn) -> bool:
        """Whether the curve has grown by a column since, or anything else has changed."""
        grown = self.steps - earlier.steps
        # While the whole curve is in the first column, its height is what changes.
        column = max(earlier.steps, self.planned if earlier.steps * COLUMNS > self.planned else 0)
        return grown < 0 or grown * COLUMNS >= column or replace(self, steps=0) != replace(earlier, steps=0)
