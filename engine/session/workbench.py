"""One case under way: its draft, the run made of it, and what may be done next. Knows no screen, holds the rules for one."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel

from tuneproof.engine.arms import UNTUNED_ARMS
from tuneproof.engine.audit.report import Report
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.case.draft import Draft, next_run_dir
from tuneproof.engine.case.route import ENOUGH_EXAMPLES, Route, RouteAnswers, choose_route
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import GateClosed, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.forecast import Forecast, forecast_memory
from tuneproof.engine.methods.model_shape import UnsupportedArchitecture, read_shape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan, make_plans
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.dry_run import Trial
from tuneproof.engine.run.launch import launch
from tuneproof.engine.run.process import Worker
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.store import CHOSEN_LATER, RunStore
from tuneproof.engine.scoring.predictions import Prediction, Scores, read_predictions
from tuneproof.engine.scoring.verdict import meets_target
from tuneproof.engine.session.steps import Step
from tuneproof.engine.stages.pipeline import check_case, planned_stages

Stored = TypeVar("Stored", bound=BaseModel)


class Workbench:
    """A draft, the trial that shows what its data is like, and, once the eval set is frozen, its run."""

    def __init__(self, draft: Draft, store: RunStore | None = None) -> None:
        self.draft, self.store = draft, store
        self.trial: Trial | None = None
        self._worker: Worker | None = None
        self._kept: dict[Path, tuple[tuple[int, int], BaseModel]] = {}

    @classmethod
    def of_case(cls, draft: Draft, runs: Path = Path("runs")) -> Workbench:
        """The draft with its newest run, where one was made of the same frozen parts."""
        return cls(draft, _run_of(draft, runs))

    @classmethod
    def of_run(cls, path: Path) -> Workbench:
        """A run that is there already. Raises UsageError where it is none."""
        store = RunStore.open(path)
        return cls(Draft(DraftCase.model_validate(store.case.model_dump(by_alias=True)), None), store)

    @property
    def is_frozen(self) -> bool:
        """Whether there is a run, so that answers, data, task and target can no longer change."""
        return self.store is not None

    def thaw(self) -> None:
        """Lays the run aside, so that everything can be chosen anew; the run stays where it is."""
        self.store = self._worker = None
        if self.draft.path is None:
            self.draft = Draft.copy_to(self.draft, Path.cwd())

    def answers(self) -> RouteAnswers | None:
        """The answers, once there is a route in them; the number of examples counted where it was not told."""
        data = self.data_facts
        report = self.report
        counted = report.counts.rows if report and data else None
        return self.draft.route_answers(counted)

    def route(self) -> Route | None:
        """The route as it stands now; none where an answer that decides it is missing."""
        answers = self.answers()
        likely = [answers] if answers else [self.draft.route_answers(ENOUGH_EXAMPLES - 1), self.draft.route_answers(ENOUGH_EXAMPLES)]
        routes = {choose_route(given) for given in likely if given is not None}
        return routes.pop() if len(routes) == 1 else None

    def try_data(self) -> Trial:
        """A trial of the draft as it stands, in place of the one before. Raises a TuneproofError where the draft cannot be run."""
        # In a folder that no other machine sees.
        case = self.draft.case().on_this_machine()
        check_case(case, planned_stages(case, Stage.SPLIT))
        self.end_trial()
        self.trial = Trial(case)
        self.trial.start()
        return self.trial

    def end_trial(self) -> None:
        """Throws the trial away."""
        if self.trial is not None:
            self.trial.discard()
            self.trial = None

    @property
    def trial_is_current(self) -> bool:
        """Whether the trial is of the draft as it stands."""
        if self.trial is None or self.draft.unanswered():
            return False
        now, tried = self.draft.content, self.trial.case
        return all(getattr(now, part) == getattr(tried, part) for part in ("data", "task", "model"))

    def freeze(self) -> RunStore:
        """Makes the run and starts its split. Raises a TuneproofError where the case cannot go so far."""
        case = self.draft.case()
        check_case(case, planned_stages(case, Stage.BASELINES))
        self.store = RunStore.create(next_run_dir(case.name), case)
        self._start(Stage.SPLIT)
        self.end_trial()
        return self.store

    def go_on(self, until: Stage) -> None:
        """Takes the later choices into the run and starts its worker up to a stage. Raises a TuneproofError where that cannot be."""
        if self.store is None:
            raise GateClosed("nothing is frozen yet", where=self.draft.content.name, fix="freeze the eval set first")
        case = self.draft.case()
        check_case(case, planned_stages(case, until))
        self.store.amend(case)
        self._start(until)

    def _start(self, until: Stage) -> None:
        assert self.store is not None
        if waiting := self.waiting:
            raise GateClosed(waiting, where=str(self.store.path), fix="wait until it begins, or stop it first")
        self._worker, _ = launch(self.store.path, until)

    @property
    def waiting(self) -> str | None:
        """What the worker waits for that was started from here; none where it has begun, or there is none."""
        return self._worker.waiting() if self._worker else None

    def stop_waiting(self) -> bool:
        """Takes a worker that has not begun out of its queue. Whether there was one."""
        if self._worker is None or self._worker.waiting() is None:
            return False
        self._worker.stop()
        return True

    @property
    def report(self) -> Report | None:
        """The audit of the run, or of the trial."""
        return self._read(artifacts.AUDIT, Report, self.store or self._trial_store)

    @property
    def data_facts(self) -> artifacts.DataFacts | None:
        """What the data looks like, from the run or the trial."""
        return self._read(artifacts.DATA, artifacts.DataFacts, self.store or self._trial_store)

    @property
    def card(self) -> Card | None:
        """The card of the run, once it is written."""
        return self._read(CARD_JSON, Card, self.store)

    def scores(self, arm: str) -> Scores | None:
        """The scores of an arm on the frozen cases, once it has been run."""
        return self._read(artifacts.scores_file(arm), Scores, self.store)

    def asked(self, arm: str) -> str:
        """What was settled about how an arm asks, in a sentence; nothing where it was not run yet, or there was nothing to settle."""
        found = self._read(artifacts.arm_file(arm), artifacts.ArmFacts, self.store)
        return found.told if found else ""

    def predictions(self, arm: str) -> list[Prediction]:
        """What an arm answered, case by case; nothing where it was not run yet."""
        name = artifacts.predictions_file(arm)
        return read_predictions(self.store.read(name)) if self.store and self.store.has(name) else []

    def arms_that_meet_the_target(self) -> list[str]:
        """The untuned arms that reach the target, lightest first."""
        content = self.draft.content
        measured = [(arm, self.scores(arm)) for arm in UNTUNED_ARMS if arm in content.baselines]
        return [arm for arm, scores in measured if scores and content.task and meets_target(scores, content.task, content.target)]

    @property
    def catalogue(self) -> list[artifacts.CatalogueEntry]:
        """The methods for this base, with what each would train; empty until the baselines have begun."""
        found = self._read(artifacts.CATALOGUE, artifacts.Catalogue, self.store)
        return found.methods if found else []

    @property
    def trained_length(self) -> artifacts.TrainedLength | None:
        """How long the rows are that a training would read; none until the baselines have begun."""
        found = self._read(artifacts.CATALOGUE, artifacts.Catalogue, self.store)
        return found.length if found else None

    def forecasts(self) -> dict[str, Forecast]:
        """What each method would take here with the settings as they stand; empty where that cannot be told."""
        found = self._read(artifacts.CATALOGUE, artifacts.Catalogue, self.store)
        model = self._read(artifacts.MODEL, artifacts.ModelFacts, self.store)
        folder = config_folder(model.name) if model else None
        if found is None or model is None or folder is None:
            return {}
        try:
            shape = read_shape(folder)
        except UnsupportedArchitecture:
            return {}
        content = self.draft.content
        limit = content.training.max_length or model.context
        lengths = [length for length, rows in found.rows_by_length for _ in range(rows) if length <= limit]
        if not lengths:
            return {}
        counted = {entry.name: entry for entry in found.methods}
        planned = [(plan, _trained_by(plan, counted.get(plan.method))) for plan in make_plans(content.training)]
        known = [(plan, trained) for plan, trained in planned if trained is not None]
        return forecast_memory(known, shape, SequenceLengths(lengths, model.context), content.budget, on_gpu=model.device == "cuda")

    def refused(self, method: str) -> str | None:
        """Why the method cannot be trained where the worker will run; none where it can, or where only the job of a cluster can tell."""
        return None if self.draft.content.training.job else unavailable_reason(METHODS[method])

    @property
    def _trial_store(self) -> RunStore | None:
        return self.trial.store if self.trial else None

    def _read(self, name: str, model: type[Stored], store: RunStore | None) -> Stored | None:
        """A file of facts, read again only when it has changed: screens ask at every event."""
        if store is None or not store.has(name):
            return None
        path = store.path / name
        stamp = (path.stat().st_mtime_ns, path.stat().st_size)
        kept = self._kept.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._kept[path] = (stamp, model.model_validate_json(store.read(name)))
        return cast(Stored, kept[1])

    def done(self, step: Step, state: RunState) -> bool:
        """Whether a step is behind one."""
        content = self.draft.content
        match step:
            case Step.DECIDE:
                return not [key for key in self.draft.unanswered() if key != "labeled_examples"]
            case Step.DATA:
                return content.data is not None
            case Step.AUDIT:
                return Stage.AUDIT in state.done or self._audit_is_open()
            case Step.TASK:
                return Stage.SPLIT in state.done
            case Step.BASELINES:
                return Stage.BASELINES in state.done
            case Step.METHOD:
                return state.tuned.started is not None or state.tuned.skipped is not None
            case Step.TRAIN:
                return state.tuned.finished is not None or state.tuned.skipped is not None
            case Step.CARD:
                return state.card is not None

    def may_enter(self, step: Step, state: RunState) -> str | None:
        """Why a step cannot be entered yet; none where it can."""
        needed = {
            Step.DATA: (Step.DECIDE, "answer the questions first"),
            Step.AUDIT: (Step.DATA, "choose the data first"),
            Step.TASK: (Step.AUDIT, "the audit comes first; what blocks must be settled"),
            Step.BASELINES: (Step.TASK, "freeze the eval set first"),
            Step.METHOD: (Step.BASELINES, "run the baselines first: no training without one"),
            Step.TRAIN: (Step.BASELINES, "run the baselines first: no training without one"),
            Step.CARD: (Step.BASELINES, "run the baselines first: the card is made of measurements"),
        }.get(step)
        # What a run began with was audited as a draft; where its own audit ends otherwise, the task step says what to do.
        if needed is None or (step is Step.TASK and self.is_frozen) or self.done(needed[0], state):
            return None
        return needed[1]

    def freeze_broke_off(self, state: RunState) -> bool:
        """Whether the worker that should have frozen the eval set of the run ended before it had."""
        return self.is_frozen and Stage.SPLIT not in state.done and state.status not in (RunStatus.NEW, RunStatus.RUNNING)

    def _audit_is_open(self) -> bool:
        report = self.report
        return report is not None and (self.is_frozen or self.trial_is_current) and not report.blocking()

    def step_of(self, state: RunState) -> Step:
        """Where the work stands: the first step that is not done, or the card."""
        if state.status is RunStatus.RUNNING:
            # A worker that goes on passes quickly through what is done; what it is there for is the first stage that is not.
            return STEP_OF_STAGE[next((stage for stage in Stage if stage not in state.done), Stage.CARD)]
        if self.freeze_broke_off(state):
            return Step.TASK
        return next((step for step in Step if not self.done(step, state)), Step.CARD)


STEP_OF_STAGE = {
    Stage.ROUTE: Step.TASK,
    Stage.AUDIT: Step.TASK,
    Stage.SPLIT: Step.TASK,
    Stage.BASELINES: Step.BASELINES,
    # Planning takes no time; whoever started it wants to see the training.
    Stage.METHOD: Step.TRAIN,
    Stage.TRAIN: Step.TRAIN,
    Stage.EVALUATE: Step.TRAIN,
    Stage.CARD: Step.CARD,
}
"""Where the wizard shows a stage of a run."""


def _run_of(draft: Draft, runs: Path) -> RunStore | None:
    """The newest run whose frozen parts are those of the draft."""
    for path in sorted(runs.glob("*"), key=lambda p: p.stat().st_mtime, reverse=True):
        try:
            case = RunStore.open(path).case
            wanted = draft.case()
        except TuneproofError:
            continue
        if all(getattr(case, part) == getattr(wanted, part) for part in DraftCase.model_fields if part not in CHOSEN_LATER):
            return RunStore(path)
    return None


def _trained_by(plan: Plan, counted: artifacts.CatalogueEntry | None) -> int | None:
    """Parameters that the plan trains; where its rank, or its number of virtual tokens, is another than was counted for, in proportion."""
    if counted is None or counted.trained_parameters is None:
        return None
    size, then = plan.rank or plan.virtual_tokens, counted.settings.get("rank") or counted.settings.get("virtual_tokens")
    return round(counted.trained_parameters * size / then) if size and then else counted.trained_parameters
