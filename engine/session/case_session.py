"""One case in the wizard: its draft, the dry run of its data, the run that is made of it, and what can be done with them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.arms import untuned_arms
from tuneproof.engine.arms.grammar import bounds_of
from tuneproof.engine.audit.report import Report
from tuneproof.engine.card.evidence import gather
from tuneproof.engine.card.measured_route import measured_route
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.case.arm_names import with_repair
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.output_bounds import Bounds
from tuneproof.engine.case.route import ENOUGH_EXAMPLES, Route, RouteAnswers, choose_route
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import GateClosed, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.dry_run import DryRun
from tuneproof.engine.run.launch import launch
from tuneproof.engine.run.process import Worker
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.predictions import Prediction, read_predictions
from tuneproof.engine.scoring.rule import TargetStatus
from tuneproof.engine.scoring.scores import Scores
from tuneproof.engine.scoring.verdict import target_status
from tuneproof.engine.session.cached_reader import CachedReader
from tuneproof.engine.session.decision_history import DecisionHistory
from tuneproof.engine.session.last_known import DECIDED, LastKnown
from tuneproof.engine.session.met_as_measured import MetAsMeasured, met_as_measured
from tuneproof.engine.session.next_runs import NextRun, next_runs
from tuneproof.engine.session.runs_of_case import newest_run
from tuneproof.engine.session.since_last import SinceLast, since_last
from tuneproof.engine.stages.pipeline import check_case, planned_stages, with_possible_baselines

RUNS = Path("runs")
"""Where the wizard makes its runs."""


LAST_MOMENTS = 3.0
"""Seconds that a process may take to end after its last event; libraries that were loaded take most of them."""


class CaseSession:
    """A draft; before its eval set is frozen, a dry run that shows what its data is like; afterwards, its run."""

    def __init__(self, draft: Draft, store: RunStore | None = None) -> None:
        self.draft, self.store = draft, store
        self.dry_run: DryRun | None = None
        self._worker: Worker | None = None
        self._reader = CachedReader()
        self._measured: _Measured | None = None
        self._bounds: tuple[tuple[Path, str], Bounds] | None = None
        self._since_last: tuple[Path, SinceLast | None] | None = None
        self._last_report: tuple[tuple[object, ...], Report] | None = None
        self._last_known = LastKnown()
        self.why_no_dry_run: TuneproofError | None = None
        """Why the draft as it was could not be run dry; None if it could."""
        self.is_method_chosen = False
        """Whether the person has gone on from the method as it is."""
        self.decisions = DecisionHistory()
        """What was decided about the findings since the case was opened."""
        self._follows: str | None = None
        """The run that the next one follows."""

    @classmethod
    def of_case(cls, draft: Draft, runs: Path = RUNS) -> CaseSession:
        """The draft, with the newest run under `runs` that has the same frozen sections."""
        return cls(draft, newest_run(draft, runs))

    @classmethod
    def of_run(cls, path: Path) -> CaseSession:
        """An existing run. Raises UsageError if the folder is not a run, and CaseError or VerifyFailed if what is in it is none."""
        store = RunStore.open(path)
        _ = store.manifest
        return cls(Draft(DraftCase.model_validate(store.case.model_dump(by_alias=True)), None), store)

    @property
    def is_frozen(self) -> bool:
        """Whether there is a run, so that answers, data, task and target can no longer change."""
        return self.store is not None

    def start_over(self) -> None:
        """Leaves the run as it is, and continues with the draft alone, in which everything can be changed.

        The next run takes over what would be measured in it as it was in this one.
        """
        if self.store is not None and self.store.path.parent.resolve() == RUNS.resolve():
            self._follows = self.store.path.name
        self.store = self._worker = self._measured = None
        self.is_method_chosen = False
        if self.draft.path is None:
            self.draft = Draft.copy_to(self.draft, Path.cwd())

    def answers(self) -> RouteAnswers | None:
        """The answers, if they are enough for a route; the number of examples is counted if the draft does not say it."""
        report = self.report
        return self.draft.route_answers(report.counts.rows if report and self.data_facts else None)

    def route(self) -> Route | None:
        """The route of the present answers; None if it depends on an answer that is missing."""
        answers = self.answers()
        possible = [answers] if answers else [self.draft.route_answers(ENOUGH_EXAMPLES - 1), self.draft.route_answers(ENOUGH_EXAMPLES)]
        routes = {choose_route(given) for given in possible if given is not None}
        return routes.pop() if len(routes) == 1 else None

    def start_dry_run(self) -> DryRun:
        """Starts a dry run of the draft in place of the one before. Raises a TuneproofError if the draft cannot be run."""
        self.why_no_dry_run = None
        try:
            # In a temporary folder, which no other machine sees.
            case = self.draft.case().on_this_machine()
            check_case(case, planned_stages(case, Stage.SPLIT))
            self.dry_run = DryRun(case, after=self.dry_run)
            self.dry_run.start()
        except TuneproofError as error:
            self.why_no_dry_run = error
            raise
        return self.dry_run

    def end_dry_run(self) -> None:
        """Ends the dry run and removes its folder."""
        if self.dry_run is not None:
            self.dry_run.discard()
            self.dry_run = None

    @property
    def dry_run_is_current(self) -> bool:
        """Whether the dry run has the data, the task and the model of the draft."""
        if self.dry_run is None or self.draft.unanswered():
            return False
        now, then = self.draft.content, self.dry_run.case
        return all(getattr(now, section) == getattr(then, section) for section in ("data", "task", "model"))

    def freeze(self) -> RunStore:
        """Makes the run and starts its split. Raises a TuneproofError if the case cannot be run up to its baselines."""
        case = with_possible_baselines(self.draft.case())
        check_case(case, planned_stages(case, Stage.BASELINES))
        self.store = RunStore.create_numbered(case, self._follows)
        self._start(Stage.SPLIT)
        self.end_dry_run()
        return self.store

    def resume(self, until: Stage) -> None:
        """Stores the later choices in the run and starts its worker up to a stage. Raises a TuneproofError if that cannot be."""
        if self.store is None:
            raise GateClosed("nothing is frozen yet", where=self.draft.content.name, fix="freeze the eval set first")
        case = with_possible_baselines(self.draft.case())
        check_case(case, planned_stages(case, until))
        self._let_the_last_worker_end()
        self.store.amend(case)
        self._start(until)

    def _start(self, until: Stage) -> None:
        assert self.store is not None
        if waiting := self.waiting:
            raise GateClosed(waiting, where=str(self.store.path), fix="wait until it begins, or stop it first")
        self._worker, _ = launch(self.store.path, until)

    def _let_the_last_worker_end(self) -> None:
        """Waits a moment for a worker that has logged its end: it holds the lock of the run until its process is gone."""
        if self._worker is not None and self._worker.queue_status() is None:
            deadline = time.monotonic() + LAST_MOMENTS
            while self._worker.is_running() and time.monotonic() < deadline:
                time.sleep(0.02)

    @property
    def waiting(self) -> str | None:
        """What the worker that was started here waits for; None if it has begun, or if there is none."""
        return self._worker.queue_status() if self._worker else None

    def stop_waiting(self) -> bool:
        """Cancels a worker that has not begun. Returns whether there was one."""
        if self._worker is None or self._worker.queue_status() is None:
            return False
        self._worker.stop()
        return True

    @property
    def report(self) -> Report | None:
        """The audit of the run, or of the dry run before there is one."""
        return self._reader.read(self._store_with_data, artifacts.AUDIT, Report)

    @property
    def last_report(self) -> Report | None:
        """The audit; while it is made again after a decision about a finding, the one before."""
        content = self.draft.content
        same_rows = (content.data and content.data.model_dump(exclude=DECIDED), content.task, content.model)
        if (report := self.report) is not None:
            self._last_report = (same_rows, report)
        return self._last_report[1] if self._last_report and self._last_report[0] == same_rows else None

    def last_known(self, dry_run: RunState) -> LastKnown:
        """The audit and the split of these files as they were last, also while a dry run makes them again; `dry_run` is its state."""
        return self._last_known.see(self.draft.content, self.report, dry_run.frozen)

    @property
    def data_facts(self) -> artifacts.DataFacts | None:
        """What the data looks like, from the run, or from the dry run before there is one."""
        return self._reader.read(self._store_with_data, artifacts.DATA, artifacts.DataFacts)

    @property
    def model(self) -> artifacts.ModelFacts | None:
        """The base model, once the run has loaded it."""
        return self._reader.read(self.store, artifacts.MODEL, artifacts.ModelFacts)

    @property
    def catalogue(self) -> artifacts.Catalogue | None:
        """The methods with what each would train of this base, and the lengths of the train rows; None until the baselines have begun."""
        return self._reader.read(self.store, artifacts.CATALOGUE, artifacts.Catalogue)

    @property
    def method(self) -> artifacts.MethodFacts | None:
        """The plan of the training, once it is made."""
        facts = self._reader.read(self.store, artifacts.METHOD, artifacts.MethodFacts)
        return facts if facts and self.store and StepId(StepKind.METHOD) in self.store.manifest.steps else None

    @property
    def planned(self) -> artifacts.PlannedFacts | None:
        """What was predicted and measured for the training, once it is planned."""
        return self.method.planned if self.method else None

    @property
    def card(self) -> Card | None:
        """The card of the run, once it is written."""
        return self._reader.read(self.store, CARD_JSON, Card)

    @property
    def next_runs(self) -> list[NextRun]:
        """What the card suggests to try next, one value at a time; nothing before there is a card."""
        card = self.card
        return next_runs(self.draft.content, card) if card is not None else []

    def choose_next_run(self, chosen: NextRun) -> None:
        """Leaves the run as it is, and changes one value in the draft. Raises CaseError if the value does not fit the case."""
        self.start_over()
        self.draft.choose(**chosen.sections)

    @property
    def since_last(self) -> SinceLast | None:
        """The run beside the one that it follows, once it has a card; None if it follows none."""
        if self.store is None or self.card is None:
            return None
        if self._since_last is None or self._since_last[0] != self.store.path:
            self._since_last = (self.store.path, since_last(self.store))
        return self._since_last[1]

    @property
    def grammar_bounds(self) -> Bounds | None:
        """The bounds that constrained decoding will have with the task of the draft, by path; None until the rows are split.

        Raises CaseError if a bound of the case does not fit the answers.
        """
        store, task = self._store_with_data, self.draft.content.task
        if store is None or task is None or StepId(StepKind.SPLIT) not in store.manifest.steps:
            return None
        key = (store.path, task.output.model_dump_json())
        if self._bounds is None or self._bounds[0] != key:
            train, validation = ([example.output for _, example in store.part(part)] for part in (Part.TRAIN, Part.VALIDATION))
            self._bounds = (key, bounds_of(task.output, train, validation))
        return self._bounds[1]

    def scores(self, arm: str) -> Scores | None:
        """The scores of an arm on the frozen cases, once it has been run."""
        return self._reader.read(self.store, artifacts.scores_file(arm), Scores)

    def arm_summary(self, arm: str) -> str:
        """How the prompt of an arm was chosen, in a sentence; empty if the arm was not run, or if there was nothing to choose."""
        facts = self._reader.read(self.store, artifacts.arm_file(arm), artifacts.ArmFacts)
        return facts.summary if facts else ""

    def predictions(self, arm: str) -> list[Prediction]:
        """The predictions of an arm, case by case; empty if it was not run."""
        name = artifacts.predictions_file(arm)
        try:
            return read_predictions(self.store.read(name)) if self.store and self.store.has(name) else []
        except (OSError, ValueError):
            return []

    def arms_that_meet_the_target(self) -> list[str]:
        """The untuned arms that are shown to reach the target, lightest first."""
        return [arm for arm, status in self.target_status().items() if status is TargetStatus.SHOWN]

    def target_status(self) -> dict[str, TargetStatus]:
        """Which of the untuned arms that were scored reach the target, and how surely, lightest first; read again after a change."""
        measured = self._read_measured()
        return measured.statuses if measured else {}

    def met_as_measured(self) -> MetAsMeasured | None:
        """The lightest untuned arm that meets the target as measured, which is not shown; None if one is shown to, or none meets it."""
        measured = self._read_measured()
        return None if measured is None or self.arms_that_meet_the_target() else measured.met_as_measured

    def route_after_measurement(self) -> Route | None:
        """The route, drawn again once the untuned arms have been scored against a target."""
        measured = self._read_measured()
        return measured.route if measured else self.route()

    def _read_measured(self) -> _Measured | None:
        """What the untuned arms that were scored say about the target."""
        arms = untuned_arms(self.draft.content)
        scored = tuple(row for arm in arms for row in (arm, with_repair(arm)) if self.scores(row) is not None)
        if self.store is None or not scored or self.draft.content.target is None:
            return None
        if self._measured is None or self._measured.scored != scored:
            evidence = gather(self.store, untuned_only=True)
            measure, untuned = evidence.measure, evidence.untuned
            statuses = target_status(measure, untuned) if measure else {}
            measured = next((arm for arm in untuned if statuses.get(arm.name) is TargetStatus.MEASURED), None)
            met = met_as_measured(measure, measured) if measure and measured else None
            self._measured = _Measured(scored, statuses, met, measured_route(evidence).route)
        return self._measured

    def unavailable(self, method: str) -> str | None:
        """Why the worker cannot train a method on this machine; None if it can, or if a job on a cluster will train it."""
        return None if self.draft.content.training.job else unavailable_reason(METHODS[method])

    @property
    def _store_with_data(self) -> RunStore | None:
        return self.store or (self.dry_run.store if self.dry_run else None)


@dataclass(frozen=True)
class _Measured:
    """What the untuned arms that were scored say about the target, and the route that this leads to."""

    scored: tuple[str, ...]
    statuses: dict[str, TargetStatus]
    met_as_measured: MetAsMeasured | None
    route: Route
