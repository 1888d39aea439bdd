"""Planning a training: memory is predicted for every method, the chosen one is measured for a step, and time and cost follow.

Only the worker imports this module. A training that takes less time than the measured step is not measured beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto

from tuneproof.engine.card.learning_curve import WHOLE
from tuneproof.engine.case.schema import Budget
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.disk_space import megabytes
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.subsets import SHARES
from tuneproof.engine.methods.candidates import available_memory, make_candidate
from tuneproof.engine.methods.model_shape import ModelShape, UnsupportedArchitecture, read_shape
from tuneproof.engine.methods.padding import SequenceLengths, max_packed_length, mean_padded_length
from tuneproof.engine.methods.plan import AUTO, Plan, make_plan, setting_sources
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.methods.select import (
    AUTO_ORDER,
    MARGIN,
    AvailableMemory,
    ExecutionOption,
    MethodCandidate,
    MethodSelection,
    select_method,
)
from tuneproof.engine.models.base_model import BaseCheckpoint, best_device
from tuneproof.engine.planning.run_disk import RunDisk, run_disk
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.needs import Disk
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.stages.catalogue import stored_catalogue, trained_parameters
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext

WORTH_MEASURING = 1e13
"""Floating-point operations of a training above which a step is measured: a minute or so on a small CPU."""

FULL_ENOUGH = 0.1
"""Share of the memory above which a prediction is checked by a measurement."""


class Measuring(Enum):
    """When a training step is measured while a training is planned: for that the base is loaded."""

    NEVER = auto()
    WHERE_WORTH = auto()
    """Where the training takes longer than the measurement, or a limit of the budget needs it."""
    ALWAYS = auto()


def method_facts(
    chosen: Plan,
    training: Training,
    planned: artifacts.PlannedFacts | None,
    *,
    skipped: str | None,
    overruled: Sequence[str] = (),
    length: artifacts.TrainedLength | None = None,
) -> artifacts.MethodFacts:
    """What is stored of a plan, or of why nothing is trained."""
    return artifacts.MethodFacts(
        name=chosen.method,
        why=chosen.why,
        trains=METHODS[chosen.method].trains,
        settings=chosen.settings,
        skipped=skipped,
        overruled=list(overruled),
        planned=planned,
        sources=setting_sources(MethodChoice(name=chosen.method), training),
        length=length,
    )


def planner_for(
    run: RunContext,
    model: ModelContext,
    choice: MethodChoice,
    training: Training,
    *,
    variant: str | None = None,
    measuring: Measuring = Measuring.WHERE_WORTH,
) -> Planner:
    """The planner of a choice for the rows and the base of a run, or for a model besides the tuned one, in its own folder of the run.

    Frees the weights in memory, so that a step can be measured.
    """
    model.scorer.release()
    with working(run.log, Work.PLANNING):
        lengths = [(model.lengths.prompt(example), model.lengths.answer(example)) for example in model.rows.within_limit]
    return Planner(
        choice=choice,
        training=training,
        budget=run.case.budget,
        base=model.base,
        rows=TrainRowLengths(whole=[prompt + answer for prompt, answer in lengths], targets=[answer for _, answer in lengths]),
        trained_parameters=trained_parameters(run),
        stop=run.stop,
        disk=run_disk(run.store, stored_catalogue(run), model.base.folder, len(lengths), run.case, variant=variant),
        log=run.log,
        learning_curve=run.case.evaluate.learning_curve,
        seeds=run.case.evaluate.seeds,
        measuring=measuring,
    )


@dataclass(frozen=True)
class TrainRowLengths:
    """The lengths of the rows to train on, in tokens."""

    whole: Sequence[int]
    """Of each row, prompt and answer."""
    targets: Sequence[int]
    """Of the answer of each row, which is what the loss counts."""

    def padding(self, settled: Plan) -> float:
        """The share of the tokens in a batch that is padding, if rows are padded and not packed."""
        return 1 - sum(self.whole) / len(self.whole) / self.padded(settled)

    def padded(self, settled: Plan) -> float:
        """The mean length that a row is padded to, in tokens, if rows are padded and not packed."""
        part = settled.rows_per_process // settled.accumulation
        return mean_padded_length(self.whole, settled.batch_size, part, settled.seed, grouped=settled.group_by_length)


@dataclass(frozen=True)
class Planner:
    """Finds a plan for a choice of method within the memory of this machine and the budget."""

    choice: MethodChoice
    training: Training
    budget: Budget
    base: BaseCheckpoint
    rows: TrainRowLengths
    trained_parameters: Mapping[str, int]
    """By method, for the methods where it is known."""
    stop: StopRequest
    disk: RunDisk
    log: EventSink
    learning_curve: bool = False
    """Whether the hours include the smaller trainings of a learning curve."""
    seeds: int = 1
    """Trainings with different seeds, which the hours include."""
    measuring: Measuring = Measuring.WHERE_WORTH

    def settle(self) -> tuple[Plan, artifacts.PlannedFacts]:
        """The plan that fits, and what was predicted and measured for it.

        Raises GateClosed if nothing fits into memory or onto the disk, or if the training would take more hours than the budget has.
        """
        on_gpu, shape = self._on_gpu, self._shape()
        there = available_memory(self.budget, on_gpu=on_gpu, processes=self.training.for_one_node.processes)
        rows = SequenceLengths(self.rows.whole, self.base.context_length)
        known = None if isinstance(shape, UnsupportedArchitecture) else shape
        candidates = [make_candidate(self._plan(n), self.trained_parameters[n], known, rows, on_gpu=on_gpu) for n in self._names()]
        named, targets = self.choice.name != AUTO, sum(self.rows.targets)
        ran_out: dict[tuple[str, ExecutionOption], str] = {}
        too_large: dict[str, Disk] = {}
        while True:
            try:
                chosen = select_method(candidates, there, targets, ran_out, named=named)
            except GateClosed:
                if not too_large:
                    raise
                raise self._no_room(min(too_large.values(), key=lambda disk: disk.total)) from None
            settled = self._plan_for(chosen, named)
            disk = self.disk.predict(settled)
            if disk is not None and not disk.fits(self.disk.free):
                too_large[settled.method] = disk
                candidates = [_without_room(each, disk) if each.name == settled.method else each for each in candidates]
                continue
            not_measured = self._not_worth_measuring(settled, chosen.option.memory, there, shape)
            if not_measured is not None:
                return settled, self._facts(settled, chosen, there, shape, None, not_measured)
            trial = self._measure(settled, there)
            if isinstance(trial, artifacts.MeasuredStep):
                facts = self._facts(settled, chosen, there, shape, trial, None)
                self._check_hours(facts)
                return settled, facts
            ran_out[(chosen.candidate.name, chosen.option)] = trial

    def _names(self) -> list[str]:
        if self.choice.name != AUTO:
            return [self.choice.name]
        return [name for name in AUTO_ORDER if name in self.trained_parameters]

    def _plan(self, name: str) -> Plan:
        return make_plan(self.choice.model_copy(update={"name": name}), self.training)

    def _plan_for(self, chosen: MethodSelection, named: bool) -> Plan:
        settled = self._plan(chosen.candidate.name)
        way, why = chosen.option, settled.why if named else chosen.why
        return replace(
            settled,
            why=why,
            accumulation=way.accumulation,
            checkpointing=way.checkpointing,
            optimizer=way.optimizer,
            sharding=way.sharding,
        )

    @property
    def _on_gpu(self) -> bool:
        return bool(best_device()[0].type == "cuda")

    def _shape(self) -> ModelShape | UnsupportedArchitecture:
        try:
            return read_shape(self.base.folder)
        except UnsupportedArchitecture as error:
            return error

    def _steps(self, settled: Plan) -> int:
        return settled.steps(len(self.rows.whole))

    def _not_worth_measuring(
        self, settled: Plan, memory: artifacts.Memory | None, available: AvailableMemory, shape: ModelShape | UnsupportedArchitecture
    ) -> str | None:
        """Why no step is measured: nobody asked for it, or the whole training is smaller and no limit of the budget needs it."""
        if self.measuring is Measuring.NEVER:
            return "measuring a step loads the base, and was not asked for"
        if self.measuring is Measuring.ALWAYS or (
            isinstance(shape, UnsupportedArchitecture)
            or memory is None
            or self.budget.hours is not None
            or self.budget.usd_per_gpu_hour is not None
        ):
            return None
        # Six operations for each parameter and token: forward once, backward twice (Kaplan et al. 2020, arXiv 2001.08361, 2.1).
        work = 6 * shape.parameters * self._steps(settled) * settled.batch_size * max(self.rows.whole)
        if work < WORTH_MEASURING and memory.total < FULL_ENOUGH * available.total:
            return "the whole training takes less than a trial step's process"
        return None

    def _measure(self, settled: Plan, available: AvailableMemory) -> artifacts.MeasuredStep | str:
        # Only now, because it imports TRL.
        from tuneproof.engine.training.memory_probe import TRIAL_STEPS, ProbeLengths, probe_memory

        longest = max(self.rows.whole)
        usual = round(self.rows.padded(settled))
        lengths = ProbeLengths(worst=longest, usual=usual, answer=max(self.rows.targets))
        with working(self.log, Work.TRIAL_STEP, settled.method, of=TRIAL_STEPS, unit=Unit.STEPS) as report:
            trial = probe_memory(self.base, settled, lengths, self.stop, report.step)
        if isinstance(trial, str):
            return trial
        if self.budget.gpu_memory_gb is not None and trial.peak > available.total:
            return f"took {trial.peak / 1e9:.1f} GB in a trial step, more than budget.gpu_memory_gb"
        return artifacts.MeasuredStep(**asdict(trial), worst_length=longest, usual_length=usual)

    def _facts(
        self,
        settled: Plan,
        chosen: MethodSelection,
        available: AvailableMemory,
        shape: ModelShape | UnsupportedArchitecture,
        trial: artifacts.MeasuredStep | None,
        not_measured: str | None,
    ) -> artifacts.PlannedFacts:
        steps, rate = self._steps(settled), self.budget.usd_per_gpu_hour
        gpus = settled.processes if self._on_gpu else 1
        trainings = self.seeds + (sum(SHARES) / WHOLE if self.learning_curve else 0)
        hours = trainings * steps * trial.usual_seconds / 3600 if trial else None
        return artifacts.PlannedFacts(
            available_memory=round(available.total),
            available_memory_source=available.source,
            margin=MARGIN,
            length=max_packed_length(max(self.rows.whole), self.base.context_length) if settled.packing else max(self.rows.whole),
            packed=settled.packing,
            padding=None if settled.packing else round(self.rows.padding(settled), 4),
            steps=steps,
            accumulation=settled.accumulation,
            checkpointing=settled.checkpointing,
            processes=settled.processes,
            sharding=settled.sharding,
            optimizer=settled.optimizer,
            memory=chosen.option.memory,
            not_predicted=str(shape) if isinstance(shape, UnsupportedArchitecture) else None,
            measured=trial,
            not_measured=not_measured,
            hours=None if hours is None else round(hours, 6),
            usd=None if hours is None or rate is None else round(hours * rate * gpus, 6),
            learning_curve=self.learning_curve,
            rejected_methods=[artifacts.RejectedMethod(name=name, reason=reason) for name, reason in chosen.rejected.items()],
            disk=self.disk.predict(settled),
            free_disk=self.disk.free,
        )

    def _no_room(self, disk: Disk) -> GateClosed:
        free = self.disk.free
        assert free is not None
        saving = f", or set evaluate.merged: false, which saves {megabytes(disk.merged)}" if disk.merged else ""
        return GateClosed(
            f"the run would write {megabytes(disk.total, up=True)} from here on, and {megabytes(free)} are free: "
            f"checkpoints {megabytes(disk.checkpoints, up=True)}, trained models {megabytes(disk.models, up=True)}, "
            f"merged model {megabytes(disk.merged, up=True)}, predictions {megabytes(disk.predictions, up=True)}",
            where=str(self.disk.run),
            fix=f"make room there and add --resume, start the run on a larger disk with --run-dir{saving}",
        )

    def _check_hours(self, facts: artifacts.PlannedFacts) -> None:
        if self.budget.hours is None or facts.hours is None or facts.hours <= self.budget.hours:
            return
        raise GateClosed(
            f"training would take {facts.hours:.2g} hours ({facts.steps} steps), more than the {self.budget.hours:g} of the budget",
            where="budget.hours",
            fix="raise it, lower training.epochs or set training.max_steps",
        )


def _without_room(candidate: MethodCandidate, disk: Disk) -> MethodCandidate:
    return replace(candidate, refusal=candidate.refusal or f"needs {megabytes(disk.total, up=True)} of disk, more than is free")
