"""Exporting the tuned model of a run: the files, then the check by what serves them, then the evidence beside them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import TuneproofError, UsageError
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.export.evidence import EVIDENCE, ExportEvidence, ServingCheck
from tuneproof.engine.export.form import ExportForm, NumberType
from tuneproof.engine.export.gguf_file import GGUF_FILE, write_gguf
from tuneproof.engine.export.model_files import Written, base_name, copy_licences, write_adapter, write_merged
from tuneproof.engine.export.parity import check
from tuneproof.engine.export.readme import README, export_readme
from tuneproof.engine.export.serving import (
    OnProgress,
    Served,
    answer_at_endpoint,
    answer_with_llama_cpp,
    answer_with_transformers,
    has_llama_cpp,
    this_python,
)
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.run.store import RunStore

UNFINISHED = ".tuneproof-export-unfinished"
"""Marks a folder that an export was killed in: the next one begins it anew."""


@dataclass(frozen=True)
class ExportChoice:
    """What is to be written, and who checks it."""

    form: ExportForm | None = None
    """None: merged if the run has a merged model whose answers agree, else the adapter."""
    number_type: NumberType | None = None
    python: Path | None = None
    """The interpreter whose libraries load the export; None for the one that runs tuneproof."""
    endpoint: Endpoint | None = None
    """A server that serves the export already; None to load it here."""
    converter: Path | None = None
    """llama.cpp's `convert_hf_to_gguf.py`, for models that tuneproof does not convert itself."""


@dataclass(frozen=True)
class Exported:
    """An export with its evidence, and the check that was made now; None if nothing here can load it."""

    folder: Path
    evidence: ExportEvidence
    check: ServingCheck | None
    not_checked: str = ""


def export_run(
    store: RunStore, folder: Path, choice: ExportChoice, on_progress: OnProgress, say: Callable[[str], None] = lambda _: None
) -> Exported:
    """Writes the tuned model into a new folder and checks it; an export of this run that is there is checked again as it is now.

    Raises UsageError for a folder that has something else in it, GateClosed for a run without a tuned model, and RunFailed if what should
    serve the export cannot load it: the folder is kept then, and says that it was not checked.
    """
    if choice.python is not None and not choice.python.is_file():
        raise UsageError("there is no such Python", where=str(choice.python), fix="name the program itself, such as .venv/bin/python")
    before = _earlier_export(folder)
    source = ExportSource.open(store)
    if before is None:
        say("writing the model")
        evidence = _write(source, folder, choice)
    else:
        _require_same(source, before, folder, choice)
        evidence = before.model_copy(update={"files": {name: sha256_file(folder / name) for name in _model_files(folder)}})
    _write_about(source, folder, evidence)
    (folder / UNFINISHED).unlink(missing_ok=True)
    say("answering the frozen cases")
    served, why_not = _serve(source, folder, evidence, choice, on_progress)
    found = None if served is None else check(source, served)
    evidence = evidence.model_copy(update={"checks": [*evidence.checks, *([found] if found else [])]})
    _write_about(source, folder, evidence)
    return Exported(folder, evidence, found, why_not)


def form_of(source: ExportSource, choice: ExportChoice) -> ExportForm:
    """The form that the case or the card asks for."""
    if choice.form is not None:
        return choice.form
    served = source.card.served
    if not source.trains_adapter or (served is not None and served.advised is not None):
        return ExportForm.MERGED
    return ExportForm.ADAPTER


def _write_about(source: ExportSource, folder: Path, evidence: ExportEvidence) -> None:
    write_atomically(folder / EVIDENCE, evidence.as_text())
    write_atomically(folder / README, export_readme(source, evidence))


def _write(source: ExportSource, folder: Path, choice: ExportChoice) -> ExportEvidence:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNFINISHED).touch()
    form = form_of(source, choice)
    try:
        written = _write_form(source, folder, form, choice)
    except TuneproofError:
        # Nothing was written that anybody can use.
        shutil.rmtree(folder)
        raise
    copy_licences(source, folder)
    card = source.card.provenance
    assert card.eval_sha256 is not None
    return ExportEvidence(
        tuneproof=version("tuneproof"),
        form=form,
        number_type=written.number_type,
        case=source.card.name,
        case_sha256=card.case_sha256,
        eval_sha256=card.eval_sha256,
        base=base_name(source),
        base_sha256=source.model_facts.sha256,
        weights_sha256=source.weights_sha256,
        card_sha256=source.store.digest("card.json"),
        files={name: sha256_file(folder / name) for name in _model_files(folder)},
    )


def _write_form(source: ExportSource, folder: Path, form: ExportForm, choice: ExportChoice) -> Written:
    match form:
        case ExportForm.ADAPTER:
            if choice.number_type is not None:
                raise UsageError("an adapter is stored in float32", where="--type", fix="leave --type out, or use --form merged")
            return write_adapter(source, folder)
        case ExportForm.MERGED:
            return write_merged(source, folder, choice.number_type)
        case ExportForm.GGUF:
            return write_gguf(source, folder, choice.number_type, choice.converter)


def _serve(
    source: ExportSource, folder: Path, evidence: ExportEvidence, choice: ExportChoice, on_progress: OnProgress
) -> tuple[Served | None, str]:
    """The answers of what serves the export, or why there are none."""
    if choice.endpoint is not None:
        return answer_at_endpoint(source, choice.endpoint, on_progress), ""
    python = choice.python or this_python()
    if evidence.form is not ExportForm.GGUF:
        return answer_with_transformers(source, folder, python, on_progress, dtype=_computed_in(source, evidence)), ""
    if not has_llama_cpp(python):
        return None, f"llama-cpp-python is not installed in {python}: install it, or name the Python that has it with --python"
    return answer_with_llama_cpp(source, folder / GGUF_FILE, python, on_progress), ""


def _computed_in(source: ExportSource, evidence: ExportEvidence) -> str:
    """The type that an export computes in when it is checked: as the run measured it, on the device of the run."""
    from tuneproof.engine.models.base_model import best_device, serving_dtype

    dtype = best_device()[1] if evidence.number_type is None else serving_dtype(evidence.number_type.value)
    return str(dtype).removeprefix("torch.")


def _earlier_export(folder: Path) -> ExportEvidence | None:
    """The evidence of the export in a folder; None for a new folder, which an export that was killed may have left.

    Raises UsageError for a folder with something else in it.
    """
    if (folder / UNFINISHED).is_file():
        shutil.rmtree(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if (folder / EVIDENCE).is_file():
        return ExportEvidence.model_validate_json((folder / EVIDENCE).read_text(encoding="utf-8"))
    raise UsageError("there is something else at this path", where=str(folder), fix="name a new folder with --to")


def _require_same(source: ExportSource, before: ExportEvidence, folder: Path, choice: ExportChoice) -> None:
    """Raises UsageError if the export that is there is of another run, form or type."""
    fix = "name a new folder with --to"
    if before.weights_sha256 != source.weights_sha256 or before.eval_sha256 != source.card.provenance.eval_sha256:
        raise UsageError("there is an export of another run", where=str(folder), fix=fix)
    if choice.form not in (None, before.form) or choice.number_type not in (None, before.number_type):
        raise UsageError(f"there is an export in another form: {before.form}", where=str(folder), fix=fix)


def _model_files(folder: Path) -> list[str]:
    """The files of an export that are the model's, not about it."""
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in (UNFINISHED, EVIDENCE, README))
