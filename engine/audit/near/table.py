"""The near-duplicate join over examples and eval rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.texts import TextsOf
from tuneproof.engine.data.example import Example, Message, Source, prompt_text

if TYPE_CHECKING:
    from tuneproof.engine.audit.near.boilerplate import Boilerplate, BoilerplateRules
    from tuneproof.engine.audit.near.clusters import Dropped, NearRow, NearRows

Way = tuple[str, str, tuple[Message, ...], tuple[str, ...], tuple[Message, ...]]
"""How a row asks, but for its input: instruction, system text, history, the tools that it offers, and what they gave back."""

Ways = frozenset[Way]
"""Ways in which rows ask."""


@dataclass(frozen=True)
class NearTable:
    """Which rows are near to which: the examples come first, then the eval rows."""

    examples: int
    eval: int
    sources: list[Source]
    rows: NearRows
    boilerplate: list[Boilerplate]

    def examples_near_eval(self) -> list[NearRow]:
        """The examples that have a near eval row, each with the nearest."""
        return self.rows.nearest(range(self.examples), range(self.examples, self.examples + self.eval))

    def eval_near_examples(self) -> list[NearRow]:
        """The eval rows that have a near example, each with the nearest."""
        return self.rows.nearest(range(self.examples, self.examples + self.eval), range(self.examples))

    @property
    def complete(self) -> bool:
        """Whether every near pair was found. Rows made from few templates can have more pairs than memory holds."""
        return self.rows.pairs.complete

    def pairs(self) -> int:
        """The number of near pairs of examples."""
        return self.rows.pair_count(self.examples)

    @cached_property
    def dropped(self) -> list[Dropped]:
        """The examples to drop so that no near pair is left."""
        return self.rows.dropped(self.examples)

    def conflicts(self, outputs: list[str]) -> list[NearRow]:
        """NearRow examples that have different outputs."""
        return self.rows.conflicts(outputs)

    def without(self, gone: Collection[Source]) -> NearTable:
        """The same join without some rows."""
        kept = [at for at, source in enumerate(self.sources) if source not in gone]
        examples = sum(at < self.examples for at in kept)
        return replace(
            self, examples=examples, eval=len(kept) - examples, sources=[self.sources[at] for at in kept], rows=self.rows.take(kept)
        )

    def within(self, boilerplate: list[Boilerplate], *, complete: bool) -> NearTable:
        """The join as part of a larger one, whose boilerplate is known, and whether it found every pair."""
        pairs = replace(self.rows.pairs, complete=self.complete and complete)
        return replace(self, rows=replace(self.rows, pairs=pairs), boilerplate=boilerplate)


def ways_of_asking(*parts: Rows) -> Ways:
    """The ways in which these rows ask, at most two of them: more than one is all that matters."""
    return frozenset(list({_way_of(example) for part in parts for example in part})[:2])


def _way_of(example: Example) -> Way:
    tools = example.tool_use.tools if example.tool_use is not None else ()
    return example.instruction, example.system, example.history, tools, example.turns_after_input


def only_inputs_differ(ways: Ways) -> bool:
    """Whether all rows ask in the same way, so that they differ in their inputs alone."""
    return len(ways) == 1 and ways != {("", "", (), (), ())}


def compared_texts(examples: Rows, eval_rows: Rows, *, inputs_alone: bool) -> TextsOf:
    """The texts by which near rows are found, as they are: whole prompts, or the inputs alone if nothing else differs."""
    rows = Rows([*examples, *eval_rows])
    rows.on_rows = examples.on_rows
    return TextsOf(rows, _input if inputs_alone else prompt_text)


def join_rows(
    examples: Rows,
    eval_rows: Rows,
    shingle: Shingle = Shingle.W3,
    *,
    inputs_alone: bool | None = None,
) -> NearTable:
    """The near-duplicate join over all rows; `inputs_alone` is worked out from these rows if it is not given."""
    # NumPy and SciPy take a third of a second to import, and the wizard imports the checks.
    from tuneproof.engine.audit.near.boilerplate import without_boilerplate
    from tuneproof.engine.audit.near.clusters import near_rows

    if inputs_alone is None:
        inputs_alone = only_inputs_differ(ways_of_asking(examples, eval_rows))
    left = without_boilerplate(compared_texts(examples, eval_rows, inputs_alone=inputs_alone))
    near = _apart_from_own_conversation(near_rows(left.texts, shingle, on_rows=examples.on_rows), examples, eval_rows)
    return NearTable(len(examples), len(eval_rows), _sources(examples, eval_rows), near, left.boilerplate)


def join_part(
    examples: Rows,
    eval_rows: Rows,
    shingle: Shingle,
    rules: BoilerplateRules,
    *,
    inputs_alone: bool,
) -> NearTable:
    """The near-duplicate join over part of the rows, whose boilerplate has been decided over all."""
    from tuneproof.engine.audit.near.boilerplate import WithoutRules
    from tuneproof.engine.audit.near.clusters import near_rows

    texts = WithoutRules(rules, compared_texts(examples, eval_rows, inputs_alone=inputs_alone))
    near = _apart_from_own_conversation(near_rows(texts, shingle, on_rows=examples.on_rows), examples, eval_rows)
    return NearTable(len(examples), len(eval_rows), _sources(examples, eval_rows), near, [])


def _apart_from_own_conversation(near: NearRows, *parts: Rows) -> NearRows:
    """The near rows without pairs of turns of one conversation: each has all turns before it, so that they are always alike."""
    import numpy as np

    from tuneproof.engine.audit.near.dialogues import without_pairs_of_dialogues

    near = without_pairs_of_dialogues(near, *parts)
    names = [example.conversation for part in parts for example in part]
    if not any(names):
        return near
    numbers: dict[str, int] = {"": -1}
    return near.without_pairs_inside(np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64))


def _input(example: Example) -> str:
    return example.input


def _sources(*parts: Rows) -> list[Source]:
    return [example.source for part in parts for example in part]
