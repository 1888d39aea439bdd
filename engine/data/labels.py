"""Outputs that are several labels: a list in the data, and the text of a JSON list in an example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tuneproof.engine.data.cells import shared_label, text_of
from tuneproof.engine.data.example import Example


class LabelList(str):
    """An output that was a list in the data, as the text of a JSON list, until the end of its file is known."""

    __slots__ = ("labels", "stays")

    labels: tuple[str, ...]
    stays: bool
    """Whether it is a list however many labels the other rows have: if the data say that a row may have several."""

    @classmethod
    def of(cls, labels: Sequence[Any], *, stays: bool = False) -> LabelList:
        """The list of some values, each as text. Raises RowError for a value that is none."""
        texts = tuple(text_of(label, "label") for label in labels)
        output = cls(json.dumps(texts, ensure_ascii=False))
        output.labels, output.stays = texts, stays
        return output


def with_labels(examples: list[Example]) -> list[Example]:
    """The examples of a file with plain outputs: lists of one label are the label, unless some row has several or none."""
    lists = [example.output for example in examples if isinstance(example.output, LabelList)]
    if not lists:
        return examples
    alone = all(len(output.labels) == 1 and not output.stays for output in lists)
    return [replace(example, output=_plain(example.output, alone=alone)) for example in examples]


def _plain(output: str, *, alone: bool) -> str:
    if isinstance(output, LabelList):
        return shared_label(output.labels[0] if alone else str(output))
    return output if alone else json.dumps([output], ensure_ascii=False)
