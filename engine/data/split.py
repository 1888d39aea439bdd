"""Which row trains, which validates, which is frozen for scoring."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.core.hashing import sha256_text
from tuneproof.engine.data.example import Example, duplicate_key


class Part(StrEnum):
    """The three parts of the examples."""

    TRAIN = "train"
    VALIDATION = "validation"
    EVAL = "eval"


@dataclass(frozen=True)
class Parts:
    """The examples of each part in an order of their own, and the rows that fit in none."""

    train: list[Example]
    validation: list[Example]
    eval: list[Example]
    straddling: list[Example]

    def __getitem__(self, part: Part) -> list[Example]:
        return {Part.TRAIN: self.train, Part.VALIDATION: self.validation, Part.EVAL: self.eval}[part]


def split(examples: Sequence[Example], shares: SplitShares, separate_eval: Sequence[Example] | None = None) -> Parts:
    """The parts, from seed and content alone.

    A row's part is a hash of the seed and of the row's group (the value of `group_by`, else the text it shares with its duplicates),
    compared with the shares. So the order of the file changes nothing, and a new row moves no row that is there already. That wish also
    settles what stratifying can mean: a part that depends on no other row cannot balance labels by counting them, so every label has the
    stated shares in expectation, and the audit says where a label is missing from a part. Where `group_by` would put duplicates into
    different parts, the copy in the part that is read last (eval, then validation) stays and the others are left out as straddling.

    With a separate eval file, train and validation share the examples in the proportion of their shares. Raises DataRefused where a
    part that was asked for comes out empty.
    """
    rows = list(examples)
    whole = 1.0 if separate_eval is None else shares.train + shares.validation
    placed: dict[Part, list[Example]] = {part: [] for part in Part}
    for example in rows:
        at = _fraction(shares.seed, _group(example, shares.group_by)) * whole
        placed[_part_at(at, shares)].append(example)
    placed[Part.EVAL] += separate_eval or []
    straddling = _take_out_straddling(placed) if shares.group_by and separate_eval is None else []
    for part in (Part.TRAIN, Part.EVAL):
        if not placed[part]:
            raise DataRefused(f"the {part} part is empty", where="data.split", fix="give it a larger share, or more examples")
    ordered = {part: sorted(found, key=lambda e: (e.content_hash, e.source)) for part, found in placed.items()}
    return Parts(ordered[Part.TRAIN], ordered[Part.VALIDATION], ordered[Part.EVAL], straddling)


def _group(example: Example, group_by: str | None) -> str:
    if group_by is None:
        return "text " + duplicate_key(example)
    if group_by not in example.metadata:
        raise DataRefused(f"the row has no `{group_by}`", where=str(example.source), fix="data.split.group_by must be in every row")
    return "group " + json.dumps(example.metadata[group_by], sort_keys=True)


def _fraction(seed: int, group: str) -> float:
    digest = hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _part_at(fraction: float, shares: SplitShares) -> Part:
    if fraction < shares.train:
        return Part.TRAIN
    return Part.VALIDATION if fraction < shares.train + shares.validation else Part.EVAL


def _take_out_straddling(placed: dict[Part, list[Example]]) -> list[Example]:
    """Removes from train, then from validation, what has a duplicate in a part after it; returns what was removed."""
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
    """The rows in an order that depends on the seed and on what they say, not on where they stand."""
    return sorted(rows, key=lambda row: sha256_text(f"{seed} {row.content_hash}"))


def case_ids(cases: Iterable[Example]) -> list[str]:
    """A name for each case from its content: sixteen hexadecimal digits, numbered where equal rows repeat."""
    seen: dict[str, int] = defaultdict(int)
    names = []
    for case in cases:
        stem = case.content_hash[:16]
        seen[stem] += 1
        names.append(stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return names
