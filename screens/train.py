"""Step 7: the training while it runs and after it: loss, validation, speed, answers, and how to stop it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import LossNotFinite
from tuneproof.engine.core.hardware import Gpu
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.run.events import Failed
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.training_state import TrainingState
from tuneproof.engine.session.baseline_choice import target_share
from tuneproof.engine.session.method_form import standing_objection, with_override_toggled
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.training_actions import (
    TrainingAction,
    TrainingPhase,
    clock,
    elapsed_seconds,
    needs_lower_rate,
    possible_actions,
    probed_rate,
    training_phase,
    with_lower_rate,
)
from tuneproof.engine.training.probe_steps import next_probe
from tuneproof.screens.ask import AskYesNo
from tuneproof.screens.step import StepScreen
from tuneproof.tui.meanings import OF_STATUS
from tuneproof.tui.progress import variant_title
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.bars import percent, rate_bar, spark
from tuneproof.tui.widgets.gpu_lines import gpu_lines
from tuneproof.tui.widgets.loss_plot import LossPlot
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

GPU_SECONDS = 2.0


class TrainScreen(StepScreen):
    """Starts, shows, stops and resumes the training; the worker trains without this screen, too."""

    STEP = WizardStep.TRAIN
    HELP_TEXT = """
**Is it learning, and is it learning the right thing?**

- **Loss**: how much the right answer surprises the model, token by token (*cross-entropy*, in nats); lower is better. The *line* is on
  the training examples, the *o* on validation cases that are never trained on. When the line falls and the o rises, the model memorises:
  the best checkpoint is before that.
- **Format valid, correct**: the model answers validation cases on its own. These numbers count; the loss only shows the trend.
- **Best**: the checkpoint with the most correct validation cases. It is the one that is kept and scored.
- **Check on validation** (a *probe*): now and then the model answers validation cases, and what it answers is shown.
- **Gradient**: how far a step moves the weights before the learning rate (its *norm*). Sudden jumps mean that the rate is too high.
- **Worker**: the process that trains. It is not this screen: you can close the terminal, and it continues. `tuneproof attach RUN` shows it
  again.

t starts, s stops at the next step and saves a checkpoint, r resumes from there, l shows the end of the worker's log, d leaves it running, z
shows one request token by token.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", TrainingAction.START.value, "Start training"),
        Binding("g", "train_anyway", "Train anyway"),
        Binding("r", TrainingAction.RESUME.value, "Resume"),
        Binding("s", TrainingAction.STOP.value, "Stop at checkpoint"),
        Binding("d", TrainingAction.LEAVE_RUNNING.value, "Leave it running"),
        Binding("z", "trace", "One request", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._gpu: Gpu | None = None

    def compose_step(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="curves"):
                yield LossPlot(id="loss")
                yield MemoizedStatic(id="progress", classes="panel")
            with Vertical(id="validation"):
                with Vertical(id="probes", classes="panel"):
                    yield MemoizedStatic(id="rates")
                with VerticalScroll(id="sample", classes="panel fill"):
                    yield MemoizedStatic(id="sample-text")
                yield MemoizedStatic(id="worker", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#progress").border_title = "Step"
        self.query_one("#worker").border_title = "Worker"
        self.query_one("#sample").focus()
        self._look_at_gpu()
        self.set_interval(GPU_SECONDS, self._look_at_gpu)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "train_anyway":
            return TrainingAction.START in possible_actions(self.state) and standing_objection(self.session) is not None
        return action not in set(TrainingAction) or action in possible_actions(self.state)

    def show(self) -> None:
        state = self.state
        self._show_curve(state)
        self._show_probes(state)
        self.query_one("#progress", MemoizedStatic).update(_progress(state), layout=False)
        log = self.crash_log()
        self._set_title("#sample", "The end of the worker's log" if log else "Answers at the last check")
        self.query_one("#sample-text", Static).update(log or _samples(state))
        self._show_worker()
        self._show_phase(state)

    def _set_title(self, panel: str, title: str) -> None:
        widget = self.query_one(panel)
        # Textual redraws a panel with its contents whenever its title is set, even to the same text.
        if widget.border_title != title:
            widget.border_title = title

    def _show_curve(self, state: RunState) -> None:
        training = state.tuned
        planned = training.started.steps if training.started is not None else len(training.steps)
        every = self.session.draft.content.training.probe_every
        upcoming = next_probe(training.step, planned, every) if training.finished is None and planned else None
        self.query_one(LossPlot).show(training.steps, training.probes, planned, upcoming)

    def _show_probes(self, state: RunState) -> None:
        probes = state.tuned.probes
        last = probes[-1] if probes else None
        self._set_title("#probes", f"On {last.n} validation cases" if last else "On validation cases")
        best = next((probe.step for probe in reversed(probes) if probe.best), None)
        valid = _over_time("format valid", [probe.format_valid for probe in probes])
        correct = _over_time("correct", [probe.correct for probe in probes])
        lines = [valid, correct]
        if last is not None and last.score is not None:
            lines.append(_over_time(str(last.metric), [probe.score or 0.0 for probe in probes]))
        if last is not None:
            target = target_share(self.session.draft.content)
            lines.append(rate_bar(probed_rate(last), self.query_one("#rates").size.width or 20, target))
            lines.append(Content.assemble(f"loss {last.loss:.2g}   ", Meaning.BEST.signed(f"best: step {best}")))
        else:
            lines.append(Meaning.WAITING.signed("not checked yet"))
        self.query_one("#rates", Static).update(Content("\n").join(lines))

    def _show_worker(self) -> None:
        state = self.state
        panel = self.query_one("#worker", Static)
        lines = gpu_lines(self._gpu, panel.size.width) if self._gpu is not None and state.status is RunStatus.RUNNING else []
        if state.launched is not None and state.status is RunStatus.RUNNING:
            lines.append(Content(f"pid {state.launched.pid}, safe to close this"))
        elif training_phase(state) is not TrainingPhase.NOT_STARTED:
            lines.append(OF_STATUS[state.status].signed(state.status.value))
        if state.tuned.checkpoint is not None:
            lines.append(Content(f"checkpoint {state.tuned.checkpoint.step} is saved"))
        panel.update(Content("\n").join(lines) if lines else Meaning.WAITING.signed("not started"))

    def _look_at_gpu(self) -> None:
        """Asks for the GPU's state in a thread: a driver that is busy may answer late."""
        if self.is_current and self.state.status is RunStatus.RUNNING:
            self.run_worker(self._ask_gpu, thread=True, group="gpu", exclusive=True)

    def _ask_gpu(self) -> None:
        gpu = hardware.first_gpu()
        if gpu != self._gpu:
            self.app.call_from_thread(self._show_gpu, gpu)

    def _show_gpu(self, gpu: Gpu | None) -> None:
        self._gpu = gpu
        self._show_worker()

    def _show_phase(self, state: RunState) -> None:
        match training_phase(state):
            case TrainingPhase.CRASHED:
                self.show_status("the worker crashed; r resumes from the last checkpoint, l shows the end of its log", error=True)
            case TrainingPhase.FAILED if state.failure is not None:
                self.show_status(_failure_line(state.failure), error=True)
            case TrainingPhase.SKIPPED if state.tuned.skipped is not None:
                self.show_status(f"not trained: {state.tuned.skipped.reason}")
            case TrainingPhase.TRAINING_VARIANT if state.variant is not None:
                self.show_status(_variant_line(state.variant))
            case TrainingPhase.EVALUATING:
                self.show_status("trained; the tuned model is answering the frozen cases")
            case TrainingPhase.TRAINING:
                self.show_status("you can close this at any time: the worker continues")
            case TrainingPhase.DONE:
                self.show_status("done; press c to go to the card")
            case TrainingPhase.STOPPED:
                self.show_status("stopped at a checkpoint; r resumes from there")
            case _:
                self.show_status(self._start_line())

    def _start_line(self) -> str:
        content = self.session.draft.content
        if (objection := standing_objection(self.session)) is not None:
            return f"{objection.reason}, so t writes the card without a training; g trains anyway"
        chosen = make_plan(content.method, content.training)
        epochs = f"{chosen.epochs:g} epoch{'' if chosen.epochs == 1 else 's'}"
        return f"t starts: {chosen.method}, {epochs}, learning rate {chosen.learning_rate:g}; then the tuned arm is scored"

    def action_start(self) -> None:
        if self.wizard.start_worker(Stage.CARD):
            self.show_status("starting the worker …")

    def action_train_anyway(self) -> None:
        """Records that the model is trained although the evidence speaks against it."""
        objection = standing_objection(self.session)
        if objection is not None:
            self.save_sections(method=with_override_toggled(self.session.draft.content.method, objection))
            self.refresh_all()

    def action_resume(self) -> None:
        if needs_lower_rate(self.state):
            self._ask_for_lower_rate()
        else:
            self.action_start()

    def _ask_for_lower_rate(self) -> None:
        lower = with_lower_rate(self.session.draft.content)

        def answered(yes: bool | None) -> None:
            if yes and self.save_sections(training=lower):
                self.action_start()

        problem = self.state.failure.what if self.state.failure is not None else ""
        question = f"{problem}: the learning rate was probably too high. The training begins again; what was measured stays."
        yes = f"train again with {lower.learning_rate:g}"
        self.app.push_screen(AskYesNo("A lower learning rate", question, yes, "change it on the method step"), answered)

    def action_stop(self) -> None:
        self.wizard.stop_run()

    def action_leave_running(self) -> None:
        self.wizard.leave_running()


def _over_time(name: str, shares: Sequence[float]) -> Content:
    """The newest of the shares, and the last of them as a row of bars."""
    newest = percent(shares[-1]) if shares else "  –"
    return Content.assemble(f"{name:<12} ", (newest, "bold"), " ", Meaning.RATE.text(spark(shares[-12:])))


def _progress(state: RunState) -> Content:
    last = state.tuned.last_step
    if last is None:
        return Content("no step yet\n\n")
    left = state.time_left(time.time())
    times = f"{clock(elapsed_seconds(state))} elapsed"
    times += f", {clock(left)} left" if left is not None and state.tuned.finished is None else ""
    lines = [
        f"{last.step} of {last.of}  epoch {last.epoch:.1f}  loss {last.loss:.3g}",
        f"learning rate {last.learning_rate:.1e}  gradient {last.grad_norm:.2g}",
        f"{last.tokens_per_second:,.0f} tokens/s  {times}",
    ]
    return Content("\n".join(lines))


def _failure_line(failure: Failed) -> str:
    if failure.is_a(LossNotFinite):
        return f"{failure.problem}; r trains again with a lower learning rate"
    resume = "r resumes from the last checkpoint" if failure.resumable else ""
    return "; ".join(part for part in (failure.problem, failure.fix, resume) if part)


def _variant_line(training: TrainingState) -> str:
    started = training.started
    if started is None:
        return "trained"
    progress = f"step {training.step} of {started.steps}" if training.step < started.steps else "answering the frozen cases"
    return f"trained; now: {variant_title(started.model)}, {started.examples:,} examples: {progress}"


def _samples(state: RunState) -> Content:
    if not state.tuned.probes:
        return Content("now and then the model answers validation cases; some of the answers are shown here")
    parts: list[Content] = []
    for sample in state.tuned.probes[-1].samples:
        mark = "✓" if sample.correct else "✗"
        expected = sanitize(f"{mark} wanted {sample.expected}", one_line=True, max_length=300)
        parts.append(Content.assemble((expected[:1], (Meaning.DONE if sample.correct else Meaning.ERROR).style), expected[1:]))
        if not sample.correct:
            parts.append(sanitized_content(f"  got    {sample.output}", one_line=True, max_length=300))
    return Content("\n").join(parts)
