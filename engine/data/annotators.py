"""Several answers to one row, by several people: the answer of most is taken, and that they disagree is noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from tuneproof.engine.data.cells import NotToLearn
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.labels import LabelList
from tuneproof.engine.data.notes import Disagreement, RowNotes
from tuneproof.engine.data.problems import AnsweredTwice
from tuneproof.engine.data.row_shape import Problems


def agreed(answers: Sequence[str], notes: RowNotes) -> str:
    """The answer that most gave, or of those the first. Raises NotToLearn if there is none."""
    if not answers:
        raise NotToLearn("nobody has answered it")
    counts = Counter(map(_as_set, answers))
    best, most = counts.most_common(1)[0]
    if len(counts) > 1:
        notes.add(Disagreement(by_majority=sum(count == most for count in counts.values()) == 1))
    return next(answer for answer in answers if _as_set(answer) == best)


def _as_set(answer: str) -> str | tuple[str, ...]:
    """What makes two answers the same: labels in another order are."""
    return tuple(sorted(answer.labels)) if isinstance(answer, LabelList) else answer


def one_row_a_task(
    examples: list[Example], problems: Problems, notes: RowNotes, task: Callable[[Example], Hashable | None]
) -> list[Example]:
    """One example for each task, if several people answered it in rows of their own: the first row, with the answer that most gave.

    `task` names the task of a row; rows without one are left as they are. The other rows are added to the problems.
    """
    by_task: dict[Hashable, list[Example]] = {}
    for example in examples:
        if (key := task(example)) is not None:
            by_task.setdefault(key, []).append(example)
    if all(len(rows) == 1 for rows in by_task.values()):
        return examples
    kept: list[Example] = []
    for example in examples:
        key = task(example)
        rows = by_task[key] if key is not None else [example]
        if rows[0] is example:
            output = agreed([row.output for row in rows], notes)
            notes.keep(example.source)
            kept.append(example if output == example.output else replace(example, output=output))
        else:
            problems.append((example.source, AnsweredTwice(f"another answer to the task of {rows[0].source}, counted there")))
    return kept
