"""The stages that run the model: baselines, method, training and the tuned arm. Only the worker imports this module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS, ArmContext
from tuneproof.engine.arms.token_lengths import lengths_for
from tuneproof.engine.audit.checks.leakage import leaks
from tuneproof.engine.audit.preview import summary
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.card.evidence import ARM_STEP, gather
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.route import Route
from tuneproof.engine.case.schema import Case, ModelChoice
from tuneproof.engine.case.task import Task
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.data.split import Part, shuffled
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.plan import Plan, make_plan, make_plans
from tuneproof.engine.methods.refusals import may_need_bitsandbytes
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint, best_device, load_base
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import TUNED_MODEL, TrainingSkipped
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.limits import is_out_of_memory
from tuneproof.engine.run.node_rendezvous import call_file
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.run.training_sink import TrainingSink
from tuneproof.engine.scoring.judges import Judge, make_judge
from tuneproof.engine.scoring.verdict import meets_target
from tuneproof.engine.stages.data_stages import labels
from tuneproof.engine.stages.learning_curve import CurveRuns
from tuneproof.engine.stages.merged_model import MergedRun
from tuneproof.engine.stages.method_comparison import ComparedRuns
from tuneproof.engine.stages.oom_fallback import go_on_smaller, parts_so_far
from tuneproof.engine.stages.plan_training import Planner, RowLengths, method_facts
from tuneproof.engine.stages.score_arms import ArmRuns
from tuneproof.engine.stages.train_variant import FurtherRuns

if TYPE_CHECKING:
    from tuneproof.engine.training.run import Trained

VERSIONS = ["torch", "transformers", "trl", "peft", "llguidance", "bm25s", "tuneproof"]
"""The libraries whose version can change a result."""

CATALOGUE_STEP = "catalogue"


class ModelStages:
    """The stages of one run that need its base model, loaded once and only when a stage is not done yet."""

    def __init__(self, store: RunStore, case: Case, log: EventLog, stop: StopRequest) -> None:
        assert case.task is not None and case.model is not None
        self._store, self._case, self._log, self._stop = store, case, log, stop
        self._task: Task = case.task
        self._model: ModelChoice = case.model
        if not any(may_need_bitsandbytes(name) for name in (case.method.name, *(each.name for each in case.evaluate.compare))):
            # PEFT imports it wherever it is installed, which takes seconds.
            block_import("bitsandbytes")

    @cached_property
    def base(self) -> BaseCheckpoint:
        """The base model's tokenizer and files, put on record the first time."""
        with large_imports():
            base = load_base(self._model)
        device, dtype = best_device()
        found = artifacts.ModelFacts(
            name=self._model.base,
            sha256=base.sha256,
            context=base.context_length,
            chat_template=base.has_chat_template,
            device=device.type,
            dtype=str(dtype).removeprefix("torch."),
            versions={name: version(name) for name in VERSIONS},
        )
        if not self._store.is_done("model", {"base": base.sha256}):
            self._store.write_step("model", {"base": base.sha256}, {artifacts.MODEL: found.as_text()})
        return base

    def lengths(self) -> TokenLengths:
        """How long rows are for this base."""
        return self._lengths

    @cached_property
    def _lengths(self) -> TokenLengths:
        return lengths_for(self.base, self._task)

    def baselines(self) -> bool:
        """Stage 4: every untuned arm of the case on the frozen cases, and the failure log; before them, what could be trained."""
        self._write_catalogue()
        wanted = [arm for arm in UNTUNED_ARMS.values() if arm.is_requested(self._case)]
        # A server that is not there is found out at once, not after the base has worked for hours.
        reused = [self._arms.score(arm) for arm in sorted(wanted, key=lambda arm: not arm.is_external)]
        self._arms.write_failures()
        return bool(reused) and all(reused)

    def method(self) -> bool:
        """Stage 5: how to train, or why not to."""
        asked = self._asked
        skipped, despite = self._reasons_against()
        # What is planned also rests on the memory that is free now: a plan that was settled once is kept when the run goes on.
        spent = [self._case.budget.model_dump(mode="json"), self._case.evaluate.learning_curve]
        made_from = {
            "settings": sha256_data([asked.requested, spent, skipped, despite]),
            "base": self.base.sha256,
            part_file(Part.TRAIN): self._store.check(part_file(Part.TRAIN)),
        }
        if self._store.is_done("method", made_from):
            return True
        chosen, planned = (asked, None) if skipped else self._planner_of(self._case.method, self._case.training).settle()
        found = method_facts(chosen, self._case.training, planned, skipped=skipped, despite=despite, length=self._trained_length)
        self._store.write_step("method", made_from, {artifacts.METHOD: found.as_text()})
        return False

    def train(self) -> bool:
        """Stage 6: the adapter, unless the evidence so far speaks against it. Raises GateClosed where the gate is."""
        skipped = self._method_facts.skipped
        if skipped is not None:
            self._log.emit(TrainingSkipped(reason=skipped), sync=True)
            return False
        self._check_gate()
        made_from = {
            "base": self.base.sha256,
            "plan": self._plan.digest,
            part_file(Part.TRAIN): self._store.check(part_file(Part.TRAIN)),
            part_file(Part.VALIDATION): self._store.check(part_file(Part.VALIDATION)),
        }
        if self._store.is_done("train", made_from):
            return True
        self._train(made_from)
        return False

    def evaluate(self) -> bool:
        """Stage 7: the tuned arms on the same frozen cases."""
        if self._method_facts.skipped is not None:
            return False
        adapter = self._store.path / artifacts.TRAINED
        reused = [self._arms.score(arm, adapter) for arm in TUNED_ARMS.values() if arm.is_requested(self._case)]
        self._arms.write_failures()
        runs = FurtherRuns(self._arms, self._fit)
        if self._case.evaluate.merged and METHODS[self._plan.method].supports(Ability.MERGE):
            reused.append(MergedRun(runs).measure())
        if self._case.evaluate.compare:
            reused.append(ComparedRuns(runs, self._case, self._plan, self._trained_rows, self._planner_of).measure())
        if self._case.evaluate.learning_curve:
            reused.append(CurveRuns(runs, self._case, self._plan).measure())
        return all(reused)

    @cached_property
    def _arms(self) -> ArmRuns:
        return ArmRuns(self._store, self._log, self._stop, self._task, self.base, self._setting, self._max_new_tokens)

    def _planner_of(self, choice: MethodChoice, training: Training) -> Planner:
        self._arms.release()
        entries = artifacts.Catalogue.model_validate_json(self._store.read(artifacts.CATALOGUE)).methods
        prompt, answer = self.lengths().prompt, self.lengths().answer
        rows = [(prompt(e), answer(e)) for e in self._trained_rows]
        return Planner(
            choice=choice,
            training=training,
            budget=self._case.budget,
            base=self.base,
            rows=RowLengths(whole=[asked + told for asked, told in rows], learned=[told for _, told in rows]),
            trained_parameters={e.name: e.trained_parameters for e in entries if e.trained_parameters is not None},
            stop=self._stop,
            learning_curve=self._case.evaluate.learning_curve,
        )

    @cached_property
    def _asked(self) -> Plan:
        """The plan that the case asks for, before it is held against the machine."""
        return make_plan(self._case.method, self._case.training)

    @cached_property
    def _plan(self) -> Plan:
        """The plan as the method stage settled it."""
        found = self._method_facts
        settled = make_plan(self._case.method.model_copy(update={"name": found.name}), self._case.training)
        if found.planned is None:
            return settled
        return replace(settled, why=found.why).with_execution(found.planned, parts_so_far(self._store))

    @property
    def _method_facts(self) -> artifacts.MethodFacts:
        return artifacts.MethodFacts.model_validate_json(self._store.read(artifacts.METHOD))

    @cached_property
    def _train_rows(self) -> list[tuple[str, Example]]:
        return self._store.part(Part.TRAIN)

    @cached_property
    def _validation(self) -> list[tuple[str, Example]]:
        return self._store.part(Part.VALIDATION)

    @cached_property
    def _limit(self) -> int:
        """The longest row that is trained on, in tokens: that of the case, and what the context has room for beside virtual tokens."""
        room = self.base.context_length - (self._asked.virtual_tokens or 0)
        return min(self._asked.max_length or room, room)

    @property
    def _trained_rows(self) -> list[Example]:
        """The rows that are trained on: whole, so without those that are too long."""
        lengths = self.lengths()
        kept = [e for _, e in self._train_rows if lengths.prompt(e) + lengths.answer(e) <= self._limit]
        if not kept:
            raise GateClosed("every train row is longer", where=f"training.max_length: {self._limit}", fix="raise it")
        return kept

    @property
    def _row_lengths(self) -> list[int]:
        lengths = self.lengths()
        return [lengths.prompt(e) + lengths.answer(e) for _, e in self._train_rows]

    @property
    def _trained_length(self) -> artifacts.TrainedLength:
        of_rows = self._row_lengths
        found = summary(of_rows)
        return artifacts.TrainedLength(
            p99=found.p99,
            longest=found.longest,
            cut=sum(length > found.p99 for length in of_rows),
            limit=self._asked.max_length,
            left_out=sum(length > self._limit for length in of_rows),
            mean=round(sum(of_rows) / len(of_rows), 3),
        )

    @cached_property
    def _judge(self) -> Judge:
        return make_judge(self._task, labels(self._train_rows))

    @cached_property
    def _max_new_tokens(self) -> int:
        """Most tokens of an answer, enough for the answers of train and validation."""
        return self._max_new_tokens_for([e for _, e in [*self._train_rows, *self._validation]])

    def _max_new_tokens_for(self, examples: Sequence[Example]) -> int:
        """Tokens in which any of these can be answered: the longest answer, a quarter more, and a little for the short ones."""
        answer = self.lengths().answer
        return max(answer(e) for e in examples) * 5 // 4 + 16

    @cached_property
    def _setting(self) -> ArmContext:
        def fits(messages: Sequence[Message]) -> bool:
            return len(self.base.token_ids(self.base.prompt(messages))) + self._max_new_tokens <= self.base.context_length

        train = [example for _, example in self._train_rows]
        data = self._case.data
        return ArmContext(
            instruction=self._task.instruction or "",
            judge=self._judge,
            train=train,
            fits=fits,
            seed=data.split.seed if data else 0,
            output=self._task.output,
            documents=data.documents if data else None,
            endpoint=self._case.endpoint,
        )

    def _write_catalogue(self) -> None:
        """What each method would train of this base: no evidence, so it is written anew where the settings are others now."""
        every = make_plans(self._case.training)
        made_from = {"base": self.base.sha256, "methods": sha256_data([[asdict(METHODS[p.method]), p.requested] for p in every])}
        step = self._store.manifest.steps.get(CATALOGUE_STEP)
        if step is not None and step.made_from == made_from:
            self._store.check(artifacts.CATALOGUE)
            return
        # Only now, because it imports peft.
        with large_imports():
            from tuneproof.engine.methods.parameters import build_catalogue

        found = build_catalogue(self.base.folder, every, self._case.training)
        found.length, found.rows_by_length = self._trained_length, sorted(Counter(self._row_lengths).items())
        self._store.write_step(CATALOGUE_STEP, made_from, {artifacts.CATALOGUE: found.as_text()})

    def _reasons_against(self) -> tuple[str | None, list[str]]:
        """Why training is not needed, or which of these reasons the case overrules."""
        evidence = gather(self._store)
        reasons = []
        met = [arm.name for arm in evidence.untuned if meets_target(arm.scores, self._task, self._case.target)]
        if met:
            reasons.append((f"{met[0]} already meets the target", self._case.method.even_if_met, "method.even_if_met"))
        if evidence.route.route is not Route.FINE_TUNING:
            key = "method.even_if_routed_elsewhere"
            reasons.append((f"the route is `{evidence.route.route}`", self._case.method.even_if_routed_elsewhere, key))
        standing = [f"{reason}; to train all the same, set {key}: true" for reason, overruled, key in reasons if not overruled]
        return (standing[0] if standing else None), [reason for reason, overruled, _ in reasons if overruled]

    def _check_gate(self) -> None:
        """No training without the three things that make its result mean something. Raises GateClosed with those that are missing."""
        missing = []
        steps = self._store.manifest.steps
        if not any(UNTUNED_ARMS[name].is_prompt_baseline for name in self._case.baselines if ARM_STEP + name in steps):
            missing.append("prompt baseline")
        train = Rows(example for _, example in self._train_rows)
        validation = Rows(example for _, example in self._validation)
        if not validation:
            missing.append("validation set")
        elif leaks(train, validation):
            missing.append("validation set (a train row leaks into it)")
        if not self._store.has(artifacts.FAILURES):
            missing.append("failure log")
        if missing:
            raise GateClosed(
                f"no training without these: {', '.join(missing)}",
                where=str(self._store.path),
                fix=f"give the case `baselines: [{ArmName.ZERO_SHOT}]` and a share for `data.split.validation`",
            )

    def _fit(self, examples: Sequence[Example], chosen: Plan, folder: Path, log: EventSink) -> Trained:
        """Trains the plan on some of the examples, probed on validation."""
        # TRL takes seconds to import, and most commands never train.
        with large_imports():
            from tuneproof.engine.training.distributed.launch import train_in_processes
            from tuneproof.engine.training.tokenize import encode
            from tuneproof.engine.training.validation_probe import Probe

            if chosen.processes == 1:
                from tuneproof.engine.training.run import train

        tuned = TUNED_ARMS[ArmName.TUNED](self._setting)
        by_id = {example.content_hash: (name, example) for name, example in self._validation}
        probed = [by_id[e.content_hash] for e in shuffled([e for _, e in self._validation], chosen.seed)[: chosen.probe_cases]]
        cases = [example for _, example in probed]
        probe = Probe(
            base=self.base,
            judge=self._judge,
            cases=probed,
            prompts=[self.base.prompt(tuned.messages(case)) for case in cases],
            encoded=encode(self.base, tuned, cases),
            # A model that does not know yet where to end writes on until it is full.
            max_new_tokens=self._max_new_tokens_for(cases),
        )
        given = (self.base, encode(self.base, tuned, examples), probe, chosen, folder, log, self._stop)
        try:
            if chosen.processes == 1:
                return train(*given)
            return train_in_processes(*given, call_file(self._store.path) if chosen.nodes > 1 else None)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise go_on_smaller(self._store, self._log, chosen) from None

    def _train(self, made_from: dict[str, str]) -> None:
        examples = self._trained_rows
        log = TrainingSink(self._log, TUNED_MODEL, "training")
        done = self._fit(examples, self._plan, self._store.path / "training", log)
        self._store.write(artifacts.TRAINING, done.facts(len(examples)).as_text())
        self._store.record_step("train", made_from, [artifacts.TRAINING, *(f"{artifacts.TRAINED}/{name}" for name in done.files)])
