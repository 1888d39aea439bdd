"""What the stages that use the base model share, each part loaded when a stage first needs it. Imports transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version

from tuneproof.engine.arms import ArmContext
from tuneproof.engine.arms.token_lengths import answer_budget, token_lengths, untuned_budget
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.tools_in_text import ToolForm
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.methods.refusals import may_need_bitsandbytes
from tuneproof.engine.models.base_model import BaseCheckpoint, best_device, load_base
from tuneproof.engine.models.find_faults import base_faults
from tuneproof.engine.models.generation import greedy_settings
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.work import Work
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.libraries import grading_libraries
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.repair import LIBRARY, make_repair
from tuneproof.engine.scoring.script_scorer import OutsideScorer, ScriptScorer, script_scorer
from tuneproof.engine.stages.data_readings import DataReadings
from tuneproof.engine.stages.judge import JudgeScorer
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.score_arms import AnswerRoom, ArmScorer
from tuneproof.engine.stages.training_rows import TrainingRows

VERSIONS = ["torch", "transformers", "trl", "peft", "llguidance", "bm25s", LIBRARY, "tuneproof"]
"""The libraries whose version can change a result."""

TRIED_ROWS = 20
"""Rows whose expected answers a script of the case is tried on."""


class ModelContext:
    """The base model of a run, and what follows from it, the task and the frozen rows. Nothing here but `record_base` writes."""

    def __init__(self, run: RunContext, task: Task, model: ModelChoice, readings: DataReadings) -> None:
        self.run, self.task, self.model, self._readings = run, task, model, readings
        if not any(may_need_bitsandbytes(name) for name in (run.case.method.name, *(each.name for each in run.case.evaluate.compare))):
            # PEFT imports it wherever it is installed, which takes seconds.
            block_import("bitsandbytes")

    @cached_property
    def base(self) -> BaseCheckpoint:
        """The tokenizer and the files of the base model; its weights are loaded by the decoders."""
        with working(self.run.log, Work.BASE), large_imports():
            base = load_base(self.model).thinking_as_in(example.output for example in self._readings.examples.examples)
        return base if self._recorded is None or self._recorded.files else base.with_first_digest()

    def take_over(self, earlier: ModelContext) -> None:
        """Takes over the base as it was loaded for the same data and task."""
        self.__dict__ |= {name: earlier.__dict__[name] for name in ("base", "lengths") if name in earlier.__dict__}

    @property
    def _recorded(self) -> artifacts.ModelFacts | None:
        """The base model as the run has recorded it; None if it has not yet."""
        store = self.run.store
        return artifacts.ModelFacts.model_validate_json(store.read(artifacts.MODEL)) if store.has(artifacts.MODEL) else None

    def record_base(self) -> None:
        """Records the base model and what it runs on, as the step before the audit. Writes `model.json`."""
        store, step = self.run.store, StepId(StepKind.MODEL)
        inputs = store.inputs(settings={"base": self.base.sha256})
        if self.run.is_done(step, inputs):
            return
        device, dtype = best_device()
        facts = artifacts.ModelFacts(
            name=self.model.base,
            sha256=self.base.sha256,
            context=self.base.context_length,
            chat_template=self.base.chat.own,
            device=device.type,
            dtype=str(dtype).removeprefix("torch."),
            versions={name: version(name) for name in [*VERSIONS, *grading_libraries(self.task)]},
            system_turn=self.base.chat.system_turn,
            repeated_turns=self.base.chat.repeated_turns,
            thinking=self.base.chat.thinking,
            reasoning_tokens=self.base.reasoning_tokens,
            tools=self.base.chat.tools if any(example.tool_use is not None for example in self._readings.examples.examples) else None,
            files=dict(self.base.files),
            generation=greedy_settings(self.base.eos_token_ids, self.base.tokenizer.pad_token_id),
            settings_not_used=dict(self.base.settings_not_used),
            own_code=self.base.own_code,
        )
        store.write_step(step, inputs, {artifacts.MODEL: facts.as_text()})
        unusual = self.base.chat.habits(self.base.reasoning_tokens)
        unusual += [f"{each.sentence}: {each.fix}" for each in base_faults(self.base.chat, self.base.eos_token_ids) if each.breaks_here]
        if facts.tools is ToolForm.TEXT:
            unusual.append("the chat template has no place for tools: they are offered, called and answered in text")
        for phrase in unusual:
            self.run.log.emit(Warned(message=phrase))

    @cached_property
    def lengths(self) -> TokenLengths:
        """How long rows are in tokens of this base."""
        return token_lengths(self.base, self.task)

    @cached_property
    def rows(self) -> TrainingRows:
        """Train and validation, and which rows are short enough to train on."""
        wanted = make_plan(self.run.case.method, self.run.case.training)
        context = self.base.context_length - (wanted.virtual_tokens or 0)
        return TrainingRows(
            train=self.run.store.part(Part.TRAIN),
            validation=self.run.store.part(Part.VALIDATION),
            lengths=self.lengths,
            limit=min(wanted.max_length or context, context),
            limit_of_case=wanted.max_length,
        )

    @cached_property
    def room(self) -> AnswerRoom:
        """The tokens that an answer to a frozen case may take, with those for reasoning."""
        wanted, examples = self.run.case.evaluate.max_new_tokens, [example for _, example in [*self.rows.train, *self.rows.validation]]
        reasoning = self.base.reasoning_tokens
        if wanted is not None:
            return AnswerRoom(untuned=wanted + reasoning, tuned=wanted + reasoning, wanted=wanted)
        untuned, tuned = untuned_budget(self.lengths, examples), answer_budget(self.lengths, examples)
        return AnswerRoom(untuned=untuned + reasoning, tuned=tuned + reasoning)

    @cached_property
    def setting(self) -> ArmContext:
        """What arms are made from."""

        def fits(messages: Sequence[Message]) -> bool:
            # Examples make room for the answers of train; only what they leave of the context is for a model that writes more.
            return len(self.base.token_ids(self.base.prompt(messages))) + self.room.tuned <= self.base.context_length

        train, data = [example for _, example in self.rows.train], self.run.case.data
        return ArmContext(
            instruction=self.task.instruction or "",
            grader=make_grader(self.task, [example.output for example in train], self.run.store.grading_rules),
            train=train,
            fits=fits,
            seed=data.split.seed if data else 0,
            output=self.task.output,
            validation=[example for _, example in self.rows.validation],
            documents=data.documents if data else None,
            endpoint=self.run.case.endpoint,
            prompt_search=self.run.case.evaluate.prompt_search,
        )

    @cached_property
    def measure(self) -> Measure:
        """How the arms and the model in training are measured."""
        return Measure(self.task, self.run.case.target, self.setting.grader)

    @cached_property
    def script(self) -> ScriptScorer | None:
        """What asks the script of the case; None if its metric is another."""
        return script_scorer(self.task, self.setting.grader)

    @cached_property
    def judge(self) -> JudgeScorer | None:
        """The judge of the case; None if its metric is another."""
        judge, task = self.run.case.judge, self.task
        if judge is None or task.primary_metric is not Metric.PREFERENCE:
            return None
        return JudgeScorer(self.run, judge, task.instruction or "", task.pass_score, self.setting.grader)

    @property
    def outside(self) -> OutsideScorer | None:
        """What gives an answer the score that no grader can compute; None for other metrics."""
        return self.script or self.judge

    def try_script(self) -> None:
        """Tries the script of the case on a few expected answers. Raises CaseError if it gives no score."""
        if self.script is not None:
            self.script.try_on((self.run.store.part(Part.VALIDATION) or self.run.store.part(Part.EVAL))[:TRIED_ROWS])

    @cached_property
    def scorer(self) -> ArmScorer:
        """Runs and scores arms; keeps the untuned weights in memory between them."""
        repair = make_repair(
            self.task, [example.output for _, example in self.rows.train], self.setting.grader, self.run.store.grading_rules
        )
        run = self.run
        return ArmScorer(run.store, run.log, run.stop, self.task, self.base, self.setting, self.room, repair, self.measure, self.outside)
