"""Splitting examples into train, validation and eval."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.core.hashing import sha256_text
from tuneproof.engine.data.example import Example, Source, duplicate_key
from tuneproof.engine.data.groups import Grouping, alone, group_of
from tuneproof.engine.data.parts import Part as Part


@dataclass(frozen=True)
class SplitParts:
    """The examples of each part, in the order of their content hashes."""

    train: list[Example]
    validation: list[Example]
    eval: list[Example]
    cross_split_duplicates: list[Example]
    """Rows that were left out because a later part has a duplicate of them."""

    def __getitem__(self, part: Part) -> list[Example]:
        return {Part.TRAIN: self.train, Part.VALIDATION: self.validation, Part.EVAL: self.eval}[part]


def split(
    examples: Sequence[Example],
    shares: SplitShares,
    separate_eval: Sequence[Example] | None = None,
    validation: Collection[Source] = (),
) -> SplitParts:
    """The parts, which depend only on the seed and on each row's content.

    A row's part is decided by a hash of the seed and of the row's group (`group_of`), or else of its conversation where each turn is an
    example, or else of the text it has in common with its duplicates. So neither the order of the file nor new rows move a row to another
    part. It also means that labels cannot be balanced by counting: each label has the stated shares in expectation, and the audit reports
    a label that a part does not have. If groups or conversations put duplicates into different parts, only those in the later part (eval,
    then validation) stay.

    With a separate eval set, train and validation divide all examples in the proportion of their shares. Where `validation` names rows,
    these are the validation part, without more, and a row of train that repeats one of them is left out. Raises DataRefused if train or
    eval is empty, or if no row has the `group_by` field.
    """
    rows = list(examples)
    if shares.group_by is not None and rows and all(group_of(example, shares.group_by) is None for example in rows):
        raise DataRefused(f"no row has `{shares.group_by}`", where="data.split.group_by", fix=_group_fix(rows))
    placed: dict[Part, list[Example]] = {part: [] for part in Part}
    taken = _Division.of(shares, has_eval=separate_eval is not None, has_validation=bool(validation))
    for example in rows:
        if example.source in validation:
            placed[Part.VALIDATION].append(example)
        else:
            placed[taken.part_at(_fraction(shares.seed, _group(example, shares.group_by)))].append(example)
    by_group = bool(shares.group_by) or any(example.conversation for example in rows)
    may_repeat = bool(validation) or (by_group and separate_eval is None)
    cross_split_duplicates = _remove_cross_split_duplicates(placed) if may_repeat else []
    placed[Part.EVAL] += separate_eval or []
    for part in (Part.TRAIN, Part.EVAL):
        if not placed[part]:
            raise DataRefused(f"the {part} part is empty", where="data.split", fix="give it a larger share, or more examples")
    ordered = {part: sorted(found, key=lambda e: (e.content_hash, e.source)) for part, found in placed.items()}
    return SplitParts(ordered[Part.TRAIN], ordered[Part.VALIDATION], ordered[Part.EVAL], cross_split_duplicates)


@dataclass(frozen=True)
class _Division:
    """The parts that the examples are divided into."""

    ends: list[tuple[Part, float]]
    """Each with the sum of the shares up to its own."""

    @classmethod
    def of(cls, shares: SplitShares, *, has_eval: bool, has_validation: bool) -> _Division:
        """All parts that have no rows of their own."""
        sizes = [(Part.TRAIN, shares.train)]
        sizes += [] if has_validation else [(Part.VALIDATION, shares.validation)]
        sizes += [] if has_eval else [(Part.EVAL, shares.eval)]
        return cls([(part, end) for (part, _), end in zip(sizes, accumulate(size for _, size in sizes), strict=True)])

    def part_at(self, fraction: float) -> Part:
        """The part at a fraction of the whole, from 0 to below 1."""
        at = fraction * (self.ends[-1][1] if len(self.ends) < len(Part) else 1.0)
        return next((part for part, end in self.ends if at < end), self.ends[-1][0])


def _group(example: Example, group_by: str | None) -> str:
    return (group_of(example, group_by) if group_by is not None else None) or alone(example)


def _group_fix(rows: Sequence[Example]) -> str:
    names = sorted({name for example in rows for name in example.metadata})
    fields = f"a field of the rows ({', '.join(names[:8])}{', …' if len(names) > 8 else ''}), " if names else ""
    return f"name {fields}{' or '.join(Grouping)}"


def _fraction(seed: int, group: str) -> float:
    digest = hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _remove_cross_split_duplicates(placed: dict[Part, list[Example]]) -> list[Example]:
    """Removes, from train and validation, the rows that have a duplicate in a later part, and returns them."""
    removed: list[Example] = []
    kept: set[str] = set()
    for part in (Part.EVAL, Part.VALIDATION, Part.TRAIN):
        rows = defaultdict(list)
        for example in placed[part]:
            rows[duplicate_key(example)].append(example)
        removed += [e for key, found in rows.items() if key in kept for e in found]
        placed[part] = [e for key, found in rows.items() if key not in kept for e in found]
        kept |= rows.keys()
    return removed


def shuffled(rows: Iterable[Example], seed: int) -> list[Example]:
    """The rows in an order that depends on the seed and on their content, not on their order in the file."""
    return sorted(rows, key=lambda row: sha256_text(f"{seed} {row.content_hash}"))


def case_ids(cases: Iterable[Example]) -> list[str]:
    """An id for each case: the first 16 hexadecimal digits of its content hash, with a number for the second and later equal rows."""
    seen: dict[str, int] = defaultdict(int)
    ids = []
    for case in cases:
        digest = case.content_hash[:16]
        seen[digest] += 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids
