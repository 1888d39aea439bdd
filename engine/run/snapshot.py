"""A run folder as it is now: every file is read, and checked against its digest, at most once."""

from __future__ import annotations

from functools import cached_property

from tuneproof.engine.case.schema import Case
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.freeze import examples_from_jsonl
from tuneproof.engine.data.split import Part
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.store import CASE, MANIFEST, RunStore, part_file


class RunSnapshot(RunStore):
    """A run folder for reading many things from, while nothing writes to it."""

    def __init__(self, store: RunStore) -> None:
        super().__init__(store.path)
        self.last_read = MANIFEST
        """The file that was read last: the one that what is computed now rests on."""
        self._store = store
        self._texts: dict[str, str] = {}
        self._checked: dict[str, str] = {}
        self._parts: dict[Part, list[tuple[str, Example]]] = {}

    @property
    def files_read(self) -> set[str]:
        """The files whose text was read."""
        return set(self._texts)

    @cached_property
    def case(self) -> Case:
        """The case as it runs."""
        self.last_read = CASE
        return self._store.case

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest on disk. Raises VerifyFailed if it is not one."""
        return super().manifest

    def read(self, name: str) -> str:
        """The text of a file in the folder."""
        self.last_read = name
        if name not in self._texts:
            self._texts[name] = self._store.read(name)
        return self._texts[name]

    def check(self, file: str) -> str:
        """The recorded digest of a file. Raises GateClosed if the file is missing or has another digest."""
        self.last_read = file
        if file not in self._checked:
            self._checked[file] = super().check(file)
        return self._checked[file]

    def part(self, part: Part) -> list[tuple[str, Example]]:
        """Ids and examples of a part. Raises GateClosed if the file is not as it was frozen."""
        if part not in self._parts:
            self.check(part_file(part))
            self._parts[part] = examples_from_jsonl(self.read(part_file(part)))
        return self._parts[part]
