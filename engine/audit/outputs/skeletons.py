"""The skeleton of an output: what is left of a query, JSON or code without its values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from zlib import crc32

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source
from tuneproof.engine.scoring.output_inference import MAX_KEYS, MIN_MATCHING_SHARE

FEWEST_SKELETONS = 20
"""With fewer skeletons, they are the few forms of the task and not templates."""

SAMPLE_SIZE = 200
"""Outputs that decide whether outputs are code: those of the rows whose file and line have the smallest checksums."""

_STRING = r'"(?:[^"\\\n]|\\.)*+"' + r"|'(?:[^'\\\n]|\\.)*+'"
_KEY = re.compile(rf"({_STRING})\s*:")
_VALUES = re.compile(
    rf"((?:{_STRING})\s*:)|{_STRING}|(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)|\b(?:true|false|null|True|False|None)\b"
)

_SQL = re.compile(r"\s*(?:select|insert\s+into|update\s+\S+\s+set|delete\s+from|with\s+\w+\s+as|create\s+table)\b", re.IGNORECASE)
_CODE = re.compile(
    r"\s*(?:```|(?:def|class|function|import|from|const|let|var|#include|public|fn|func)\s+[\w<{.*]|[A-Za-z_][\w.]*\(.*\)\s*;?\s*$)"
)
_FORMULA = re.compile(r"(?=[^\n]*[=+*/^\\()<>])[-\w.+*/^=()<>,:;$\"'\\{}\[\]|&!%\s]+$")
_ADJOINING_WORDS = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}")


@aggregate
@dataclass(frozen=True)
class Skeletons:
    """A sample of the outputs, some of their skeletons, and the outputs of eval rows."""

    sample: tuple[tuple[int, Source, str], ...]
    """Outputs of examples, each after the checksum of its row and the row."""
    skeletons: frozenset[str]
    """The first skeletons, up to FEWEST_SKELETONS."""
    eval: frozenset[str]

    @classmethod
    def of(cls, table: Table) -> Skeletons:
        sums = ((crc32(f"{e.source.file}:{e.source.line}".encode()), e.source, e.output) for e in table.examples)
        sample = tuple(nsmallest(SAMPLE_SIZE, sums))
        skeletons: set[str] = set()
        for output in dict.fromkeys(example.output for part in table.parts for example in part):
            if len(skeletons) == FEWEST_SKELETONS:
                break
            skeletons.add(skeleton(output))
        return cls(sample, frozenset(skeletons), frozenset(example.output for example in table.eval))

    def plus(self, later: Skeletons) -> Skeletons:
        skeletons = sorted(self.skeletons | later.skeletons)[:FEWEST_SKELETONS]
        sample = tuple(nsmallest(SAMPLE_SIZE, self.sample + later.sample))
        return Skeletons(sample, frozenset(skeletons), self.eval | later.eval)

    @property
    def outputs(self) -> list[str]:
        """The outputs of the sample."""
        return [output for _, _, output in self.sample]


def has_templates(table: Table) -> bool:
    """Whether there is a separate eval file, and outputs are structured and have more than a few skeletons."""
    size = table.count(Size)
    if not size.examples or not size.eval:
        return False
    skeletons = table.count(Skeletons)
    outputs = skeletons.outputs
    structured = sum(map(is_structured, outputs)) >= MIN_MATCHING_SHARE * len(outputs)
    return structured and len(skeletons.skeletons) >= FEWEST_SKELETONS and not _is_one_schema(outputs)


def skeleton(output: str) -> str:
    """The output with its quoted strings, numbers and JSON values replaced, ignoring white space and case; keys stay."""
    return " ".join(_VALUES.sub(r"\1?", output).casefold().split())


def is_structured(output: str) -> bool:
    """Whether an output is SQL, JSON, code or a formula, and not a sentence, a word or a number."""
    text = output.strip()
    if _looks_like_json(text) or _SQL.match(text) or _CODE.match(text):
        return True
    return bool(_FORMULA.match(text)) and not _ADJOINING_WORDS.search(text)


def _looks_like_json(text: str) -> bool:
    return text[:1] in ("{", "[") and text[-1:] in ("}", "]")


def _is_one_schema(outputs: Sequence[str]) -> bool:
    """Whether outputs are JSON with so few different keys that the different skeletons are one schema with optional keys."""
    json_outputs = sum(_looks_like_json(text.strip()) for text in outputs)
    return json_outputs >= MIN_MATCHING_SHARE * len(outputs) and _different_keys(outputs) <= MAX_KEYS


def _different_keys(outputs: Iterable[str]) -> int:
    return len({key for output in outputs for key in _KEY.findall(output)})
