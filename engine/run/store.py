"""The folder of one run: whole-file writes that a crash cannot tear, and the manifest that says what was made from what."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tuneproof.engine.case.load import dump_case, load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import GateClosed, UsageError, VerifyFailed
from tuneproof.engine.core.hashing import sha256_file, sha256_text
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.freeze import from_lines, to_lines
from tuneproof.engine.data.split import Part, Parts

MANIFEST = "manifest.json"
CASE = "case.yaml"
EVENTS = "events.jsonl"
WORKER_LOG = "worker.log"
STRADDLING = "splits/straddling.jsonl"

CHOSEN_LATER = ("baselines", "endpoint", "method", "training", "evaluate", "budget")
"""The sections of a case that may still be chosen after its eval set is frozen: none of them changes what is scored, or by what measure."""


class Step(BaseModel):
    """One step of a run: digests of what it was made from, of the files it wrote, and of other things it made."""

    model_config = ConfigDict(extra="forbid")

    made_from: dict[str, str]
    files: dict[str, str]
    digests: dict[str, str] = {}


class Manifest(BaseModel):
    """SHA-256 of everything the card rests on, step by step."""

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    steps: dict[str, Step] = {}

    def digest_before(self, name: str) -> dict[str, str]:
        """The digest of each step but the named one."""
        return {key: sha256_text(step.model_dump_json()) for key, step in self.steps.items() if key != name}


class RunStore:
    """One run folder, read and written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, case: Case) -> RunStore:
        """A new run folder with its case. Raises UsageError where something lies there already."""
        if path.is_file() or (path.exists() and any(path.iterdir())):
            raise UsageError("something lies there already", where=str(path), fix="add --resume to go on with it, or name another")
        store = cls(path)
        store.write_step("case", {}, {CASE: dump_case(case)})
        return store

    @classmethod
    def open(cls, path: Path) -> RunStore:
        """A run folder that is there already. Raises UsageError where it is none."""
        if not (path / MANIFEST).is_file() or not (path / CASE).is_file():
            raise UsageError("this is not a run folder", where=str(path), fix="a run folder has a case.yaml and a manifest.json")
        return cls(path)

    @property
    def case(self) -> Case:
        """The case as it runs."""
        return load_case(self.path / CASE)

    def amend(self, case: Case) -> None:
        """Takes later choices into a run whose eval set is frozen.

        Raises GateClosed for a change to what is scored or how it is judged, for an arm taken away after it was scored, and for another
        way to train once training has begun: each would make the card say something that was not measured that way.
        """
        now = self.case
        changed = [name for name in Case.model_fields if getattr(now, name) != getattr(case, name)]
        if not changed:
            return
        fix = "start a new run for it"
        frozen = [name for name in changed if name not in CHOSEN_LATER]
        if frozen:
            raise GateClosed(f"the eval set is frozen under another `{frozen[0]}`", where=str(self.path), fix=fix)
        learned = now.training != case.training.with_launcher_of(now.training)
        if (self.path / "training").exists() and ("method" in changed or learned):
            raise GateClosed("training has begun with another method or other settings", where=str(self.path), fix=fix)
        manifest = self.manifest
        gone = [arm for arm in now.baselines if arm not in case.baselines and f"arm {arm}" in manifest.steps]
        if gone:
            raise GateClosed(f"{gone[0]} is scored already, and stays in the evidence", where=str(self.path), fix=fix)
        removed = [each.name for each in now.evaluate.compare if each not in case.evaluate.compare]
        begun = [name for name in removed if f"compared {name} method" in manifest.steps]
        if begun:
            raise GateClosed(f"the comparison with {begun[0]} has begun, and stays in the evidence", where=str(self.path), fix=fix)
        if not case.evaluate.merged and "merge" in manifest.steps:
            raise GateClosed("the merged model is measured, and stays in the evidence", where=str(self.path), fix=fix)
        if now.evaluate.learning_curve and not case.evaluate.learning_curve and any(name.startswith("curve ") for name in manifest.steps):
            raise GateClosed("the learning curve has begun, and stays in the evidence", where=str(self.path), fix=fix)
        with self.lock():
            # What was planned under the earlier choices is planned anew; nothing was measured with it. Where a worker runs plans nothing.
            for step in ("card",) if changed == ["training"] and not learned else ("method", "card"):
                manifest.steps.pop(step, None)
            self.write(MANIFEST, manifest_text(manifest))
            self.write_step("case", {}, {CASE: dump_case(case)})

    @property
    def manifest(self) -> Manifest:
        """The manifest as it is on disk. Raises VerifyFailed where it is not one."""
        text = self.read(MANIFEST) if self.has(MANIFEST) else "{}"
        try:
            return Manifest.model_validate_json(text)
        except ValidationError as error:
            raise VerifyFailed(f"not a manifest: {error.errors()[0]['msg']}", where=MANIFEST) from None

    def has(self, name: str) -> bool:
        """Whether the folder holds the file."""
        return (self.path / name).is_file()

    def read(self, name: str) -> str:
        """The text of a file in the folder."""
        return (self.path / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Writes a whole file: to a temporary name, synced, then renamed."""
        write_atomically(self.path / name, text)

    def write_step(
        self,
        name: str,
        made_from: Mapping[str, str],
        files: Mapping[str, str],
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """Writes the files of a step, then the step into the manifest, so that a step in the manifest has all its files."""
        for file, text in files.items():
            self.write(file, text)
        self.record_step(name, made_from, list(files), digests)

    def record_step(self, name: str, made_from: Mapping[str, str], files: list[str], digests: Mapping[str, str] | None = None) -> None:
        """Puts a step whose files are already written into the manifest."""
        manifest = self.manifest
        written = {file: sha256_file(self.path / file) for file in files}
        manifest.steps[name] = Step(made_from=dict(made_from), files=written, digests=dict(digests or {}))
        self.write(MANIFEST, manifest_text(manifest))

    def is_done(self, name: str, made_from: Mapping[str, str]) -> bool:
        """Whether the step was done before from the same inputs.

        Raises GateClosed where it was done from others, or where one of its files is not what it wrote: neither is silently redone.
        """
        step = self.manifest.steps.get(name)
        if step is None:
            return False
        changed = [key for key in {**step.made_from, **made_from} if step.made_from.get(key) != made_from.get(key)]
        if changed:
            raise GateClosed(
                f"the step `{name}` was made from other inputs; changed since: {', '.join(sorted(changed))}",
                where=str(self.path),
                fix="start a new run, so that what was measured before stays what it was",
            )
        for file in step.files:
            self.check(file)
        return True

    def digest(self, file: str) -> str:
        """The recorded digest of a file that a step wrote."""
        return next(step.files[file] for step in self.manifest.steps.values() if file in step.files)

    def check(self, file: str) -> str:
        """The recorded digest of a file, after making sure that the file still has it. Raises GateClosed where it does not."""
        recorded = self.digest(file)
        if not self.has(file) or sha256_file(self.path / file) != recorded:
            raise GateClosed("the file is not what the run wrote", where=str(self.path / file), fix="restore it, or start a new run")
        return recorded

    def write_parts(self, made_from: Mapping[str, str], parts: Parts) -> None:
        """Freezes the parts, and keeps the rows that fit in none: written once. Raises GateClosed where they are there already."""
        if "split" in self.manifest.steps:
            raise GateClosed("the eval set is frozen", where=str(self.path), fix="start a new run for another split")
        written = {part_file(part): to_lines(parts[part]) for part in Part}
        self.write_step("split", made_from, written | {STRADDLING: to_lines(parts.straddling)})

    def part(self, part: Part) -> list[tuple[str, Example]]:
        """Ids and examples of a part, after checking the digest that it was frozen with."""
        self.check(part_file(part))
        return from_lines(self.read(part_file(part)))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the run for this process; the lock dies with it. Raises UsageError where another process has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError("another process is at work on this run", where=str(self.path), fix="wait until it ends") from None
            yield


def part_file(part: Part) -> str:
    """Where a part lies in the folder."""
    return f"splits/{part}.jsonl"


def manifest_text(manifest: Manifest) -> str:
    """The one way a manifest is written."""
    return manifest.model_dump_json(indent=1) + "\n"
