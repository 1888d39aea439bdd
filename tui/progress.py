"""The events of a run as lines of text."""

from __future__ import annotations

from tuneproof.engine.run.events import (
    TUNED_MODEL,
    AnyEvent,
    ArmScored,
    Audited,
    Probed,
    RouteDecided,
    ShapeDetected,
    SplitFrozen,
    StageFinished,
    StageStarted,
    TrainingDropped,
    TrainingEvent,
    TrainingFinished,
    TrainingSkipped,
    TrainingStarted,
    VariantScored,
    Warned,
)
from tuneproof.engine.run.variants import CURVE, MERGED, ServedForm, tried_form
from tuneproof.engine.scoring.power import detects


def route_text(event: RouteDecided) -> str:
    """The route, the minimum before training, the what-if table, and what to do next."""
    lines = [f"route: {event.route}", f"minimum_before_training: {event.minimum_before_training}", ""]
    lines += [event.reason, "", "if only one answer were different:"]
    for row in event.what_if:
        value = str(row.value).lower()
        lines.append(f"  {row.answer:<20} {value:<6} -> {row.route}{'' if row.route == event.route else '   (changes)'}")
    lines += ["", "what to do next:", *(f"  {step}" for step in event.next_steps)] if event.next_steps else []
    return "\n".join(lines) + "\n"


def progress_line(event: AnyEvent) -> str:
    """The line for an event, empty for events that need none."""
    match event:
        case StageStarted():
            return f"[{event.stage}]"
        case StageFinished() if event.reused:
            return "  already done with the same inputs"
        case ShapeDetected():
            bad = f", {event.unreadable} unreadable" if event.unreadable else ""
            return f"  {event.file}: {event.rows} rows, {event.shape}{bad}"
        case Audited():
            return f"  {event.block} blocking findings, {event.warn} warnings"
        case SplitFrozen():
            return (
                f"  {event.train} train, {event.validation} validation, {event.eval} eval, frozen as {event.eval_sha256[:12]}…; "
                f"{detects(event.eval, event.minimum_detectable_effect)}"
            )
        case ArmScored():
            unanswered = f", {event.unanswered} of {event.n + event.unanswered} cases without an answer" if event.unanswered else ""
            rates = f"correct {event.correct.describe()}, format valid {event.format_valid.describe()}"
            return f"  {event.arm}: {_score(event)}{rates}{unanswered}"
        case TrainingDropped():
            title = "training" if event.model == TUNED_MODEL else variant_title(event.model)
            lost = f"{event.checkpoints} checkpoint{'' if event.checkpoints == 1 else 's'} dropped"
            return f"  {title}: begins again, because this changed: {', '.join(event.changed)}; {lost}"
        case TrainingEvent() if event.model != TUNED_MODEL:
            return _variant_line(event)
        case TrainingSkipped():
            return f"  skipped: {event.reason}"
        case TrainingStarted():
            return f"  {event.method}: {event.trained_parameters:,} parameters, {event.steps} steps on {event.examples} examples"
        case Probed():
            best = ", best so far" if event.best else ""
            return (
                f"  step {event.step}: validation loss {event.loss:.2g}, {_score(event)}correct {100 * event.correct:.0f} %, "
                f"format valid {100 * event.format_valid:.0f} %{best}"
            )
        case TrainingFinished():
            return f"  kept step {event.best_step} of {event.steps}, {event.seconds:.0f} s"
        case Warned():
            return f"  {event.message}"
        case _:
            return ""


def _score(event: ArmScored | Probed | VariantScored) -> str:
    """The metric that decides, before the rates, where it is not the share of correct answers."""
    return "" if event.score is None else f"{event.metric} {event.score:.3f}, "


def variant_title(model: str) -> str:
    """The purpose of a model that is trained besides the tuned one."""
    share = _curve_share(model)
    if share is not None:
        return f"learning curve, {share} % of train"
    if model == MERGED.name:
        return "merged into the base"
    for form in ServedForm:
        if model == tried_form(form).name:
            return form.in_words
    if model.startswith(f"{TUNED_MODEL}_seed_"):
        return f"training {model.rpartition('_')[2]}, with another seed"
    return f"method comparison, {model.removeprefix(f'{TUNED_MODEL}_')}"


def _variant_line(event: TrainingEvent) -> str:
    title = variant_title(event.model)
    match event:
        case TrainingStarted():
            # The points of a learning curve all train as many parameters as the tuned model.
            parameters = f"{event.trained_parameters:,} parameters, " if _curve_share(event.model) is None else ""
            return f"  {title}: {parameters}{event.steps} steps on {event.examples} examples"
        case TrainingSkipped():
            return f"  {title}: not trained: {event.reason}"
        case VariantScored():
            return f"  {title}: {_score(event)}correct {event.correct.describe()}"
        case _:
            return ""


def _curve_share(model: str) -> int | None:
    """The share of train of a point of the learning curve, in per cent; None for any other model."""
    return next((share for share, point in CURVE.items() if point.name == model), None)
