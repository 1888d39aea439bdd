"""Step 7: the training as it goes, or as it went: loss, validation, speed, answers, and the way to stop it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.training_state import TrainingState
from tuneproof.engine.session.steps import Step
from tuneproof.screens.step import StepScreen
from tuneproof.tui.progress import variant_title
from tuneproof.tui.widgets.bars import percent, spark
from tuneproof.tui.widgets.loss_plot import LossPlot
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

GPU_SECONDS = 2.0


class TrainScreen(StepScreen):
    """Starts, shows, stops and resumes the training; the worker needs none of this to go on."""

    STEP = Step.TRAIN
    HELP_TEXT = """
**Is it learning, and is it learning the right thing?**

- **Loss**: how surprised the model is by the wanted answers, in nats; lower is better. The *line* is on the examples it learns from, the
  *o* on validation cases it never learns from. When the line falls and the o rises, it memorises: the best checkpoint lies before that.
- **Format valid, correct**: the model in training answers validation cases by itself. That is what counts; loss only says where it goes.
- **Best**: the checkpoint with the most correct validation cases. It is the one that is kept and scored.
- **Gradient norm**: how strongly a step pulls. Sudden jumps mean that the learning rate is too high.
- **Worker**: the process that trains. It is not this screen: close the terminal, and it goes on. `tuneproof attach RUN` shows it again.

t starts, s stops at the next step with a checkpoint, r resumes from there, l shows the end of the worker's log, d leaves it running.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "start", "Start training"),
        Binding("r", "resume", "Resume"),
        Binding("s", "stop", "Stop at checkpoint"),
        Binding("d", "leave_running", "Leave it running"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._gpu = ""

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
        if "free" in self.wizard.machine_line:
            self.set_interval(GPU_SECONDS, self._look_at_gpu)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        running = self.state.status is RunStatus.RUNNING
        match action:
            case "start":
                return not running and self.state.card is None and self.state.tuned.started is None
            case "resume":
                return not running and self.state.card is None and self.state.tuned.started is not None
            case "stop" | "leave_running":
                return running
        return True

    def show(self) -> None:
        state = self.state
        self.query_one(LossPlot).show(state.tuned.steps, state.tuned.probes)
        self._show_probes(state)
        self.query_one("#progress", MemoizedStatic).update(_progress(state), layout=False)
        ended = self.end_of_log()
        self._entitle("#sample", "The end of the worker's log" if ended else "Answers at the last probe")
        self.query_one("#sample-text", Static).update(ended or _samples(state))
        self._show_worker()
        self._say_how_it_stands(state)

    def _entitle(self, panel: str, title: str) -> None:
        widget = self.query_one(panel)
        # Textual draws a panel anew, with all that is in it, where it is given the title that it has.
        if widget.border_title != title:
            widget.border_title = title

    def _show_probes(self, state: RunState) -> None:
        last = state.tuned.probes[-1] if state.tuned.probes else None
        self._entitle("#probes", f"On {last.n} validation cases" if last else "On validation cases")
        rates = [("format valid", [p.format_valid for p in state.tuned.probes]), ("correct", [p.correct for p in state.tuned.probes])]
        lines = [f"{name:<12} {percent(values[-1]) if values else '  –'} {spark(values[-12:])}" for name, values in rates]
        best = next((probe.step for probe in reversed(state.tuned.probes) if probe.best), None)
        lines.append(f"loss {last.loss:.2g}   best: step {best}" if last else "the first probe is still to come")
        self.query_one("#rates", Static).update(Content("\n".join(lines)))

    def _show_worker(self) -> None:
        state = self.state
        launched = state.launched
        lines = [self._gpu] if self._gpu and state.status is RunStatus.RUNNING else []
        if launched is not None and state.status is RunStatus.RUNNING:
            lines.append(f"pid {launched.pid}, safe to close this")
        elif state.status is not RunStatus.NEW:
            lines.append("at rest" if state.status is RunStatus.FINISHED else state.status.value)
        if state.tuned.checkpoint is not None:
            lines.append(f"checkpoint {state.tuned.checkpoint.step} is on disk")
        self.query_one("#worker", Static).update(Content("\n".join(lines) or "not started"))

    def _look_at_gpu(self) -> None:
        from tuneproof.engine.core.hardware import first_gpu

        gpu = first_gpu()
        told = f"GPU {gpu.utilization} %  {gpu.total_gib - gpu.free_gib:.1f} of {gpu.total_gib:.0f} GiB" if gpu else ""
        if told != self._gpu:
            self._gpu = told
            self._show_worker()

    def _say_how_it_stands(self, state: RunState) -> None:
        if state.status is RunStatus.CRASHED:
            self.say("the worker died without a word; r goes on from the last checkpoint, l shows the end of its log", error=True)
        elif state.status is RunStatus.FAILED and state.failure is not None:
            failure = state.failure
            self.say("; ".join(filter(None, [failure.problem, failure.fix, "r goes on from the last checkpoint"])), error=True)
        elif state.tuned.skipped is not None:
            self.say(f"not trained: {state.tuned.skipped.reason}")
        elif state.status is RunStatus.RUNNING and state.variant is not None:
            self.say(_variant(state.variant))
        elif state.status is RunStatus.RUNNING and state.stage is Stage.EVALUATE:
            self.say("trained; now the tuned model answers the frozen cases")
        elif state.status is RunStatus.RUNNING:
            self.say("close this whenever you like: the worker goes on")
        elif state.card is not None:
            self.say("done; c goes to the card")
        elif state.status is RunStatus.STOPPED and state.tuned.started is not None:
            self.say("stopped at a checkpoint; r goes on from there")
        else:
            self.say(self._before())

    def _before(self) -> str:
        from tuneproof.engine.methods.plan import make_plan

        content = self.session.draft.content
        chosen = make_plan(content.method, content.training)
        return f"t starts: {chosen.method}, {chosen.epochs:g} epochs, learning rate {chosen.learning_rate:g}; then the tuned arm is scored"

    def action_start(self) -> None:
        if self.wizard.go_on(Stage.CARD):
            self.say("starting the worker …")

    def action_resume(self) -> None:
        self.action_start()

    def action_stop(self) -> None:
        self.wizard.stop_run()

    def action_leave_running(self) -> None:
        self.wizard.leave_running()


def _progress(state: RunState) -> Content:
    last = state.tuned.last_step
    if last is None:
        return Content("no step yet\n\n")
    left = state.time_left()
    began = state.tuned.started.ts if state.tuned.started else state.last_ts
    times = f"{_clock((state.tuned.finished.ts if state.tuned.finished else state.last_ts) - began)} gone"
    times += f", {_clock(left)} left" if left is not None and state.tuned.finished is None else ""
    lines = [
        f"{last.step} of {last.of}  epoch {last.epoch:.1f}  loss {last.loss:.3g}",
        f"lr {last.learning_rate:.1e}  gradient norm {last.grad_norm:.2g}",
        f"{last.tokens_per_second:,.0f} tokens/s  {times}",
    ]
    return Content("\n".join(lines))


def _variant(training: TrainingState) -> str:
    started = training.started
    if started is None:
        return "trained"
    step = f"step {training.step} of {started.steps}" if training.step < started.steps else "it answers the frozen cases"
    return f"trained; now: {variant_title(started.model)}, {started.examples:,} examples: {step}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _samples(state: RunState) -> Content:
    if not state.tuned.probes:
        return Content("at every probe the model in training answers validation cases; some are shown here")
    parts: list[Content] = []
    for sample in state.tuned.probes[-1].samples:
        mark = "✓" if sample.correct else "✗"
        parts.append(
            Content.styled(sanitize(f"{mark} wanted {sample.expected}", one_line=True, max_length=300), "" if sample.correct else "bold")
        )
        if not sample.correct:
            parts.append(sanitized_content(f"  got    {sample.output}", one_line=True, max_length=300))
    return Content("\n").join(parts)
