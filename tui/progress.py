"""A run's events as plain lines."""

from __future__ import annotations

from tuneproof.engine.run.events import (
    AnyEvent,
    ArmScored,
    Audited,
    ComparedScored,
    ComparedSkipped,
    ComparedStarted,
    MergedScored,
    PointScored,
    PointStarted,
    Probed,
    Rate,
    RouteDecided,
    ShapeDetected,
    SplitFrozen,
    StageFinished,
    StageStarted,
    TrainingFinished,
    TrainingSkipped,
    TrainingStarted,
    Warned,
)


def route_text(event: RouteDecided) -> str:
    """The route, what is needed before training, and the what-if table."""
    lines = [f"route: {event.route}", f"minimum_before_training: {event.minimum_before_training}", ""]
    lines += [event.reason, "", "if only one answer were different:"]
    for row in event.what_if:
        value = str(row.value).lower()
        lines.append(f"  {row.answer:<20} {value:<6} -> {row.route}{'' if row.route == event.route else '   (changes)'}")
    return "\n".join(lines) + "\n"


def progress_line(event: AnyEvent) -> str:
    """What is worth a line while a run goes; empty for the rest."""
    match event:
        case StageStarted():
            return f"[{event.stage}]"
        case StageFinished() if event.reused:
            return "  done before, from the same inputs"
        case ShapeDetected():
            bad = f", {event.unreadable} unreadable" if event.unreadable else ""
            return f"  {event.file}: {event.rows} rows, {event.shape}{bad}"
        case Audited():
            return f"  {event.block} blocking findings, {event.warn} warnings"
        case SplitFrozen():
            effect = round(100 * event.minimum_detectable_effect)
            return (
                f"  {event.train} train, {event.validation} validation, {event.eval} eval, frozen as {event.eval_sha256[:12]}…; "
                f"{event.eval} cases can show a difference of about {effect} points"
            )
        case ArmScored():
            gone = f", {event.unanswered} of {event.n + event.unanswered} cases without an answer" if event.unanswered else ""
            return f"  {event.arm}: correct {_percent(event.correct)}, format valid {_percent(event.format_valid)}{gone}"
        case TrainingSkipped():
            return f"  skipped: {event.reason}"
        case TrainingStarted():
            return f"  {event.method}: {event.trained_parameters:,} parameters, {event.steps} steps on {event.examples} examples"
        case Probed():
            best = ", best so far" if event.best else ""
            return (
                f"  step {event.step}: validation loss {event.loss:.2g}, correct {100 * event.correct:.0f} %, "
                f"format valid {100 * event.format_valid:.0f} %{best}"
            )
        case TrainingFinished():
            return f"  kept step {event.best_step} of {event.steps}, {event.seconds:.0f} s"
        case PointStarted():
            return f"  learning curve, {event.share} % of train: {event.steps} steps on {event.examples} examples"
        case PointScored():
            return f"  learning curve, {event.share} % of train: correct {_percent(event.correct)}"
        case ComparedStarted():
            parameters = f"{event.trained_parameters:,} parameters"
            return f"  compared with {event.method}: {parameters}, {event.steps} steps on {event.examples} examples"
        case ComparedSkipped():
            return f"  compared with {event.method}: not trained: {event.reason}"
        case ComparedScored():
            return f"  compared with {event.method}: correct {_percent(event.correct)}"
        case MergedScored():
            return f"  merged into the base: correct {_percent(event.correct)}"
        case Warned():
            return f"  {event.message}"
        case _:
            return ""


def _percent(rate: Rate) -> str:
    return f"{100 * rate.rate:.0f} % [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
