"""The part of a plan about the rows: their files, how they would be divided, what the audit found, and what the eval cases can show."""

from __future__ import annotations

import shlex
from pathlib import Path

from tuneproof.engine.arms import requested_arms
from tuneproof.engine.audit.answers import in_a_case_file
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.audit.split_audit import findings_in_parts
from tuneproof.engine.card.risk import counted_target
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.documents import documents_digest
from tuneproof.engine.data.parts import Part
from tuneproof.engine.planning.page import DataFile, DataPart, EvalPart, FileRole, FoundInData, PartFile
from tuneproof.engine.planning.sources import PlanSources
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE, CROSS_SPLIT_DUPLICATES, RunStore, part_file
from tuneproof.engine.scoring.lower_bound import min_cases_for_target, min_correct_for_target
from tuneproof.engine.scoring.power import needed_cases
from tuneproof.engine.scoring.statistics import ASSUMED_DISCORDANCE, cases_to_detect, minimum_detectable_effect

HARM = [Severity.BLOCK, Severity.WARN, Severity.INFO]
"""Severities, the most harmful first."""

DATA_FILE = "data "
"""How the audit's inputs in the manifest name the digest of a file of the case."""


def data_part(sources: PlanSources) -> DataPart | None:
    """The rows of the case; None if it names none."""
    data, report = sources.content.data, sources.report
    if data is None:
        return None
    found = [*(report.findings if report else []), *(findings_in_parts(sources.store) if sources.store and sources.is_split else [])]
    return DataPart(
        files=_files(data, sources),
        rows=report.counts.rows if report else None,
        left_out=len(report.left_out) if report else 0,
        left_out_by_split=_left_out_by_split(sources.store) if sources.store and sources.is_split else 0,
        parts=_parts(sources.store) if sources.store and sources.is_split else [],
        to_see=_audit_command(data, sources),
        to_settle=in_a_case_file(report.blocking()) if report and report.blocking() else "",
        findings=sorted(map(_finding, found), key=lambda each: (each.accepted is not None, HARM.index(each.severity), -each.rows)),
    )


def _audit_command(data: Data, sources: PlanSources) -> str:
    named = [*_listed(data.examples), *(f"--against {_word(path)}" for path in _listed(data.eval))]
    case = sources.case_file or (sources.run / CASE if sources.run else None)
    words = [word if word.startswith("--") else _word(word) for word in named]
    return " ".join(["tuneproof audit", *words, *([f"--case {_word(str(case))}"] if case else [])])


def _word(path: str) -> str:
    """A path as one would type it into a shell here."""
    here = Path.cwd()
    return shlex.quote(str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path)


def _finding(found: StoredFinding) -> FoundInData:
    first = f"{found.rows[0].file}:{found.rows[0].line}" if found.rows else ""
    return FoundInData(
        check=found.check,
        severity=found.severity,
        message=found.message,
        action=found.action,
        rows=found.count,
        first=first,
        left_out=found.left_out,
        accepted=found.accepted,
    )


def _files(data: Data, sources: PlanSources) -> list[DataFile]:
    """The files that were read, with their digests; as the case names them where nothing was read."""
    shapes = sources.report.shapes if sources.report else {}
    named = {FileRole.EXAMPLES: _listed(data.examples), FileRole.EVAL: _listed(data.eval), FileRole.DOCUMENTS: _listed(data.documents)}
    documents = [_documents(Path(path)) for path in named[FileRole.DOCUMENTS]]
    digests = _digests(sources.store)
    if not digests:
        return [DataFile(path, role, None, None) for role in (FileRole.EXAMPLES, FileRole.EVAL) for path in named[role]] + documents
    of_eval = {Path(path).name for path in named[FileRole.EVAL]}
    read = [
        DataFile(name, FileRole.EVAL if Path(name).name in of_eval else FileRole.EXAMPLES, shapes.get(name), digest)
        for name, digest in digests.items()
    ]
    return read + documents


def _documents(folder: Path) -> DataFile:
    try:
        return DataFile(f"{folder.name}/", FileRole.DOCUMENTS, "text", documents_digest(folder))
    except (OSError, TuneproofError):
        return DataFile(str(folder), FileRole.DOCUMENTS, None, None)


def _listed(named: str | list[str] | None) -> list[str]:
    return [] if named is None else named if isinstance(named, list) else [named]


def _digests(store: RunStore | None) -> dict[str, str]:
    """SHA-256 of each file that the audit read, by its name in the audit."""
    record = store.manifest.steps.get(StepId(StepKind.AUDIT)) if store else None
    settings = record.inputs.settings if record else {}
    return {name.removeprefix(DATA_FILE): digest for name, digest in settings.items() if name.startswith(DATA_FILE)}


def _parts(store: RunStore) -> list[PartFile]:
    written = store.manifest.written()
    return [PartFile(part, part_file(part), _rows(store.path / part_file(part)), written[part_file(part)]) for part in Part]


def _left_out_by_split(store: RunStore) -> int:
    return _rows(store.path / CROSS_SPLIT_DUPLICATES) if store.has(CROSS_SPLIT_DUPLICATES) else 0


def _rows(path: Path) -> int:
    """Rows of a file that the split wrote: one line each. They are counted without being read, as a part may be large."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def eval_part(sources: PlanSources, data: DataPart | None) -> EvalPart:
    """How answers are scored, and what the eval cases of the split, or the ones that it would take, can show."""
    content = sources.content
    target, task = content.target or Target(), content.task
    cases, is_estimate = _cases(sources, data)
    counted = counted_target(content)
    return EvalPart(
        metric=target.metric or (task.primary_metric if task else None),
        arms=list(requested_arms(content)),
        at_least=target.at_least,
        min_gain=target.min_gain,
        not_worse_than=target.not_worse_than,
        margin=target.margin,
        cases=cases,
        is_estimate=is_estimate,
        detectable=minimum_detectable_effect(cases) if cases else None,
        needed=list(needed_cases()),
        cases_for_gain=cases_to_detect(target.min_gain, max(ASSUMED_DISCORDANCE, target.min_gain)) if target.min_gain else None,
        is_cut=content.data is not None and content.data.eval is None and not (sources.data_facts and sources.data_facts.parts_by_name),
        cases_for_target=min_cases_for_target(counted) if counted else None,
        right_for_target=min_correct_for_target(cases, counted) if counted and cases else None,
    )


def _cases(sources: PlanSources, data: DataPart | None) -> tuple[int | None, bool]:
    """The number of eval cases, and whether it is only the share of the rows that the split would take."""
    settings = sources.content.data
    if data is None or settings is None:
        return None, False
    if data.parts:
        return next(part.rows for part in data.parts if part.part is Part.EVAL), False
    if settings.eval is not None or data.rows is None:
        return None, False
    return round((data.rows - data.left_out) * settings.split.eval), True
