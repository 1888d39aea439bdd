"""Rows that say which answers are preferred: pairs of a chosen and a rejected answer, and answers that are good or bad."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tuneproof.engine.data.cells import NotToLearn, RowError, list_of, object_of, output_cell, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.notes import PairKind, PreferencePair, RowNotes
from tuneproof.engine.data.row_keys import single_turn
from tuneproof.engine.data.row_shape import Convert, Converted, RowShape

CHOSEN, REJECTED = "chosen", "rejected"
PREFERRED = "preferred_output"

PROMPT_KEYS = ("prompt", "question", "query", "instruction", "input")
"""Keys of the request of a pair."""

TURNS_KEYS = ("prompt", "conversations", "messages")
"""Keys of the turns before the two answers of a pair."""

GOOD_KEYS = ("label", "kto_tag")
"""Keys by which a row says whether its answer is good (TRL, LLaMA-Factory)."""

_TURN = re.compile(r"\n\n(Human|Assistant): ")

Chat = Callable[[Any, Mapping[str, Any], set[str], Source, RowNotes], Example]
"""Makes an example of turns, and of the other keys of their row but those that are used."""


def pairs(chat: Chat) -> RowShape:
    """The shape of rows with a chosen and a rejected answer, as texts or as turns: the chosen one is the output."""

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
        notes.add(PreferencePair(PairKind.BETTER_AND_WORSE))
        chosen = row[CHOSEN]
        if isinstance(chosen, str) and not any(row.get(key) is not None for key in (*PROMPT_KEYS, *TURNS_KEYS)):
            chosen = _turns_of_text(chosen)
        if isinstance(chosen, dict | list):
            return _chat_pair(row, chosen if isinstance(chosen, list) else [chosen], source, notes)
        if isinstance(row.get("prompt"), list) or isinstance(row.get("conversations"), list):
            return _chat_pair(row, [{"role": "assistant", "content": text_cell(row, CHOSEN)}], source, notes)
        keys = [key for key in PROMPT_KEYS if row.get(key) not in (None, "")]
        if not keys:
            raise RowError("there is no request before the two answers")
        instruction = text_cell(row, "instruction") if "instruction" in keys and "input" in keys else ""
        asked = "input" if instruction else keys[0]
        used = frozenset((CHOSEN, asked, "instruction") if instruction else (CHOSEN, asked))
        return single_turn(row, source, notes, instruction, text_cell(row, asked), output_cell(row, CHOSEN), used)

    def _chat_pair(row: Mapping[str, Any], chosen: list[Any], source: Source, notes: RowNotes) -> Example:
        key = next((key for key in TURNS_KEYS if row.get(key)), None)
        before: Any = row[key] if key else []
        if isinstance(before, str):
            before = [{"role": "user", "content": before}]
        # Some data sets have the request in both.
        whole = len(chosen) > 1 or not isinstance(before, list)
        return chat(chosen if whole else [*before, *chosen], row, {CHOSEN, *([key] if key else [])}, source, notes)

    return RowShape("chosen/rejected", frozenset({CHOSEN, REJECTED}), convert)


def preferred_outputs(chat: Chat) -> RowShape:
    """The shape of OpenAI's preference data: an `input` with turns and tools, and a preferred and another output."""

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
        notes.add(PreferencePair(PairKind.BETTER_AND_WORSE))
        given = object_of(row["input"], "input")
        turns = [*list_of(given.get("messages"), "messages"), *list_of(row[PREFERRED], PREFERRED)]
        rest = {key: value for key, value in row.items() if key not in ("input", PREFERRED)}
        return chat(turns, {**given, **rest}, {"messages"}, source, notes)

    return RowShape("preferred_output/non_preferred_output", frozenset({"input", PREFERRED, "non_preferred_output"}), convert)


def _turns_of_text(text: str) -> list[dict[str, str]] | str:
    """The turns of a text as HH-RLHF writes them, `\\n\\nHuman: …\\n\\nAssistant: …`; another text as it is."""
    _, *parts = _TURN.split(text if text.startswith("\n\n") else f"\n\n{text}")
    turns = [{"role": role, "content": said.strip()} for role, said in zip(parts[::2], parts[1::2], strict=True)]
    return [{**turn, "role": "user" if turn["role"] == "Human" else "assistant"} for turn in turns] or text


def good_answers(convert: Convert) -> Convert:
    """The same conversion for rows that may say that their answer is a bad one: such an answer is not learned."""

    def converted(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
        for key in GOOD_KEYS:
            if key in row and (good := _is_good(row[key])) is not None:
                if not good:
                    raise NotToLearn(f"`{key}` says that the answer is a bad one")
                notes.add(PreferencePair(PairKind.GOOD_OR_BAD))
        return convert(row, source, notes)

    return converted


def _is_good(value: Any) -> bool | None:
    """Whether a value says that an answer is good; None if it says something else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None
