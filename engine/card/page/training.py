"""The training on the page: its course, and what was predicted of it beside what was measured."""

from __future__ import annotations

from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.page.content import Fold, PageSection, Plot, Table
from tuneproof.engine.card.page.plots import accuracy_curves, loss_curves
from tuneproof.engine.card.plan_text import comparable_prediction, duration_text, gb, planned_lines
from tuneproof.engine.run.artifacts import PlannedFacts, TrainingFacts
from tuneproof.engine.run.training_history import TRAINING_HISTORY, TrainingHistory

SECONDS_PER_HOUR = 3600


def training_section(evidence: Evidence) -> PageSection | None:
    """None if nothing was trained and nothing planned, and nothing is logged of a training elsewhere."""
    planned = evidence.method.planned if evidence.method and not evidence.method.skipped else None
    history = stored_history(evidence)
    if planned is None:
        return _logged_section(history)
    plots, folds = [], []
    if history is not None and history.probes and evidence.training is not None:
        plots = _plots(history, evidence.training)
        folds = [Fold("The numbers of the curves", tables=[_probes(history)])]
    folds.append(Fold("The plan of the training", lines=planned_lines(planned)))
    table = _predicted_and_measured(planned, evidence.training)
    lines = [] if planned.not_measured is None else [f"The memory of a step was not measured, because {planned.not_measured}."]
    return PageSection("Training", plots=plots, tables=[table], lines=lines, folds=folds)


def _logged_section(history: TrainingHistory | None) -> PageSection | None:
    """The losses that another program logged; None if nothing was logged."""
    if history is None or not history.losses:
        return None
    caption = f"Loss per answer token, in nats, as the program that trained it logged them: {_of_train(history)}"
    if history.validation_losses:
        first, last = history.validation_losses[0].loss, history.validation_losses[-1].loss
        caption += f"; on its evaluation rows, which are not known here, {_loss(first)} first and {_loss(last)} last"
    return PageSection("Training", plots=[Plot(loss_curves(history, None, f"{caption}."), f"{caption}.")])


def _of_train(history: TrainingHistory) -> str:
    return f"train loss {history.losses[0].loss:.3g} at the first step and {history.losses[-1].loss:.3g} at the last"


def stored_history(evidence: Evidence) -> TrainingHistory | None:
    """The course of the training; None before there is one, and in runs of versions that did not store it."""
    if evidence.training is None or TRAINING_HISTORY not in evidence.store.manifest.written():
        return None
    return TrainingHistory.model_validate_json(evidence.store.read(TRAINING_HISTORY))


def _plots(history: TrainingHistory, training: TrainingFacts) -> list[Plot]:
    first, last, best = history.probes[0], history.probes[-1], training.best_step
    cases = f"{last.cases} validation cases"
    plots = []
    if history.losses:
        of_validation = f"validation loss {_loss(first.loss)} at the first probe and {_loss(last.loss)} at the last"
        caption = f"Loss per answer token, in nats: {_of_train(history)}; {of_validation}."
        plots.append(Plot(loss_curves(history, best, caption), caption))
    caption = (
        f"Answers to {cases}: {_percent(first.format_valid)} in valid format and {_percent(first.correct)} correct at step {first.step}, "
    )
    caption += f"{_percent(last.format_valid)} and {_percent(last.correct)} at step {last.step}. Step {best} was kept."
    return [*plots, Plot(accuracy_curves(history, best, caption), caption)]


def _probes(history: TrainingHistory) -> Table:
    scored = any(probe.score is not None for probe in history.probes)
    head = ["step", "validation loss", "valid format", "correct", *(["score"] if scored else [])]
    rows = [
        [
            str(probe.step),
            _loss(probe.loss),
            _percent(probe.format_valid),
            _percent(probe.correct),
            *(["–" if probe.score is None else f"{probe.score:.3f}"] if scored else []),
        ]
        for probe in history.probes
    ]
    return Table("Probes on the validation cases", head, rows)


def _loss(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _predicted_and_measured(planned: PlannedFacts, training: TrainingFacts | None) -> Table:
    seconds = training.seconds if training else None
    predicted_time = "not predicted" if planned.hours is None else duration_text(planned.hours)
    took = "not measured" if seconds is None else duration_text(seconds / SECONDS_PER_HOUR)
    rows = [
        _memory(planned),
        ["time of the training", predicted_time, took, _change(planned.hours, seconds and seconds / SECONDS_PER_HOUR)],
    ]
    return Table("Predicted and measured", ["", "predicted", "measured", "the prediction is"], rows)


def _memory(planned: PlannedFacts) -> list[str]:
    name, trial = "memory of a step", planned.measured
    if planned.memory is None:
        return [name, "not predicted", "not measured" if trial is None else gb(trial.peak), "–"]
    if trial is None:
        return [name, gb(planned.memory.total), "not measured", "–"]
    predicted = comparable_prediction(planned.memory, trial)
    return [name, gb(predicted), gb(trial.peak), _change(predicted, trial.peak)]


def _change(predicted: float | None, measured: float | None) -> str:
    """By how much the prediction is off, of what was measured."""
    if not predicted or not measured:
        return "–"
    off = 100 * (predicted / measured - 1)
    return "right within 1 %" if abs(off) < 1 else f"{abs(off):.0f} % too {'high' if off > 0 else 'low'}"
