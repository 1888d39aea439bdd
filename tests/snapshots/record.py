"""Records the runs for the snapshots, from the sample case with the real command: `python -m tests.snapshots.record`.

The recording has all files that a screen reads, but no weights. Paths, the host and the times are replaced, so that it does not depend on
the machine that made it. `tuneproof verify` therefore refuses it.
"""

from __future__ import annotations

import json
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import OUTSIDE_THE_TASK, ROOT, sample_case, tuneproof
from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.run.manifest import Manifest

RECORDED = Path(__file__).with_name("recorded")
FINISHED = RECORDED / "support-tickets-1"
TRAINING = RECORDED / "training"
TRACE = RECORDED / "trace.json"

KEPT = (
    "case.yaml manifest.json events.jsonl audit.json data.json catalogue.json method.json model.json route.json splits arms "
    "behaviour failures.jsonl training/summary.json training/history.json training/merged/predictions.jsonl "
    "training/merged/scores.json card.json card.md card.html worker.log"
).split()
NOT_YET = "arms/tuned arms/tuned_constrained behaviour training card.json card.md card.html".split()
"""Files that a run in training does not have yet."""

BEGAN = 1_790_000_000.0
"""When the finished run was launched, in seconds since 1970; the one in training began `LATER` seconds after it."""
LATER = 7200.0
ELSEWHERE = "elsewhere"
"""A host that no test runs on, so that the worker is assumed to be alive."""
PROBES_SEEN = 3


def main() -> None:
    """Replays the case in a temporary folder, and replaces the recording."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / FINISHED.name
        result = tuneproof("--replay", sample_case(), "--run-dir", run, *OUTSIDE_THE_TASK)
        if result.code:
            sys.exit(result.err)
        shutil.rmtree(RECORDED, ignore_errors=True)
        for name in KEPT:
            _copy(run / name, FINISHED / name)
        _record_trace(run)
    _scrub(FINISHED, {str(sample_case().parent): "/data", str(Path(folder)): "runs", sysconfig.get_path("purelib"): "site-packages"})
    _write_events(FINISHED, _neutral(_events(FINISHED)))
    _derive_training()


def _record_trace(run: Path) -> None:
    """Records the trace of the first case that the tuned model got wrong, as the card opens it: the recording has no weights."""
    answers = [json.loads(line) for line in (run / "arms/tuned/predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    result = tuneproof("trace", run, "--id", next(each["id"] for each in answers if not each["correct"]), "--json")
    if result.code:
        sys.exit(result.err)
    TRACE.write_text(json.dumps({**json.loads(result.out), "tuned": f"runs/{run.name}"}, ensure_ascii=False) + "\n", encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)


def _scrub(run: Path, neutral: dict[str, str]) -> None:
    """Replaces the paths of this machine. Exits with an error if one remains."""
    for path in (path for path in run.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        for here, there in neutral.items():
            text = text.replace(here, there)
        if any(here in text for here in (str(ROOT), str(Path.home()) + "/", tempfile.gettempdir() + "/")):
            sys.exit(f"{path}: a path of this machine is left in it")
        path.write_text(text, encoding="utf-8")


def _events(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def _write_events(run: Path, events: list[dict[str, Any]]) -> None:
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in events]
    (run / "events.jsonl").write_text("".join(lines), encoding="utf-8")


def _neutral(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events with the same start and worker in every recording; the time between them is kept."""
    shift = BEGAN - events[0]["ts"]
    who = {"pid": 4711, "process_started": BEGAN - 1, "host": ELSEWHERE}
    return [{**event, **(who if event["kind"] == "launched" else {}), "ts": round(event["ts"] + shift, 3)} for event in events]


def _derive_training() -> None:
    """Derives the same run in the middle of its training. It has no end, so the wizard shows it as running."""
    shutil.copytree(FINISHED, TRAINING)
    for name in NOT_YET:
        path = TRAINING / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    failures = TRAINING / "failures.jsonl"
    untuned = [line for line in failures.read_text(encoding="utf-8").splitlines(keepends=True) if json.loads(line)["arm"] not in TUNED_ARMS]
    failures.write_text("".join(untuned), encoding="utf-8")
    manifest = Manifest.model_validate_json((TRAINING / "manifest.json").read_text(encoding="utf-8"))
    done = {name: step for name, step in manifest.steps.items() if all((TRAINING / file).is_file() for file in step.files)}
    (TRAINING / "manifest.json").write_text(manifest.model_copy(update={"steps": done}).as_text(), encoding="utf-8")
    _write_events(TRAINING, [{**event, "ts": round(event["ts"] + LATER, 3)} for event in _until_probe(_events(TRAINING), PROBES_SEEN)])


def _until_probe(events: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The events up to two steps after the given number of probes."""
    probes = [event for event in events if event["kind"] == "probed"]
    last = probes[count - 1]["step"] + 2
    end = next(at for at, event in enumerate(events) if event["kind"] == "step_logged" and event["step"] > last)
    return events[:end]


if __name__ == "__main__":
    main()
