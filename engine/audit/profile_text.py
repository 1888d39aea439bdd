"""The profile of the data for a reader: one line a subject."""

from __future__ import annotations

from collections.abc import Iterable

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.profile import LabelRows, MetadataField, Overlap, Profile
from tuneproof.engine.run.artifacts import LengthSummary, RowLengths

NAMED = 6
"""How many names a line has before it says how many more there are."""


def profile_lines(profile: Profile) -> list[str]:
    """Fields, metadata, lengths, labels and vocabulary, each where there is something to say."""
    lines = [f"fields: {_listed(f'{name} in {rows:,} rows' for name, rows in profile.fields.items())}"]
    if profile.metadata:
        lines.append(f"metadata: {_listed(_metadata(name, field) for name, field in profile.metadata.items())}")
    if profile.lengths:
        lines.append(_lengths(profile.lengths))
    if profile.labels:
        lines.append(_labels(profile.labels))
    for name, overlap in (("inputs", profile.inputs), ("outputs", None if profile.labels else profile.outputs)):
        if overlap and overlap.different:
            lines.append(_overlap(name, overlap))
    return lines


def _metadata(name: str, field: MetadataField) -> str:
    return f"{quoted(name, 40)} ({field.rows:,} rows, {field.different:,} different)"


def _lengths(lengths: RowLengths) -> str:
    return f"lengths in {lengths.unit}: prompts {_length(lengths.prompt)}; answers {_length(lengths.answer)}"


def _length(length: LengthSummary) -> str:
    return f"{length.median:,} at the median, 99 % up to {length.p99:,}, the longest {length.longest:,}"


def _labels(labels: list[LabelRows]) -> str:
    rows = sum(label.train for label in labels)
    told = _listed(f"{quoted(label.label, 40)} {label.train:,}" for label in labels)
    unseen = sum(label.eval > 0 and label.train == 0 for label in labels)
    missing = sum(label.eval == 0 for label in labels)
    last = labels[-1]
    notes = [f"fewest: {quoted(last.label, 40)} {last.train:,}"] if len(labels) > NAMED else []
    notes += [f"{unseen} only in eval"] if unseen else []
    notes += [f"{missing} not in eval"] if missing and missing < len(labels) else []
    return f"{len(labels)} labels, {rows:,} times in train: {told}" + (f"; {', '.join(notes)}" if notes else "")


def _overlap(name: str, overlap: Overlap) -> str:
    different, running = overlap.different_known / overlap.different, overlap.running_known / overlap.running
    return (
        f"vocabulary of the eval {name}: {different:.0%} of their {overlap.different:,} different words stand in train, "
        f"{running:.0%} of their {overlap.running:,} words"
    )


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
