"""The folder of one run: whole-file writes that a crash cannot tear, and the manifest that records what was made from what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from tuneproof.engine.case.arm_names import OWN_PROMPT
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.draft import next_run_dir
from tuneproof.engine.case.load import dump_case, load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.atomic_write import PRIVATE_FILE, PRIVATE_FOLDER, is_temporary, write_atomically
from tuneproof.engine.core.disk_space import require_room, room_for_files
from tuneproof.engine.core.errors import DataRefused, GateClosed, RunGone, UsageError, VerifyFailed
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.freeze import examples_from_jsonl, examples_to_jsonl
from tuneproof.engine.data.split import Part, SplitParts
from tuneproof.engine.run.begun_training import doubt_if_unrecorded
from tuneproof.engine.run.grading_rules import CURRENT_RULES, GradingRules
from tuneproof.engine.run.lock import LOCK, RunLock
from tuneproof.engine.run.manifest import Inputs, Manifest, StepRecord
from tuneproof.engine.run.step_id import StepId, StepKind

MANIFEST = "manifest.json"
CASE = "case.yaml"
EVENTS = "events.jsonl"
WORKER_LOG = "worker.log"
CROSS_SPLIT_DUPLICATES = "splits/straddling.jsonl"
SPLIT_AUDIT = "splits/audit.json"

FOLLOWS = "follows"
"""The setting of a run's first step that names the run it follows, a folder beside its own."""

GRADING = "grading"
"""The setting of a run's first step that says by which rules its answers are graded; without it, by the first."""

CHOSEN_LATER = ("baselines", "prompts", "endpoint", "method", "training", "evaluate", "risk", "budget")
"""Sections of a case that may change after the eval set is frozen: none of them changes what is scored, or by what measure."""


class RunStore:
    """One run folder, read and written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, case: Case, follows: str | None = None) -> RunStore:
        """Makes a run folder with its case, for this user alone; `follows` names a run beside it whose measurements may be taken over.

        What is left of a run whose creation was killed is swept away. Raises UsageError if the folder has anything else in it, or if
        another process is working on it.
        """
        if not _can_become_a_run(path):
            raise _not_empty(path)
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        store = cls(path)
        with store.lock():
            # Another process may have made its run here before this one had the lock.
            if not _can_become_a_run(path):
                raise _not_empty(path)
            path.chmod(PRIVATE_FOLDER)
            for leftover in path.iterdir():
                if leftover.name != LOCK:
                    leftover.unlink()
            settings = {GRADING: CURRENT_RULES, **({FOLLOWS: follows} if follows else {})}
            store.write_step(StepId(StepKind.CASE), Inputs(settings=settings), {CASE: dump_case(case)})
        return store

    @classmethod
    def create_numbered(cls, case: Case, follows: str | None = None) -> RunStore:
        """Makes a run in a folder of its own under `runs`, named after the case; programs that start at once get one each."""
        while True:
            path = next_run_dir(case.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.mkdir(mode=PRIVATE_FOLDER)
            except FileExistsError:
                continue
            return cls.create(path, case, follows)

    @classmethod
    def open(cls, path: Path) -> RunStore:
        """Opens an existing run folder. Raises UsageError if it is not one."""
        if not (path / MANIFEST).is_file() or not (path / CASE).is_file():
            raise UsageError("this is not a run folder", where=str(path), fix="a run folder has a case.yaml and a manifest.json")
        return cls(path)

    @classmethod
    def was_killed_while_created(cls, path: Path) -> bool:
        """Whether the folder is there, and has nothing but what the creation of a run leaves when it is killed."""
        return path.is_dir() and _can_become_a_run(path)

    @property
    def case(self) -> Case:
        """The case as it runs."""
        return load_case(self.path / CASE)

    def amend(self, case: Case) -> None:
        """Stores other choices. Before the eval set is frozen, all may change: the stages whose inputs are others are done again.

        Afterwards raises GateClosed for a change to what is scored or how it is judged, for removing an arm that was scored, and for
        another way to train once the model is trained: each would make the card report something that was not measured that way. A
        training that has not come to its end begins again with the new settings. Raises DataRefused if a data file of the case is gone.
        """
        now = self.case
        changed = [name for name in Case.model_fields if getattr(now, name) != getattr(case, name)]
        if not changed:
            return
        if (gone := _file_that_is_gone(now.data, case.data)) is not None:
            raise DataRefused("the data file is gone", where=str(gone), fix="put it back as it was, or start a new run")
        manifest = self.manifest
        if self.is_frozen:
            refused = _change_of_evidence(now, case, changed, manifest) or _change_of_training(now, case, changed, manifest)
            if refused is not None:
                raise GateClosed(refused, where=str(self.path), fix="start a new run for it")
        with self.lock():
            doubt_if_unrecorded(self.path / "training")
            dropped = {StepId(StepKind.CARD)}
            # What was planned under the earlier choices is planned again: nothing was measured with it.
            if any(_plans_otherwise(now, case, section) for section in changed):
                dropped |= {StepId(StepKind.METHOD), *_untrained_comparisons(manifest)}
            dropped |= {StepId(StepKind.AUDIT)} if case.data is None else set()
            dropped |= {StepId(StepKind.MODEL)} if case.model is None else set()
            for step in dropped:
                manifest.steps.pop(step, None)
            self.write(MANIFEST, manifest.as_text())
            begun = manifest.steps.get(StepId(StepKind.CASE))
            settings = begun.inputs.settings if begun else {}
            self.write_step(StepId(StepKind.CASE), Inputs(settings=settings), {CASE: dump_case(case)})

    @property
    def grading_rules(self) -> GradingRules:
        """The rules by which the answers of the run are graded: those that it began with."""
        begun = self.manifest.steps.get(StepId(StepKind.CASE))
        return GradingRules(begun.inputs.settings.get(GRADING, GradingRules.FIRST)) if begun else GradingRules.FIRST

    @property
    def grading_settings(self) -> dict[str, str]:
        """What a step that grades answers records of the rules; nothing of the first, as in runs made before there were others."""
        rules = self.grading_rules
        return {} if rules is GradingRules.FIRST else {GRADING: rules}

    @property
    def is_frozen(self) -> bool:
        """Whether the eval set is frozen."""
        return StepId(StepKind.SPLIT) in self.manifest.steps

    @property
    def manifest(self) -> Manifest:
        """The manifest on disk. Raises VerifyFailed if it is not one, or if it has a step that this version does not know."""
        try:
            return Manifest.model_validate_json(self.read(MANIFEST) if self.has(MANIFEST) else "{}")
        except ValidationError as error:
            raise _not_a_manifest(error) from None
        except UnicodeDecodeError:
            raise VerifyFailed("not a manifest: not UTF-8", where=MANIFEST) from None

    def has(self, name: str) -> bool:
        """Whether the folder holds the file."""
        return (self.path / name).is_file()

    def read(self, name: str) -> str:
        """The text of a file in the folder."""
        return (self.path / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Writes a whole file for this user alone: to a temporary name, synced, then renamed. Raises RunGone if there is no folder."""
        self.check_there()
        path = self.path / name
        for folder in reversed(path.relative_to(self.path).parents[:-1]):
            (self.path / folder).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        write_atomically(path, text, mode=PRIVATE_FILE)

    def check_there(self) -> None:
        """Raises RunGone if the folder was deleted: a run that is written on would be a stub."""
        if not self.path.is_dir():
            raise RunGone("the run folder was deleted", where=str(self.path), fix="start a new run")

    def write_step(self, step: StepId, inputs: Inputs, files: Mapping[str, str], digests: Mapping[str, str] | None = None) -> None:
        """Writes the files of a step, then the step into the manifest, so that a step in the manifest has all its files.

        Raises DiskFull, with none of them written, if the disk has no room for them all.
        """
        self.check_there()
        sizes = [len(text.encode()) for text in files.values()]
        require_room(self.path, room_for_files(*sizes, len(self.manifest.as_text())), f"the files of the step `{step}`")
        for file, text in files.items():
            self.write(file, text)
        self.record_step(step, inputs, list(files), digests)

    def record_step(self, step: StepId, inputs: Inputs, files: list[str], digests: Mapping[str, str] | None = None) -> None:
        """Records a step whose files are already written."""
        manifest = self.manifest
        written = {file: sha256_file(self.path / file) for file in files}
        manifest.steps[step] = StepRecord(inputs=inputs, files=written, digests=dict(digests or {}))
        manifest.version = 2
        self.write(MANIFEST, manifest.as_text())

    def inputs(self, files: Iterable[str] = (), settings: Mapping[str, str] | None = None) -> Inputs:
        """The inputs of a step: files of this folder with their digests, and settings.

        Raises GateClosed if a file is not what the run wrote.
        """
        return Inputs(files={file: self.check(file) for file in files}, settings=dict(settings or {}))

    def forget_if_changed(self, step: StepId, inputs: Inputs) -> list[str]:
        """Takes a step out of the manifest, so that it is done again, if its inputs are others and the eval set is not frozen yet.

        Returns the names of the inputs that changed; none if the step stays.
        """
        manifest = self.manifest
        record = manifest.steps.get(step)
        changed = [] if record is None or StepId(StepKind.SPLIT) in manifest.steps else inputs.changed_from(record.inputs)
        if changed:
            for each in (step, StepId(StepKind.CARD)):
                manifest.steps.pop(each, None)
            self.write(MANIFEST, manifest.as_text())
        return changed

    def is_done(self, step: StepId, inputs: Inputs) -> bool:
        """Whether the step was done before from the same inputs.

        Raises GateClosed if it was done from other inputs, or if one of its files has changed: neither is silently done again.
        """
        record = self.manifest.steps.get(step)
        if record is None:
            return False
        changed = inputs.changed_from(record.inputs)
        if changed:
            raise GateClosed(
                f"the step `{step}` was made from other inputs; changed since: {', '.join(changed)}",
                where=str(self.path),
                fix="start a new run; this one keeps its measurements",
            )
        for file in record.files:
            self.check(file)
        return True

    def digest(self, file: str) -> str:
        """The recorded digest of a file that a step wrote. Raises GateClosed if no step wrote it."""
        recorded = self.manifest.written().get(file)
        if recorded is None:
            raise GateClosed("no step of the run wrote the file", where=str(self.path / file), fix="start a new run")
        return recorded

    def check(self, file: str) -> str:
        """The recorded digest of a file. Raises GateClosed if the file is missing or has another digest."""
        recorded = self.digest(file)
        if not self.has(file) or sha256_file(self.path / file) != recorded:
            raise GateClosed("the file is not what the run wrote", where=str(self.path / file), fix="restore it, or start a new run")
        return recorded

    def write_parts(self, inputs: Inputs, parts: SplitParts, audit: str | None = None) -> None:
        """Freezes the parts with their audit, and keeps the rows that fit in none. Raises GateClosed if they are frozen already."""
        split = StepId(StepKind.SPLIT)
        if split in self.manifest.steps:
            raise GateClosed("the eval set is frozen", where=str(self.path), fix="start a new run for another split")
        written = {part_file(part): examples_to_jsonl(parts[part]) for part in Part}
        written |= {SPLIT_AUDIT: audit} if audit is not None else {}
        self.write_step(split, inputs, written | {CROSS_SPLIT_DUPLICATES: examples_to_jsonl(parts.cross_split_duplicates)})

    def part(self, part: Part) -> list[tuple[str, Example]]:
        """Ids and examples of a part. Raises GateClosed if the file is not as it was frozen."""
        self.check(part_file(part))
        return examples_from_jsonl(self.read(part_file(part)))

    def lock(self) -> RunLock:
        """Locks the run for this process, until the process ends at the latest. Raises UsageError if another process holds the lock."""
        self.check_there()
        return RunLock.acquire(self.path)

    def sweep(self) -> None:
        """Removes the temporary files of processes that were killed while they wrote; only for the process that has the lock."""
        for path in filter(is_temporary, self.path.rglob(".*")):
            path.unlink(missing_ok=True)


def _can_become_a_run(path: Path) -> bool:
    """Whether a run may be made at the path: there is nothing, an empty folder, or what a creation that was killed has left.

    The lock is the first file of a run: without it, a case file in the folder is the user's own.
    """
    if not path.exists():
        return not path.is_symlink()
    if not path.is_dir():
        return False
    found = list(path.iterdir())
    names = {each.name for each in found if not is_temporary(each)}
    return not found or (LOCK in names and names <= {LOCK, CASE} and not any(each.is_dir() for each in found))


def _not_a_manifest(error: ValidationError) -> VerifyFailed:
    first = error.errors(include_url=False)[0]
    if first["loc"] == ("version",):
        return VerifyFailed(f"this version does not know manifests of version {first['input']!r}", where=MANIFEST, fix="update tuneproof")
    return VerifyFailed(f"not a manifest: {first['msg']}", where=MANIFEST)


def _not_empty(path: Path) -> UsageError:
    return UsageError("the folder is not empty", where=str(path), fix="add --resume to continue that run, or name another folder")


def part_file(part: Part) -> str:
    """The file of a part in the run folder."""
    return f"splits/{part}.jsonl"


def _file_that_is_gone(now: Data | None, wanted: Data | None) -> Path | None:
    """A data file of the run that is not there any more, and that is named again: a name without a file is taken for one on the hub."""
    if now is None or wanted is None:
        return None
    for section in ("examples", "eval", "documents"):
        before, after = _names(getattr(now, section)), _names(getattr(wanted, section))
        for old, new in zip(before, after, strict=False):
            if old != new and Path(old).is_absolute() and not Path(old).exists() and Path(new).name == Path(old).name:
                return Path(old)
    return None


def _names(value: str | list[str] | None) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _trains_otherwise(now: Case, case: Case) -> bool:
    """Whether the case trains with other settings; where it runs does not count."""
    return now.training != case.training.with_launcher_of(now.training)


def _plans_otherwise(now: Case, case: Case, section: str) -> bool:
    """Whether a section that changed may change how training is planned: where a worker runs does not, nor what it may read."""
    return section not in ("data", "risk") and (section != "training" or _trains_otherwise(now, case))


def _untrained_comparisons(manifest: Manifest) -> list[StepId]:
    """The plans of methods to compare whose training has not come to its end."""
    names = set(manifest.names(StepKind.COMPARED_METHOD)) - set(manifest.names(StepKind.COMPARED_TRAIN))
    return [StepId(StepKind.COMPARED_METHOD, name) for name in names]


def _change_of_training(now: Case, case: Case, changed: list[str], manifest: Manifest) -> str | None:
    """Why the new choices are refused once the model is trained; None if they are not."""
    if StepId(StepKind.TRAIN) in manifest.steps and ("method" in changed or _trains_otherwise(now, case)):
        return "the model is trained already, with another method or other settings"
    return None


def _is_frozen(now: Case, case: Case, section: str) -> bool:
    """Whether a section that changed is one that the eval set was frozen under; how much may be read is not part of it."""
    if section == "data" and now.data is not None and case.data is not None:
        return now.data != case.data.model_copy(update={"allow_large": now.data.allow_large})
    return section not in CHOSEN_LATER


def _change_of_evidence(now: Case, case: Case, changed: list[str], manifest: Manifest) -> str | None:
    """Why the new choices contradict what is frozen or measured; None if they do not."""
    frozen = [name for name in changed if _is_frozen(now, case, name)]
    if frozen:
        return f"the eval set is frozen under another `{frozen[0]}`"
    removed_arms = [arm for arm in now.baselines if arm not in case.baselines]
    removed_arms += [f"{OWN_PROMPT}{name}" for name, prompt in now.prompts.items() if case.prompts.get(name) != prompt]
    scored = [arm for arm in removed_arms if StepId.arm(arm) in manifest.steps]
    if scored:
        return f"{scored[0]} is scored already, and stays in the evidence"
    removed = [each.name for each in now.evaluate.compare if each not in case.evaluate.compare]
    compared = [name for name in removed if StepId(StepKind.COMPARED_TRAIN, name) in manifest.steps]
    if compared:
        return f"the model of {compared[0]} is trained for a comparison, and stays in the evidence"
    if not case.evaluate.merged and StepId(StepKind.MERGE) in manifest.steps:
        return "the merged model is measured, and stays in the evidence"
    if now.evaluate.merged_dtype is not case.evaluate.merged_dtype and StepId(StepKind.MERGE) in manifest.steps:
        return "the merged model is measured in its number type, and stays in the evidence"
    if (changed_risk := now.risk.change_of(case.risk, _measured_risks(manifest))) is not None:
        return changed_risk
    seeds = [int(name) for name in manifest.names(StepKind.SEED_TRAIN)]
    if any(number > case.evaluate.seeds for number in seeds):
        return "a model is trained with another seed, and stays in the evidence"
    curve_has_begun = manifest.names(StepKind.CURVE_TRAIN) or manifest.names(StepKind.CURVE_SCORES)
    if now.evaluate.learning_curve and not case.evaluate.learning_curve and curve_has_begun:
        return "the learning curve has begun, and stays in the evidence"
    return None


def _measured_risks(manifest: Manifest) -> list[str]:
    """The keys of the section `risk` that stand for what is measured."""
    others = (StepKind.OVERFITTING, StepKind.DRIFT)
    return manifest.names(StepKind.BEHAVIOUR) + [kind.value for kind in others if StepId(kind) in manifest.steps]
