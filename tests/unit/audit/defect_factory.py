"""Clean rows, and for every check of the audit a way to put defects into them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.encodings import InvalidBytesKind
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.notes import (
    Disagreement,
    KeyPlace,
    NotRead,
    PairKind,
    PreferencePair,
    RenamedColumns,
    RowNote,
    RowNotes,
    SkippedTurns,
    SwallowedLines,
    TakenPart,
    UnknownTurnKey,
    UnusedKey,
)
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.problems import AnsweredTwice, BadTurns, DifferentShape, NothingToLearn, NotUtf8Row, RowProblem, UnreadableRow
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.graders import make_grader

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
EXAMPLES, EVAL = "rows.jsonl", "eval.jsonl"
LABELS = ("red", "green", "blue", "brown")


@dataclass
class DefectiveRows:
    """Rows under audit, and those of them that have a defect."""

    examples: list[Example]
    eval: list[Example] = field(default_factory=list)
    defects: list[Source] = field(default_factory=list)
    problems: list[tuple[Source, RowProblem]] = field(default_factory=list)
    notes: RowNotes = field(default_factory=RowNotes)
    grader: Grader | None = None
    lengths: TokenLengths | None = None

    def table(self) -> Table:
        rows: tuple[Any, Any] = (list(self.examples), list(self.eval))
        return Table(*rows, list(self.problems), self.grader, self.lengths, notes=self.notes)

    def change(self, at: int, **values: object) -> None:
        """Gives an example a defect."""
        self.examples[at] = replace(self.examples[at], **values)  # type: ignore[arg-type]
        self.defects.append(self.examples[at].source)

    def add(self, question: str, answer: str, *, file: str = EXAMPLES, defect: bool = True, **values: object) -> None:
        """Adds a row, which has a defect unless `defect` is false."""
        part = self.examples if file == EXAMPLES else self.eval
        part.append(Example("", question, answer, Source(file, len(part) + 1), **values))  # type: ignore[arg-type]
        if defect:
            self.defects.append(part[-1].source)


def sentence(rng: Random, words: int = 12) -> str:
    """Random words; that two sentences share a run of three is very improbable."""
    return " ".join("".join(rng.choices(SYLLABLES, k=3)) for _ in range(words))


def free(rng: Random, rows: int = 60, scored: int = 20) -> DefectiveRows:
    """Questions with answers that are sentences."""
    world = DefectiveRows([])
    for file, count in ((EXAMPLES, rows), (EVAL, scored)):
        for _ in range(count):
            world.add(sentence(rng), sentence(rng, 6), file=file, defect=False)
    return world


def labelled(rng: Random, rows: int = 120, vocabulary: int = 12) -> DefectiveRows:
    """Sentences whose words determine the label: the fewer words a label has, the more clearly."""
    world = DefectiveRows([])
    words = {label: ["".join(rng.choices(SYLLABLES, k=4)) for _ in range(vocabulary)] for label in LABELS}
    for file, count in ((EXAMPLES, rows), (EVAL, 20)):
        for at in range(count):
            label = LABELS[at % len(LABELS)]
            world.add(" ".join([*rng.choices(words[label], k=10), *sentence(rng, 2).split()]), label, file=file, defect=False)
    return world


def structured(rng: Random, rows: int = 60) -> DefectiveRows:
    """Sentences with JSON of one schema."""
    world = free(rng, rows)
    for part in (world.examples, world.eval):
        part[:] = [replace(e, output=json.dumps({"name": sentence(rng, 1), "count": rng.randrange(90)})) for e in part]
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}, "required": ["name", "count"]}
    world.grader = make_grader(Task.model_validate({"output": {"kind": "json", "schema": schema}}), [])
    return world


MakeDefects = Callable[[Random, int], DefectiveRows]
DEFECTS: dict[str, MakeDefects] = {}


def defects_of(check: str) -> Callable[[MakeDefects], MakeDefects]:
    """Registers a function that makes rows with defects of one check."""

    def register(make: MakeDefects) -> MakeDefects:
        DEFECTS[check] = make
        return make

    return register


def _changes(check: str, world: Callable[[Random], DefectiveRows], change: Callable[[Random, Example], dict[str, object]]) -> None:
    """Registers defects that are changes of clean rows."""

    @defects_of(check)
    def make(rng: Random, count: int) -> DefectiveRows:
        clean = world(rng)
        for at in rng.sample(range(len(clean.examples)), count):
            clean.change(at, **change(rng, clean.examples[at]))
        return clean


def _within(text: str, piece: str, rng: Random) -> str:
    words = text.split()
    at = rng.randrange(1, len(words))
    return " ".join([*words[:at], piece, *words[at:]])


_changes("empty", free, lambda rng, e: rng.choice([{"input": " "}, {"output": ""}]))
_changes(
    "format", structured, lambda rng, e: {"output": rng.choice(["```json\n" + e.output + "\n```", e.output[:-1], "sorry", '{"name": "x"}'])}
)
_changes("placeholder", free, lambda rng, e: {"input": rng.choice(["<noinput>", "N/A", "todo"])})
_changes("outer-white-space", free, lambda rng, e: rng.choice([{"input": f" {e.input}"}, {"output": f"{e.output}\n"}]))
_changes("control-characters", free, lambda rng, e: {"input": _within(e.input, rng.choice(["a\x07b", "a\ufffdb", "a\x00"]), rng)})
_changes("mojibake", free, lambda rng, e: {"output": _within(e.output, rng.choice(["cafÃ©", "itâ€™s", "MÃ¼ller"]), rng)})
_changes("chat-tokens", free, lambda rng, e: {"output": _within(e.output, rng.choice(["<|im_end|>", "<|endoftext|>", "[/INST]"]), rng)})
_changes(
    "refusal",
    free,
    lambda rng, e: {"output": rng.choice(["I'm sorry, but I can't help with that.", "As an AI language model, I cannot do that."])},
)
_changes("echo", free, lambda rng, e: {"output": f" {e.input}"})
_changes("repetition", free, lambda rng, e: {"output": " ".join([e.output] * 20)})
_changes("script", free, lambda rng, e: {"output": "это предложение написано на другом языке, чем остальные"})
_changes("private-data", free, lambda rng, e: {"input": _within(e.input, f"{sentence(rng, 1)}{'@'}{sentence(rng, 1)}.org", rng)})
_changes(
    "secret",
    free,
    lambda rng, e: {"output": _within(e.output, "gh" + "p_" + "".join(rng.choices("abcdefghjkmnpqrstuvwxyzABCDEFGH23456789", k=36)), rng)},
)
_changes("answer-in-prompt", free, lambda rng, e: {"input": f"{e.input} {e.output}"})
_changes("html-entities", free, lambda rng, e: {"output": _within(e.output, rng.choice(["&amp;", "&#39;s", "&quot;x&quot;"]), rng)})
_changes("unfilled-slot", free, lambda rng, e: {"output": _within(e.output, rng.choice(["{{Order Number}}", "[Your Name]"]), rng)})
_changes("second-task", free, lambda rng, e: {"output": f"{e.output}\n\nQuestion: {e.input}?\nAnswer: {e.output}"})
_changes("outside-media", free, lambda rng, e: {"input": rng.choice([f"<image> {e.input}", f"Summarise https://{sentence(rng, 1)}.org"])})
_changes("json-style", structured, lambda rng, e: {"output": json.dumps(dict(reversed(json.loads(e.output).items())))})


PROBLEMS = {
    "unreadable": UnreadableRow("not JSON"),
    "encoding": NotUtf8Row("not UTF-8 at byte 3 of the line", InvalidBytesKind.CESU_8),
    "mixed-shapes": DifferentShape("the row is messages, the file input/output", "messages", "input/output"),
    "turns": BadTurns("the last turn is not the assistant's"),
    "not-to-learn": NothingToLearn("`weight` is 0"),
    "answered-twice": AnsweredTwice("another answer to the task of rows.jsonl:1"),
}


def _has_problems(check: str) -> None:
    """Registers rows that could not be read for the reason of one check, among rows with every other reason."""

    @defects_of(check)
    def make(rng: Random, count: int) -> DefectiveRows:
        world = free(rng)
        for kind, problem in PROBLEMS.items():
            rows = [Source(rng.choice([EXAMPLES, EVAL]), 1000 * (1 + len(world.problems)) + at) for at in range(count)]
            world.problems += [(row, problem) for row in rows]
            world.defects += rows if kind == check else []
        rng.shuffle(world.problems)
        return world


for _check in PROBLEMS:
    _has_problems(_check)


NOTES: dict[str, RowNote] = {
    "preferences": PreferencePair(PairKind.BETTER_AND_WORSE),
    "annotators": Disagreement(by_majority=True),
    "skipped-turns": SkippedTurns("weight"),
    "unused-keys": UnusedKey("tools", KeyPlace.ROW, "the model is not shown them"),
    "unknown-keys": UnknownTurnKey("language"),
    "swallowed-lines": SwallowedLines(),
    "not-read": NotRead("the sheet `people`, which has other columns", 2),
    "named-parts": TakenPart(Part.VALIDATION),
    "renamed-columns": RenamedColumns("note", ("note", "note 2")),
}


def _has_notes(check: str) -> None:
    """Registers rows with a note that one check reports, among rows with every other note."""

    @defects_of(check)
    def make(rng: Random, count: int) -> DefectiveRows:
        world = free(rng)
        for kind, note in NOTES.items():
            for example in rng.sample([*world.examples, *world.eval], count):
                world.notes.add(note)
                world.notes.keep(example.source)
                world.defects += [example.source] if kind == check else []
        return world


for _check in NOTES:
    _has_notes(_check)


def chats(rng: Random, rows: int = 60) -> DefectiveRows:
    """Conversations of two questions, in some of which the assistant calls a tool before its first answer."""
    world = free(rng, rows)
    for part in (world.examples, world.eval):
        part[:] = [replace(e, history=_history(rng)) for e in part]
    return world


def _history(rng: Random) -> tuple[Message, ...]:
    answer = Message("assistant", sentence(rng, 8))
    called = (Message("assistant", sentence(rng, 8)), Message("tool", sentence(rng, 8))) * rng.randrange(3)
    return (Message("user", sentence(rng, 8)), *called, answer)


def _out_of_order(rng: Random, history: tuple[Message, ...]) -> tuple[Message, ...]:
    """The assistant first, the user twice at either end, or the assistant twice."""
    question, answer = Message("user", sentence(rng, 8)), Message("assistant", sentence(rng, 8))
    return rng.choice([history[1:], (question, *history), (*history, question), (*history, answer)])


def _one_emptied(rng: Random, history: tuple[Message, ...]) -> tuple[Message, ...]:
    at = rng.randrange(len(history))
    return (*history[:at], replace(history[at], content=rng.choice(["", " \n"])), *history[at + 1 :])


_changes("turn-order", chats, lambda rng, e: {"history": _out_of_order(rng, e.history)})
_changes("empty-turn", chats, lambda rng, e: {"history": _one_emptied(rng, e.history)})


def _with_lengths(world: DefectiveRows) -> DefectiveRows:
    world.lengths = TokenLengths(
        render=lambda e: e.input,
        prompt=lambda e: len(e.input.split()),
        answer=lambda e: len(e.output.split()),
        base="words",
        sha256="",
        context=40,
    )
    return world


@defects_of("context-train")
def too_long_to_train(rng: Random, count: int) -> DefectiveRows:
    world = _with_lengths(free(rng))
    for at in rng.sample(range(len(world.examples)), count):
        world.change(at, output=sentence(rng, 50))
    return world


@defects_of("context")
def too_long_to_score(rng: Random, count: int) -> DefectiveRows:
    world = _with_lengths(free(rng))
    for _ in range(count):
        world.add(sentence(rng, 50), sentence(rng, 5), file=EVAL)
    return world


@defects_of("duplicate")
def copies(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for example in rng.sample(world.examples, count):
        world.add(f"{example.input.upper()}".replace(" ", "  "), example.output)
    return world


@defects_of("conflict")
def contradictions(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for example in rng.sample(world.examples, count):
        world.defects.append(example.source)
        world.add(example.input, sentence(rng, 6))
    return world


@defects_of("leakage")
def leaks(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for example in rng.sample(world.eval, count):
        world.add(f"{example.input}?", example.output)
    return world


@defects_of("common-requests")
def short_and_common(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for _ in range(max(3, count) if count else 0):
        world.add("thank you", sentence(rng, 6))
    if count:
        world.add("Thank you!", sentence(rng, 6), file=EVAL, defect=False)
    return world


@defects_of("near-leakage")
def near_leaks(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for example in rng.sample(world.eval, count):
        world.add(f"{example.input} {sentence(rng, 1)}", example.output)
    return world


@defects_of("near-duplicate")
def near_copies(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for example in rng.sample(world.examples, count):
        world.add(f"{sentence(rng, 1)} {example.input}", example.output)
    return world


@defects_of("near-conflict")
def near_contradictions(rng: Random, count: int) -> DefectiveRows:
    world = labelled(rng)
    for example in rng.sample(world.examples, count):
        world.add(f"{example.input} {sentence(rng, 1)}", next(label for label in LABELS if label != example.output))
    return world


@defects_of("boilerplate")
def preambles(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    preamble = sentence(rng, 15)
    for at in rng.sample(range(len(world.examples)), 25 if count else 0):
        world.change(at, input=f"{preamble}\n{world.examples[at].input}")
    return world


@defects_of("group-leakage")
def groups(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for file, part in ((EXAMPLES, world.examples), (EVAL, world.eval)):
        part[:] = [replace(e, metadata={"conversation_id": f"{file}-{at}"}) for at, e in enumerate(part)]
    for at in rng.sample(range(len(world.examples)), count):
        world.change(at, metadata=rng.choice(world.eval).metadata)
    return world


@defects_of("template-leakage")
def templates(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for part in (world.examples, world.eval):
        part[:] = [replace(e, output=f"SELECT {sentence(rng, 1)} FROM {sentence(rng, 1)} WHERE {sentence(rng, 1)} = 1") for e in part]
    for example in rng.sample(world.examples, count):
        world.add(sentence(rng), example.output.replace("= 1", f"= {rng.randrange(2, 99)}"), file=EVAL)
    return world


@defects_of("known-outputs")
def known_answers(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for example in rng.sample(world.examples, count):
        world.add(sentence(rng), example.output, file=EVAL)
    return world


@defects_of("label-variants")
def labels_in_other_letters(rng: Random, count: int) -> DefectiveRows:
    world = labelled(rng)
    for at in rng.sample(range(len(world.examples)), count):
        world.change(at, output=rng.choice([str.upper, str.title, "{}.".format])(world.examples[at].output))
    return world


@defects_of("rare-label")
def rare(rng: Random, count: int) -> DefectiveRows:
    world = labelled(rng)
    for _ in range(count):
        world.add(sentence(rng), "violet")
    return world


@defects_of("unseen-label")
def unseen(rng: Random, count: int) -> DefectiveRows:
    world = labelled(rng)
    for _ in range(count):
        world.add(sentence(rng), "violet", file=EVAL)
    return world


@defects_of("label-error")
def wrong_labels(rng: Random, count: int) -> DefectiveRows:
    """At most one wrong row a label: rows with the same wrong label confirm each other, and cannot be found."""
    world = labelled(rng, vocabulary=5)
    for right in rng.sample(LABELS, count):
        at = rng.choice([at for at, e in enumerate(world.examples) if e.output == right and e.source not in world.defects])
        world.change(at, output=rng.choice([label for label in LABELS if label != right]))
    return world


@defects_of("empty-on-purpose")
def nothing(rng: Random, count: int) -> DefectiveRows:
    world = free(rng)
    for at in rng.sample(range(len(world.examples)), 8 if count else 0):
        world.change(at, output="none")
    return world
