"""The profile of the data as text, one line a subject."""

from __future__ import annotations

from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.profile import Compared, LabelRows, MetadataField, Overlap, Profile
from tuneproof.engine.audit.wording import listed
from tuneproof.engine.run.artifacts import LengthSummary, RowLengths

MOST_NAMES = 6
"""Names that a line lists before it says how many more there are."""


def profile_lines(profile: Profile) -> list[str]:
    """Fields, metadata, lengths, labels and vocabulary, each if there is something to say."""
    lines = [f"fields: {listed((f'{name} in {rows:,} rows' for name, rows in profile.fields.items()), MOST_NAMES)}"]
    if profile.metadata:
        lines.append(f"metadata: {listed((_metadata(name, field) for name, field in profile.metadata.items()), MOST_NAMES)}")
    if profile.lengths:
        lines.append(_lengths(profile.lengths))
    if profile.labels:
        lines.append(_labels(profile.labels))
    for name, overlap in (("inputs", profile.inputs), ("outputs", None if profile.labels else profile.outputs)):
        if overlap and overlap.different:
            lines.append(_overlap(name, overlap))
    if profile.compared and profile.compared.rows:
        lines.append(_compared(profile.compared))
    return lines


def _compared(how: Compared) -> str:
    unit = "three words" if how.shingle is Shingle.W3 else "five characters"
    text = f"near rows are compared by runs of {unit}"
    if how.by_character and how.shingle is Shingle.W3:
        text += f", {how.by_character:,} inputs in a script without spaces by runs of three characters"
    if how.short:
        articles = f" and articles ({how.articles})" if how.articles else ""
        text += f"; {how.short:,} short inputs also without words of courtesy{articles}"
    return text


def _metadata(name: str, field: MetadataField) -> str:
    return f"{quoted(name, 40)} ({field.rows:,} rows, {field.different:,} different)"


def _lengths(lengths: RowLengths) -> str:
    return f"lengths in {lengths.unit}: prompts {_length(lengths.prompt)}; answers {_length(lengths.answer)}"


def _length(length: LengthSummary) -> str:
    return f"{length.median:,} at the median, 99 % up to {length.p99:,}, the longest {length.longest:,}"


def _labels(labels: list[LabelRows]) -> str:
    rows = sum(label.train for label in labels)
    counted = listed((f"{quoted(label.label, 40)} {label.train:,}" for label in labels), MOST_NAMES)
    unseen = sum(label.eval > 0 and label.train == 0 for label in labels)
    missing = sum(label.eval == 0 for label in labels)
    last = labels[-1]
    notes = [f"fewest: {quoted(last.label, 40)} {last.train:,}"] if len(labels) > MOST_NAMES else []
    notes += [f"{unseen} only in eval"] if unseen else []
    notes += [f"{missing} not in eval"] if missing and missing < len(labels) else []
    return f"{len(labels)} labels, {rows:,} times in train: {counted}" + (f"; {', '.join(notes)}" if notes else "")


def _overlap(name: str, overlap: Overlap) -> str:
    different, running = overlap.different_known / overlap.different, overlap.running_known / overlap.running
    return (
        f"vocabulary of the eval {name}: {different:.0%} of their {overlap.different:,} distinct words occur in train, "
        f"{running:.0%} of all {overlap.running:,} words"
    )
