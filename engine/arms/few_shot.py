"""The few-shot prompt: the plain prompt after a few solved examples from the train part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from tuneproof.engine.arms.arm import PLACEHOLDER_SOURCE, Arm, ArmContext, Request, chat, opening_turns, request_text
from tuneproof.engine.arms.bm25 import BM25Index
from tuneproof.engine.arms.near_duplicates import near_duplicate_rows
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.data.split import shuffled

SHOT_COUNTS = (2, 4, 8)
"""The numbers of examples that are tried."""

DEFAULT_SHOTS = 4
"""Number of examples if there is no validation part."""


class ShotSelection(StrEnum):
    """Which train rows are shown: the same ones for every case, or those most similar to the case."""

    FIXED = "fixed"
    NEAREST = "nearest"


class FewShot(Arm):
    """The untuned model with solved examples as earlier turns. Validation cases decide how many, and whether they are the same for all
    cases or the most similar to each. A near duplicate of the case is never shown."""

    name = ArmName.FEW_SHOT
    is_prompt_baseline = True

    def __init__(
        self,
        context: ArmContext,
        shots: int = DEFAULT_SHOTS,
        selection: ShotSelection = ShotSelection.FIXED,
        pool: ShotPool | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(context)
        self._shots, self._selection = shots, selection
        self.pool = pool or ShotPool(context.train)
        self._fixed = choose_shots(self.pool.rows, shots, context.seed if seed is None else seed)
        which = "fixed examples of train" if selection is ShotSelection.FIXED else "examples of train nearest to the case"
        self.summary = f"{shots} {which}"

    def variants(self) -> Mapping[str, Arm]:
        counts = [shots for shots in SHOT_COUNTS if shots <= len(self.pool.rows)]
        ways = [(shots, selection) for shots in counts for selection in ShotSelection]
        return {variant_name(*way): FewShot(self.context, *way, self.pool) for way in ways}

    def messages(self, case: Example) -> list[Message]:
        return self.requests([case])[0].messages

    def requests(self, cases: Sequence[Example]) -> list[Request]:
        return [self._request(case, near) for case, near in zip(cases, self.pool.near(cases), strict=True)]

    def format_description(self) -> str:
        """What the first turn says about the output, after the instruction."""
        return self.context.grader.description()

    def template(self) -> list[Message]:
        if self._selection is ShotSelection.FIXED:
            return self._with(self._fixed, self.placeholder())
        placeholders = [
            Example("", f"{{input of example {n}}}", f"{{output of example {n}}}", PLACEHOLDER_SOURCE) for n in range(1, self._shots + 1)
        ]
        return self._with(placeholders, self.placeholder())

    def _request(self, case: Example, near: set[int]) -> Request:
        shots, left_out = [], 0
        for at in self._ranked(case):
            if at in near:
                left_out += 1
            else:
                shots.append(self.pool.rows[at])
            if len(shots) == self._shots:
                break
        while shots and not self.context.fits(self._with(self._in_order(shots), case)):
            shots.pop()
        shown = self._in_order(shots)
        return Request(self._with(shown, case), tuple(str(shot.source) for shot in shown), left_out=left_out)

    def _ranked(self, case: Example) -> Iterable[int]:
        """The indices of the candidate rows, the most important first. A fixed example that is left out is not replaced."""
        if self._selection is ShotSelection.FIXED:
            number = {id(row): at for at, row in enumerate(self.pool.rows)}
            return [number[id(row)] for row in self._fixed]
        return self.pool.index.rank(case.input)

    def _in_order(self, shots: Sequence[Example]) -> list[Example]:
        """The most similar example comes last, next to the question, where it influences the model most."""
        return list(shots) if self._selection is ShotSelection.FIXED else list(reversed(shots))

    def _with(self, shots: Sequence[Example], case: Example) -> list[Message]:
        """The chat with these examples. The first turn describes the format, and an instruction is repeated only if it changes."""
        description = self.format_description()
        if not shots:
            return chat(case, self.context.instruction, description)
        last_instruction, turns = None, opening_turns(case)
        for shot in shots:
            instruction = shot.instruction or self.context.instruction
            turns.append(
                Message("user", _question(shot, instruction, last_instruction, "" if last_instruction is not None else description))
            )
            turns.append(Message("assistant", shot.output))
            last_instruction = instruction
        if case.history:
            return [*turns, *chat(case, self.context.instruction)[len(opening_turns(case)) :]]
        asked = Message("user", _question(case, case.instruction or self.context.instruction, last_instruction, ""))
        return [*turns, asked, *case.turns_after_input]


def variant_name(shots: int, selection: ShotSelection) -> str:
    """What a variant is called in `arm.json`."""
    return f"{shots} {selection}"


def parse_variant(name: str) -> tuple[int, ShotSelection]:
    """The number of examples and their selection, of a variant's name."""
    shots, selection = name.split()
    return int(shots), ShotSelection(selection)


class ShotPool:
    """The train rows that can be examples, which are those of one question and its answer, and the indexes that all variants share."""

    def __init__(self, train: Sequence[Example]) -> None:
        self.rows = [example for example in train if is_one_question(example)]
        self._near: dict[str, set[int]] = {}

    @cached_property
    def index(self) -> BM25Index:
        return BM25Index([row.input for row in self.rows])

    def near(self, cases: Sequence[Example]) -> list[set[int]]:
        """The near duplicates of each case; cached, because every variant gets the same cases."""
        new = [case for case in {case.content_hash: case for case in cases}.values() if case.content_hash not in self._near]
        if new:
            found = near_duplicate_rows(self.rows, new)
            self._near |= {case.content_hash: near for case, near in zip(new, found, strict=True)}
        return [self._near[case.content_hash] for case in cases]


def _question(row: Example, instruction: str, last_instruction: str | None, description: str) -> str:
    return row.input if instruction == last_instruction else request_text(row, instruction, description)


def is_one_question(example: Example) -> bool:
    """Whether a row is a question and its answer, without turns before or between."""
    return not example.history and not example.turns_after_input


def choose_shots(train: Sequence[Example], count: int, seed: int) -> list[Example]:
    """`count` rows of one question and its answer, in an order shuffled by content, distinct outputs first."""
    single = [e for e in shuffled(train, seed) if is_one_question(e)]
    chosen: dict[str, Example] = {}
    for example in single:
        chosen.setdefault(example.output, example)
        if len(chosen) == count:
            return list(chosen.values())
    repeated = [e for e in single if chosen[e.output] is not e]
    return [*chosen.values(), *repeated][:count]
