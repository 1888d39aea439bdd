"""`tuneproof plan`: the plan of a case before anything is spent; the page goes to stdout, progress to stderr."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.schema import Case, DraftCase
from tuneproof.engine.core.errors import ExitCode, RunFailed
from tuneproof.engine.core.plain_text import sanitize_json
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.planning.gather import gather_plan
from tuneproof.engine.planning.page import PlanPage
from tuneproof.engine.planning.sources import PlanSources
from tuneproof.engine.planning.text import plan_text
from tuneproof.engine.run.ahead import Ahead, LookAhead
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.process import LocalWorker
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.store import CASE, EVENTS, WORKER_LOG, RunStore
from tuneproof.engine.stages.pipeline import check_case, planned_stages
from tuneproof.tui.waiting_line import WaitingLine

POLL_SECONDS = 0.1


def plan_run(run: Path, *, as_json: bool) -> int:
    """Prints the plan of a run. Raises UsageError if the folder is none."""
    store = RunStore.open(run)
    _show(gather_plan(PlanSources(store.case, store, run=run)), as_json=as_json)
    return int(ExitCode.DONE)


def plan_case(path: Path, named: Path, overrides: list[str], *, measures: bool, as_json: bool) -> int:
    """Prints the plan of a case; `named` is its file as the person named it.

    Raises CaseError for a case that cannot be read or that names what does not exist.
    """
    content = load_as(DraftCase, path, overrides)
    with _Look(content, Ahead.MEASURE if measures else Ahead.PREDICT) as look:
        _show(gather_plan(PlanSources(content, look.store, case_file=named, problem=look.problem)), as_json=as_json)
    return int(ExitCode.DONE)


def _show(page: PlanPage, *, as_json: bool) -> None:
    if not as_json:
        print(plan_text(page), end="")
        return
    from pydantic import TypeAdapter

    print(sanitize_json(TypeAdapter(PlanPage).dump_json(page).decode()))


@dataclass
class _Seen:
    """What one look at a case has shown."""

    look: LookAhead
    problem: str | None


class _Look:
    """What a process of its own sees of the data and the base of a case, until the block ends."""

    def __init__(self, content: DraftCase, ahead: Ahead) -> None:
        self._content, self._ahead = content, ahead
        self._seen: list[_Seen] = []

    @property
    def store(self) -> RunStore | None:
        """The temporary run folder; None for a case without data."""
        return self._seen[-1].look.store if self._seen else None

    @property
    def problem(self) -> str | None:
        """Why the data or the base could not be looked at; None if they were, and if the audit has said what is wrong."""
        return self._seen[0].problem if self._seen else None

    def __enter__(self) -> _Look:
        if self._content.data is None:
            return self
        case = _to_look_at(self._content)
        try:
            self._see(case)
            if case.model is not None and not self._has_audit():
                # The base is what failed, or the data are: without the base the rows are audited all the same.
                self._see(case.model_copy(update={"model": None}))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for seen in self._seen:
            seen.look.discard()

    def _has_audit(self) -> bool:
        from tuneproof.engine.run.artifacts import AUDIT

        return self.store is not None and self.store.has(AUDIT)

    def _see(self, case: Case) -> None:
        """Looks at the case. Raises CaseError for names that do not exist, and RunFailed if the process died."""
        check_case(case.on_this_machine(), planned_stages(case, Stage.SPLIT))
        look = LookAhead(case, self._ahead)
        self._seen.append(_Seen(look, None))
        state = _wait_for(look.start())
        if state.failure is not None and state.failure.exit_code == ExitCode.DEFECT:
            log = look.store.read(WORKER_LOG) if look.store.has(WORKER_LOG) else ""
            raise RuntimeError(f"the look at the case met a defect:\n{log}")
        if state.failure is not None:
            self._seen[-1].problem = state.failure.message


def _to_look_at(content: DraftCase) -> Case:
    """The case without what the look does not need: its route, and a base that would have to be downloaded."""
    whole = content.model_dump(by_alias=True)
    whole["decision"] = {"private_facts": False, "format_drift": False, "stable_task": False} | {
        key: value for key, value in whole["decision"].items() if value is not None
    }
    if content.model is not None and config_folder(content.model.base) is None:
        whole["model"] = None
    return Case.model_validate(whole)


def _wait_for(worker: LocalWorker) -> RunState:
    """Shows what the process is busy with until it ends. Raises RunFailed if it died without saying why."""
    state = RunState()
    waiting, reader = WaitingLine(state), EventReader(worker.run_dir / EVENTS)
    try:
        while True:
            running = worker.is_running()
            for event in reader.read():
                state.apply(event)
            waiting.show(time.time())
            if not running:
                break
            time.sleep(POLL_SECONDS)
    finally:
        waiting.clear()
        if worker.is_running():
            worker.kill()
    if state.failure is None and worker.exit_code() != ExitCode.DONE:
        raise RunFailed("the process that looks at the case died", where=str(worker.run_dir / CASE), fix="try it without --measure")
    return state
