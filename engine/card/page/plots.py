"""The drawings of the card: the arms as bars, and the course of the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from tuneproof.engine.card.page.drawing import SMALL, USUAL, WIDTH, Ink, as_svg, axes_at, drawn_alike, empty_figure
from tuneproof.engine.run.training_history import TrainingHistory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST_NAME = 30
"""Characters of an arm's name; more of it would run into its figures."""

ROW, ABOVE, BELOW = 36, 4, 40
"""Heights: of an arm, of what is above the first one, and of the axis with the target below the last one."""

CURVE_HEIGHT = 220


@dataclass(frozen=True)
class Bar:
    """An arm in the metric that decides, between 0 and 1; an interval only where the metric is a share of cases."""

    arm: str
    value: float
    low: float | None
    high: float | None
    text: str
    stands_out: bool
    """Whether it is the arm to use."""


def arm_bars(bars: Sequence[Bar], target: float | None, label: str) -> Markup:
    """The arms as bars with their intervals, lightest first, and the target as a line."""
    with drawn_alike():
        figure = empty_figure(ABOVE + ROW * len(bars) + BELOW)
        axes = axes_at(figure, left=6, top=ABOVE, right=6, bottom=BELOW)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(bars), 0)
        axes.set_yticks([])
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
        first, *_, last = axes.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
        for number, bar in enumerate(bars):
            _draw_bar(axes, number, bar)
        if target is not None:
            _draw_target(axes, len(bars), target)
        return as_svg(figure, "arms", label)


def _draw_bar(axes: Axes, row: int, bar: Bar) -> None:
    middle = row + 0.68
    weight = 700 if bar.stands_out else 400
    name = bar.arm if len(bar.arm) <= LONGEST_NAME else f"{bar.arm[: LONGEST_NAME - 1]}…"
    axes.text(0, row + 0.36, name, color=Ink.INK, fontsize=USUAL, fontweight=weight)
    axes.text(1, row + 0.36, bar.text, color=Ink.INK, fontsize=USUAL, fontweight=weight, ha="right")
    axes.barh(middle, 1, height=0.32, color=Ink.RULE, linewidth=0)
    axes.barh(middle, bar.value, height=0.32, color=Ink.FILL if bar.stands_out else Ink.BAR, linewidth=0)
    if bar.low is not None and bar.high is not None:
        axes.plot([bar.low, bar.high], [middle, middle], color=Ink.INK, linewidth=1.4, solid_capstyle="butt", clip_on=False)
        for end in (bar.low, bar.high):
            axes.plot([end, end], [middle - 0.11, middle + 0.11], color=Ink.INK, linewidth=1.4, clip_on=False)


def _draw_target(axes: Axes, rows: int, target: float) -> None:
    """The target as a dashed line through all bars, named under the axis on the side where there is room."""
    for row in range(rows):
        axes.plot([target, target], [row + 0.46, row + 0.9], color=Ink.INK, linewidth=1.4, linestyle=(0, (2.2, 1.6)))
    alignment = "right" if target > 0.5 else "left"
    axes.annotate(
        f"┆ target {100 * target:g} %" if alignment == "left" else f"target {100 * target:g} % ┆",
        (target, rows),
        xytext=(0, -32),
        textcoords="offset points",
        ha=alignment,
        fontsize=SMALL,
        color=Ink.INK,
        annotation_clip=False,
    )


@dataclass(frozen=True)
class Line:
    """A line of a plot over the steps, named at its top; `dots` for what was measured at single steps."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]
    color: Ink
    dots: bool
    dashed: bool = False


def loss_curves(history: TrainingHistory, best_step: int | None, label: str) -> Markup:
    """The loss on train and on validation over the steps."""
    probes = [(float(probe.step), probe.loss) for probe in history.probes if probe.loss is not None]
    probes += [(point.step, point.loss) for point in history.validation_losses]
    lines = [
        Line("train", [point.step for point in history.losses], [point.loss for point in history.losses], Ink.MUTED, dots=False),
        Line("validation", [step for step, _ in probes], [loss for _, loss in probes], Ink.ACCENT, dots=True),
    ]
    return _curves("loss", lines, best_step, label, share=False)


def accuracy_curves(history: TrainingHistory, best_step: int | None, label: str) -> Markup:
    """The share of valid and of correct answers to validation cases over the steps."""
    steps = [probe.step for probe in history.probes]
    lines = [
        Line("valid format", steps, [probe.format_valid for probe in history.probes], Ink.MUTED, dots=True, dashed=True),
        Line("correct", steps, [probe.correct for probe in history.probes], Ink.ACCENT, dots=True),
    ]
    return _curves("accuracy", lines, best_step, label, share=True)


def _curves(name: str, lines: Sequence[Line], best_step: int | None, label: str, *, share: bool) -> Markup:
    with drawn_alike():
        figure = empty_figure(CURVE_HEIGHT)
        axes = axes_at(figure, left=38, top=30, right=10, bottom=38)
        last = max((line.steps[-1] for line in lines if line.steps), default=1)
        axes.set_xlim(0, last)
        highest = max((value for line in lines for value in line.values), default=1.0)
        axes.set_ylim(0, 1 if share else 1.05 * highest or 1)
        axes.grid(axis="y", color=Ink.RULE, linewidth=1)
        axes.locator_params(nbins=5)
        if share:
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
        if best_step is not None:
            axes.axvline(best_step, color=Ink.INK, linewidth=1, linestyle=(0, (2, 2)))
        for line in lines:
            style = (0, (4, 2)) if line.dashed else "solid"
            marker = "o" if line.dots else None
            axes.plot(line.steps, line.values, color=line.color, linewidth=1.8, linestyle=style, marker=marker, markersize=5, clip_on=False)
        kept = "" if best_step is None else f"; dashed: step {best_step}, which was kept"
        axes.text(0.5, -30 / (CURVE_HEIGHT - 68), f"step{kept}", transform=axes.transAxes, ha="center", fontsize=SMALL, color=Ink.MUTED)
        _draw_names(axes, lines)
        return as_svg(figure, name, label)


def _draw_names(axes: Axes, lines: Sequence[Line]) -> None:
    """The name of each line beside a piece of it, above the plot."""
    inner = WIDTH - 48
    at = 0.0
    for line in lines:
        style = (0, (4, 2)) if line.dashed else "solid"
        piece, height = [at / inner, (at + 20) / inner], 1 + 16 / (CURVE_HEIGHT - 68)
        marker = "o" if line.dots else None
        axes.plot(
            piece,
            [height, height],
            transform=axes.transAxes,
            color=line.color,
            linewidth=1.8,
            linestyle=style,
            marker=marker,
            markersize=5,
            markevery=[1] if marker else None,
            clip_on=False,
        )
        axes.text((at + 28) / inner, 1 + 12 / (CURVE_HEIGHT - 68), line.name, transform=axes.transAxes, fontsize=USUAL, color=Ink.INK)
        at += 130
