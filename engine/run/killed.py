"""How the last worker of a run ended that ended without a word: where it was, and whether the kernel killed it because memory ran out.

The kernel counts the processes that it kills for want of memory (`oom_kill` in /proc/vmstat). If the count is what it was when the worker
was launched, it was killed by something else, and continues as it was. Without a count, memory is what has to be assumed.
"""

from __future__ import annotations

import signal
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path

from tuneproof.engine.core.errors import OutOfMemory, RunFailed
from tuneproof.engine.core.memory_limits import LIMITS, boot_id, kernel_oom_kills, tightest_limit
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import (
    TUNED_MODEL,
    AnyEvent,
    ArmScored,
    CheckpointSaved,
    Failed,
    Finished,
    Launched,
    Progressed,
    StageFinished,
    StageStarted,
    Stopped,
    TrainingDropped,
    TrainingFinished,
    TrainingStarted,
    VariantScored,
)
from tuneproof.engine.run.store import WORKER_LOG
from tuneproof.engine.run.work import Work

ANSWERS = (Work.ANSWERING, Work.CHOOSING_PROMPT)
"""Work in which an arm answers."""


@dataclass(frozen=True)
class Place:
    """How far a worker had come. Two that are at the same place got equally far."""

    stage: Stage | None = None
    model: str | None = None
    """The model in training; None before its first step and after its last."""
    checkpoint: int = 0
    arm: str | None = None
    """The arm that answers."""

    def after(self, event: AnyEvent) -> Place:
        """The place once the event has happened."""
        match event:
            case StageStarted():
                return Place(event.stage)
            case StageFinished():
                return Place(None)
            case TrainingStarted():
                return replace(self, model=event.model, checkpoint=event.resumed_at)
            case CheckpointSaved():
                return replace(self, checkpoint=event.step)
            case TrainingFinished():
                return replace(self, model=None, checkpoint=0)
            case Progressed() if event.work in ANSWERS:
                return replace(self, arm=event.about)
            case ArmScored() | VariantScored():
                return replace(self, arm=None)
            case _:
                return self

    @property
    def words(self) -> str:
        """The place in words."""
        if self.model is not None:
            return (
                f"in a training step, {f'after the checkpoint of step {self.checkpoint}' if self.checkpoint else 'before any checkpoint'}"
            )
        if self.arm is not None:
            return f"while {self.arm} answered"
        return "while it started" if self.stage is None else f"in the stage {self.stage}"


@dataclass(frozen=True)
class Killed:
    """The death of a worker that could log nothing about it."""

    launched: Launched
    place: Place
    for_memory: bool
    times: int
    """Workers in a row that died at this place."""

    @property
    def goes_on_smaller(self) -> bool:
        """Whether the next worker does the same work with less memory."""
        return self.for_memory and self.place.model is not None

    @property
    def another_continues(self) -> bool:
        """Whether another worker is started at once; a cluster's job would wait in its queue again, which is for the user to decide."""
        return self.goes_on_smaller and self.launched.slurm_job is None

    def error(self, run_dir: Path, ended_by: signal.Signals | None = None) -> RunFailed:
        """What happened and what to do, for the user; `ended_by` is the signal that ended the worker, if that is known."""
        where = f"{self.place.words}{f', for the {_ordinal(self.times)} time there' if self.times > 1 else ''}"
        if ended_by not in (None, signal.SIGKILL) or not self.for_memory:
            by = "killed, not by the system for want of memory" if ended_by in (None, signal.SIGKILL) else f"ended by {ended_by.name}"
            fix = f"{WORKER_LOG} in the run folder may say more; " if self.times > 1 or ended_by is not signal.SIGKILL else ""
            return RunFailed(f"the worker was {by}, {where}", where=str(run_dir), fix=f"{fix}continue with --resume --run-dir {run_dir}")
        limit = tightest_limit()
        what = f"memory ran out and the worker was killed, {where}; it may take {limit.total / 1e9:.2f} GB ({LIMITS[limit.limit]})"
        if self.times > 1:
            lighter, fix = "a lighter method.name or a training.max_length", "resuming alone will not help: allow it more memory"
            if self.place.model == TUNED_MODEL:
                # Its training takes other settings until it has come to its end.
                fix += f", or set {lighter}, and add --resume; a smaller model.base takes a new run"
            else:
                fix += f" and add --resume, or take a smaller model.base, {lighter} in a new run"
            return OutOfMemory(what, where=str(run_dir), fix=fix)
        how = "which takes smaller parts of a batch" if self.goes_on_smaller else "best with more memory"
        return OutOfMemory(what, where=str(run_dir), fix=f"continue with --resume --run-dir {run_dir}, {how}")


@dataclass
class _Life:
    """One worker, from its launch on."""

    launched: Launched
    place: Place = field(default_factory=Place)
    ended: bool = False
    began_anew: bool = False
    """Whether it began a training again with other settings: that earlier ones died at the same place says nothing then."""


def last_killed(events: Path) -> Killed | None:
    """How the run's last worker died, if it has not logged its end; to be asked only when it is known not to be alive."""
    lives: list[_Life] = []
    for chunk in EventReader(events).read_chunks():
        for event in chunk:
            if isinstance(event, Launched):
                # A worker that replaces itself has the same process, and has not died.
                replaced = lives.pop() if lives and is_same_process(lives[-1].launched, event) else None
                lives.append(_Life(event, began_anew=replaced is not None and replaced.began_anew))
            elif lives:
                lives[-1].place = lives[-1].place.after(event)
                lives[-1].ended = isinstance(event, (Stopped, Failed, Finished))
                lives[-1].began_anew = lives[-1].began_anew or isinstance(event, TrainingDropped)
    if not lives or lives[-1].ended:
        return None
    times = 0
    for life in reversed(lives):
        if life.ended or life.place != lives[-1].place:
            break
        times += 1
        if life.began_anew:
            break
    return Killed(lives[-1].launched, lives[-1].place, _ran_out_of_memory(lives[-1].launched), times)


def is_same_process(one: Launched, other: Launched) -> bool:
    """Whether both events are of one process."""
    return (one.host, one.pid, one.process_started) == (other.host, other.pid, other.process_started)


def _ran_out_of_memory(launched: Launched) -> bool:
    if not launched.boot:
        # Launched by a version that did not look.
        return False
    if launched.host not in ("", socket.gethostname()):
        return True
    if launched.boot != boot_id():
        # The machine itself went down.
        return False
    now = kernel_oom_kills()
    return now is None or launched.oom_kills is None or launched.slurm_job is not None or now > launched.oom_kills


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
