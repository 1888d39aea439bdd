"""`tuneproof --replay`: a case without the wizard; results go to stdout, progress to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tuneproof.engine.card.schema import CARD_HTML, CARD_JSON, CARD_MD
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import ExitCode, TuneproofError, UsageError
from tuneproof.engine.core.plain_text import sanitize, sanitize_json
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.artifacts import PLAN
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import AnyEvent, Failed, Finished, Launched, RouteDecided
from tuneproof.engine.run.killed import last_killed
from tuneproof.engine.run.launch import launch, not_started, wait_until_launched
from tuneproof.engine.run.limits import machine_limit
from tuneproof.engine.run.process import Worker, log_traceback
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import EVENTS, WORKER_LOG, RunStore
from tuneproof.engine.stages.pipeline import check_case, is_light, planned_stages, run_stages, with_possible_baselines
from tuneproof.tui.interrupts import passed_on
from tuneproof.tui.notification import notify_on_stderr, run_ended
from tuneproof.tui.progress import progress_line, route_text
from tuneproof.tui.waiting_line import WaitingLine

POLL_SECONDS = 0.1

MOST_WORKERS = 12
"""Workers that follow each other after the kernel killed one: each halves the parts of a batch, and few batches have a thousand rows."""


def replay(path: Path, *, run_dir: Path | None, until: Stage | None, resume: bool, overrides: list[str], as_json: bool) -> int:
    """Runs a case and returns its exit code. Raises a TuneproofError for a case that cannot be run."""
    case = with_possible_baselines(load_case(path, overrides))
    last = until or Stage.CARD
    check_case(case, planned_stages(case, last))
    store, began = _open_run(case, run_dir, resume), time.monotonic()
    state = RunState()
    waiting = WaitingLine(state)
    show = _event_printer(state, waiting, as_json)
    code = _in_this_process(store, last, show) if is_light(case, last) else _with_worker(store, last, show, waiting)
    waiting.clear()
    if as_json:
        print(sanitize_json(json.dumps(_document(store, state, code), ensure_ascii=False)))
    elif code is ExitCode.DONE and state.card and state.frozen:
        print(store.read(CARD_MD), end="")
    elif code in (ExitCode.DONE, ExitCode.REFUSED) and store.has(PLAN):
        from tuneproof.engine.planning.text import short_form

        # What ends before anything is measured ends with what to do next.
        print(short_form(store.read(PLAN)), end="")
    _print_end(store, state, code)
    notify_on_stderr(run_ended(store.path.name, state), time.monotonic() - began)
    return int(code)


def _open_run(case: Case, run_dir: Path | None, resume: bool) -> RunStore:
    """A new run folder, or the one to resume. Raises GateClosed if the run to resume has measured what the case changes."""
    if resume and run_dir is None:
        raise UsageError("--resume needs --run-dir", fix="name the run folder to resume")
    if run_dir is None:
        return RunStore.create_numbered(case)
    if not resume or RunStore.was_killed_while_created(run_dir):
        return RunStore.create(run_dir, case)
    store = RunStore.open(run_dir)
    store.amend(case)
    return store


def _event_printer(state: RunState, waiting: WaitingLine, as_json: bool) -> Callable[[AnyEvent], None]:
    """A function that applies an event to the state and prints it: the route to stdout, progress to stderr."""

    def show(event: AnyEvent) -> None:
        state.apply(event)
        waiting.clear()
        if isinstance(event, RouteDecided) and not as_json:
            print(route_text(event), flush=True)
        line = progress_line(event)
        if line:
            _say(line)
        waiting.show(time.time())

    return show


def _in_this_process(store: RunStore, until: Stage, show: Callable[[AnyEvent], None]) -> ExitCode:
    """Runs the light stages in this process. Errors are shown by the caller; the traceback of a defect goes to the run's log."""
    reader = EventReader(store.path / EVENTS)
    try:
        with store.lock(), EventLog(store.path / EVENTS) as log:
            run_stages(store, log, until, StopRequest())
            log.emit(Finished(), sync=True)
    except TuneproofError:
        raise
    except Exception as error:
        if limit := machine_limit(error, store.path):
            raise limit from None
        log_traceback(store.path, error)
        return ExitCode.DEFECT
    finally:
        for event in reader.read():
            show(event)
    return ExitCode.DONE


def _with_worker(store: RunStore, until: Stage, show: Callable[[AnyEvent], None], waiting: WaitingLine) -> ExitCode:
    """Runs the stages in a worker process; this one only watches and passes requests to stop on.

    A worker that the kernel killed in a training step is followed by another, which takes smaller parts of a batch.
    """
    with passed_on() as interrupts:
        for remaining in reversed(range(MOST_WORKERS)):
            worker, offset = launch(store.path, until)
            interrupts.follow(worker)
            if queued := worker.queue_status():
                _say(f"{queued}; Ctrl-C cancels it")
            if not wait_until_launched(worker, offset):
                code, not_begun = not_started(worker)
                if interrupts.killed or code is ExitCode.INTERRUPTED:
                    return ExitCode.INTERRUPTED
                show(Failed.of(not_begun))
                return code
            code = _watch(worker, EventReader(store.path / EVENTS, offset), show, waiting)
            waiting.clear()
            if interrupts.killed and code is not ExitCode.DONE:
                return ExitCode.INTERRUPTED
            if code is not ExitCode.FAILED or (killed := last_killed(store.path / EVENTS)) is None:
                return code
            error = killed.error(store.path, worker.ended_by())
            if interrupts.requested or not killed.another_continues or not remaining:
                # Nobody else has said so.
                show(Failed.of(error))
                return code
            _say(f"  {error.what}: another worker continues with smaller parts of a batch")
    raise AssertionError("the last worker has returned")


def _watch(worker: Worker, reader: EventReader, show: Callable[[AnyEvent], None], waiting: WaitingLine) -> ExitCode:
    failed = False
    while True:
        running = worker.is_running()
        for event in reader.read():
            failed = isinstance(event, Failed) or (failed and not isinstance(event, Launched))
            show(event)
        waiting.show(time.time())
        if not running:
            if not failed and (cause := worker.cause()):
                raise cause
            return ExitCode(worker.exit_code())
        time.sleep(POLL_SECONDS)


def _document(store: RunStore, state: RunState, code: ExitCode) -> dict[str, object]:
    """The document that `--json` prints."""
    route = state.route
    return {
        "run_dir": str(store.path),
        "exit_code": int(code),
        "route": route.route if route else None,
        "reason": route.reason if route else None,
        "minimum_before_training": route.minimum_before_training if route else [],
        "what_if": [row.model_dump() for row in route.what_if] if route else [],
        "next_steps": route.next_steps if route else [],
        "error": state.failure.message if state.failure else None,
        "plan": str(store.path / PLAN) if store.has(PLAN) else None,
        "card": json.loads(store.read(CARD_JSON)) if code is ExitCode.DONE and state.card else None,
    }


def _print_end(store: RunStore, state: RunState, code: ExitCode) -> None:
    if store.has(PLAN):
        _say(f"plan: {store.path / PLAN}")
    if code is ExitCode.DONE and state.card:
        _say(f"card: {store.path / CARD_MD}   page: {store.path / CARD_HTML}   verify: tuneproof verify {store.path}")
    elif code is ExitCode.DONE:
        _say(f"run: {store.path}")
    elif code is ExitCode.INTERRUPTED:
        _say(f"tuneproof: interrupted; continue with --resume --run-dir {store.path}")
    elif code is ExitCode.DEFECT:
        _say(f"tuneproof: a defect in tuneproof; the traceback is in {store.path / WORKER_LOG}")
    elif state.failure:
        _say(f"tuneproof: {state.failure.message}")


def _say(line: str) -> None:
    """One line of progress, whatever the names in it."""
    print(sanitize(line, one_line=True), file=sys.stderr, flush=True)
