"""The prompt with examples: the plain prompt after a few solved rows of the train part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from tuneproof.engine.arms.arm import PLACEHOLDER_SOURCE, Arm, ArmContext, Request, chat, request_text
from tuneproof.engine.arms.bm25 import BM25Index
from tuneproof.engine.arms.near_duplicates import near_duplicate_rows
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.data.split import shuffled

SHOT_COUNTS = (2, 4, 8)
"""How many examples are tried."""

DEFAULT_SHOTS = 4
"""How many are shown where there is no validation part to try them on."""


class ShotSelection(StrEnum):
    """Which rows are shown: the same ones for every case, or those that have most in common with it."""

    FIXED = "fixed"
    NEAREST = "nearest"


class FewShot(Arm):
    """The untuned model that is shown solved examples as earlier turns. How many, and the same for all cases or the nearest to each,
    validation cases decide; a row that is nearly the case itself is never shown."""

    name = ArmName.FEW_SHOT
    is_prompt_baseline = True

    def __init__(
        self, setting: ArmContext, shots: int = DEFAULT_SHOTS, kind: ShotSelection = ShotSelection.FIXED, pool: _Pool | None = None
    ) -> None:
        super().__init__(setting)
        self._shots, self._kind = shots, kind
        self._pool = pool or _Pool(setting.train)
        self._fixed = choose_shots(self._pool.rows, shots, setting.seed)
        which = "fixed examples of train" if kind is ShotSelection.FIXED else "examples of train nearest to the case"
        self.summary = f"{shots} {which}"

    def variants(self) -> Mapping[str, Arm]:
        counts = [shots for shots in SHOT_COUNTS if shots <= len(self._pool.rows)]
        return {f"{shots} {kind}": FewShot(self.setting, shots, kind, self._pool) for shots in counts for kind in ShotSelection}

    def messages(self, case: Example) -> list[Message]:
        return self.requests([case])[0].messages

    def requests(self, cases: Sequence[Example]) -> list[Request]:
        return [self._request(case, near) for case, near in zip(cases, self._pool.near(cases), strict=True)]

    def template(self) -> list[Message]:
        if self._kind is ShotSelection.FIXED:
            return self._with(self._fixed, self.placeholder())
        places = [
            Example("", f"{{input of example {n}}}", f"{{output of example {n}}}", PLACEHOLDER_SOURCE) for n in range(1, self._shots + 1)
        ]
        return self._with(places, self.placeholder())

    def _request(self, case: Example, near: set[int]) -> Request:
        shots, left_out = [], 0
        for at in self._ranked(case):
            if at in near:
                left_out += 1
            else:
                shots.append(self._pool.rows[at])
            if len(shots) == self._shots:
                break
        while shots and not self.setting.fits(self._with(self._in_order(shots), case)):
            shots.pop()
        shown = self._in_order(shots)
        return Request(self._with(shown, case), tuple(str(shot.source) for shot in shown), left_out=left_out)

    def _ranked(self, case: Example) -> Iterable[int]:
        """The rows to show by their numbers, the one to keep longest first; of fixed ones no other takes the place of one left out."""
        if self._kind is ShotSelection.FIXED:
            number = {id(row): at for at, row in enumerate(self._pool.rows)}
            return [number[id(row)] for row in self._fixed]
        return self._pool.index.order(case.input)

    def _in_order(self, shots: Sequence[Example]) -> list[Example]:
        """What is nearest stands last, beside the question: that is what a model heeds most."""
        return list(shots) if self._kind is ShotSelection.FIXED else list(reversed(shots))

    def _with(self, shots: Sequence[Example], case: Example) -> list[Message]:
        """The format is described once, in the first turn; an instruction is repeated only where it is another one."""
        described = self.setting.judge.description()
        if not shots:
            return chat(case, self.setting.instruction, described)
        told, turns = None, [Message("system", case.system)] if case.system else []
        for shot in shots:
            instruction = shot.instruction or self.setting.instruction
            turns.append(Message("user", _ask(shot, instruction, told, "" if told is not None else described)))
            turns.append(Message("assistant", shot.output))
            told = instruction
        if case.history:
            return [*turns, *chat(case, self.setting.instruction)]
        return [*turns, Message("user", _ask(case, case.instruction or self.setting.instruction, told, ""))]


class _Pool:
    """The rows of train that can be shown, with what all ways to choose among them share: those without turns before them."""

    def __init__(self, train: Sequence[Example]) -> None:
        self.rows = [example for example in train if not example.history]
        self._near: dict[tuple[str, ...], list[set[int]]] = {}

    @cached_property
    def index(self) -> BM25Index:
        return BM25Index([row.input for row in self.rows])

    def near(self, cases: Sequence[Example]) -> list[set[int]]:
        """The rows that are nearly each case; looked for once, since every way to ask asks the same cases."""
        key = tuple(case.content_hash for case in cases)
        if key not in self._near:
            self._near[key] = near_duplicate_rows(self.rows, cases)
        return self._near[key]


def _ask(row: Example, instruction: str, told: str | None, description: str) -> str:
    return row.input if instruction == told else request_text(row, instruction, description)


def choose_shots(train: Sequence[Example], count: int, seed: int) -> list[Example]:
    """The first rows in a shuffle by content that have no turns before them, different outputs before repeated ones."""
    single = [e for e in shuffled(train, seed) if not e.history]
    chosen: dict[str, Example] = {}
    for example in single:
        chosen.setdefault(example.output, example)
        if len(chosen) == count:
            return list(chosen.values())
    repeated = [e for e in single if chosen[e.output] is not e]
    return [*chosen.values(), *repeated][:count]
