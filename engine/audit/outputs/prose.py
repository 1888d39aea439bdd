"""Whether outputs are prose, where two different answers to one request can both be right."""

from __future__ import annotations

from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.outputs.skeletons import Skeletons, is_structured
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.spaceless import words_of
from tuneproof.engine.scoring.text_grader import TextGrader

FEWEST_WORDS = 5
"""Words from which an output is no name, number or short phrase, of which only one is right."""


def are_prose(table: Table) -> bool:
    """Whether the task asks for text, or is not known, and most outputs are sentences: neither labels, nor code, nor a few words."""
    if not isinstance(table.grader, TextGrader | None) or label_reader(table) is not None:
        return False
    outputs = table.count(Skeletons).outputs
    return 2 * sum(len(words_of(output)) >= FEWEST_WORDS and not is_structured(output) for output in outputs) > len(outputs)
