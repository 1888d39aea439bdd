"""The loss of a training: a curve over the steps, and a mark at every probe."""

from __future__ import annotations

from collections.abc import Sequence
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

POINTS = 400
"""More than a wide terminal has columns of braille dots for."""

COLUMNS = 40
"""Cells that the curve is wide in a usual terminal; it is redrawn only once the new steps are wider than one."""


class StyledCanvas(Canvas):
    """A canvas whose blank lines have a style, too: without colour, Textual's filter needs one in every segment."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return Strip([Segment(text, style or Style.null(), control) for text, style, control in strip], strip.cell_length)


class LossPlot(PlotWidget):
    """Train loss as a line, validation loss as `o`, so that they differ without colour, too; redrawn only for visible changes."""

    # Its own keys would shadow the keys of the step.
    BINDINGS: ClassVar[list[BindingType]] = []
    can_focus = False

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  the name is Textual's
        super().__init__(id=id, allow_pan_and_zoom=False)
        self._drawn = (0, 0)

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
        self.border_title = "Loss by step: line train, o validation"
        super().on_mount()
        self._drawn = (0, 0)

    def show(self, curve: StepSeries, probes: Sequence[Probed]) -> None:
        """Draws the curve if it has grown visibly, or if there is a new probe."""
        steps_drawn, probes_drawn = self._drawn
        grown = len(curve) - steps_drawn
        if len(curve) < 2 or (len(probes) == probes_drawn and 0 <= grown * COLUMNS < steps_drawn):
            return
        self._drawn = (len(curve), len(probes))
        steps, losses = curve.points(POINTS)
        self.clear()
        self.plot(steps, losses, line_style="cyan", hires_mode=HiResMode.BRAILLE)
        if probes:
            self.scatter([p.step for p in probes], [p.loss for p in probes], marker="o", marker_style="bold yellow")
        self.set_ylimits(0, None)
