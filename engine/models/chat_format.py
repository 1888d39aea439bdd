"""How a base is asked: its chat template, what the template accepts, and what it writes around an answer.

Imports transformers, so only the worker imports this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from transformers import PreTrainedTokenizerBase

from tuneproof.engine.core.errors import CaseError, DataRefused
from tuneproof.engine.data.call_text import UnreadableCall, read_calls
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.messages import FullMessage, ToolCall, ToolOffer, calls_in
from tuneproof.engine.data.reasoning import THINK_CLOSE, THINK_OPEN, Thinking, answer_of, has_reasoning, opened_by, split_reasoning
from tuneproof.engine.data.tools_in_text import ToolForm, tools_in_text
from tuneproof.engine.models.bounded_call import EXTRA_BYTES, SECONDS, TookTooLong, ends_within_limits, within_limits
from tuneproof.engine.models.literal_text import as_literal, special_token_pattern, without_marks
from tuneproof.engine.models.template_turns import template_tools, template_turns

PLAIN_TURNS = (
    "{% for message in messages %}{{ '\n' if not loop.first }}{{ message.role | capitalize }}: {{ message.content }}{% endfor %}"
    "{{ '\nAssistant:' if add_generation_prompt }}"
)
"""Chat template for a base that has none. No prompt ends in a space, which would be a token of its own where the base expects it to begin
the next word, and no end token stands between turns, where it would end the text (lm-evaluation-harness #1465)."""

PLAIN_STOPS = ("\nUser:", "\nAssistant:")
"""How the next turn begins in `PLAIN_TURNS`: a base without a template does not know that an answer ends there, and writes on."""

_QUESTION, _ANSWER = Message("user", "Is it so?"), "yes"

_TRIAL_ANSWER = "It is so."
"""An answer that no template has in a text of its own."""


_OFFER = ToolOffer(
    tools=(
        json.dumps(
            {
                "type": "function",
                "function": {
                    "name": "weather_at",
                    "description": "The weather of a day.",
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "town": {"type": "string", "description": "Its name."},
                            "days_ahead": {"type": "integer", "description": "From 0."},
                        },
                        "required": ["town"],
                    },
                },
            }
        ),
    )
)
_CALL, _RESULT = ToolCall("weather_at", '{"town": "Oslo", "days_ahead": 7}', "call00001"), "It rains, mostly."
"""A tool, a call of it and what it gives back, which no template has in a text of its own."""


class TemplateRefused(DataRefused):
    """The chat template of the base raises an error for a chat, or does not come to an end."""


@dataclass(frozen=True)
class ChatFormat:
    """A chat template with what was found out about it. Chats are changed to what the template accepts before it sees them."""

    tokenizer: PreTrainedTokenizerBase
    """Has a chat template."""
    own: bool
    """False if the template is not the model's own but `PLAIN_TURNS`."""
    system_turn: bool = True
    """Whether the template takes a system turn. If not, its text goes before that of the next user turn."""
    repeated_turns: bool = True
    """Whether the template takes two turns of one role in a row. If not, they are joined."""
    thinking: Thinking = Thinking.NONE
    tools: ToolForm = ToolForm.TEXT
    arguments_as_text: bool = False
    """Whether the template takes the arguments of a call as their JSON text."""

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an answer, besides the end tokens."""
        return () if self.own else PLAIN_STOPS

    @cached_property
    def bare_prompt(self) -> str:
        """The prompt of a short question; every prompt ends alike."""
        return self.prompt([_QUESTION])

    @cached_property
    def answer_prefix(self) -> str:
        """What stands between a prompt and an answer without reasoning: a space, or the end of a block of reasoning; mostly nothing."""
        text, end = self.after_prompt([_QUESTION], _ANSWER)
        return text[: end - len(_ANSWER)]

    @cached_property
    def bare_chat(self) -> tuple[str, str]:
        """The chat of the same question and its answer as the template writes it, up to the answer, and from its end on."""
        before, _, after = self._render([_QUESTION, Message("assistant", _ANSWER)]).rpartition(_ANSWER)
        return before, after

    @cached_property
    def answer_end(self) -> str:
        """What the template writes after the last answer of a chat."""
        return self.bare_chat[1]

    def literal(self, text: str) -> str:
        """A text of data as it stands in a prompt or answer: what looks like a special token in it is text."""
        return as_literal(text, self._special_tokens)

    @cached_property
    def _special_tokens(self) -> re.Pattern[str]:
        return special_token_pattern(self.tokenizer)

    def prompt(self, messages: Sequence[Message]) -> str:
        """The exact text that the model reads, up to where its answer begins, encoded by `encode`. Raises TemplateRefused."""
        return self._render(messages, add_generation_prompt=True)

    def after_prompt(self, messages: Sequence[Message], answer: str) -> tuple[str, int]:
        """What follows the prompt if this is the answer, and how many characters of it go up to the end of the answer.

        As the template writes it; if the template changes the answer, or the prompt before it, the answer as it is. Prompt and text
        together have one block of reasoning at most, whoever opens it. Raises TemplateRefused.
        """
        turn = self._with_calls(Message("assistant", answer))
        prompt, written = self._prompt_and_written(messages, turn)
        if turn.tool_calls and (end := self._end_of_calls(opened_by(prompt), written, turn)) is not None:
            return written, end
        answer = self.literal(answer)
        if self.thinking is Thinking.NONE or not (self.thinking is not Thinking.OFF or has_reasoning(answer)):
            at = written.find(answer)
            if at == 0 or (at > 0 and written[:at].isspace()):
                return written, at + len(answer)
            text = f" {answer}" if not self.own else answer
            return text, len(text)
        return self._reasoned(opened_by(prompt), written, answer)

    def _prompt_and_written(self, messages: Sequence[Message], answer: Message) -> tuple[str, str]:
        """The prompt, and what the template writes after it if this is the answer; empty if it then writes another prompt."""
        prompt, chat = self.prompt(messages), self._render([*messages, answer])
        return prompt, chat[len(prompt) :] if chat.startswith(prompt) else ""

    def writes_calls_as_read(self, messages: Sequence[Message], answer: Message) -> bool:
        """Whether the template writes the calls of an answer such that they are read as they are."""
        prompt, written = self._prompt_and_written(messages, answer)
        end = self._end_of_calls(opened_by(prompt), written, answer)
        read = [] if end is None else read_calls(answer_of(without_marks(opened_by(prompt) + written[:end]))).calls
        # Some templates do not say what is a number.
        given = [(call.name, {key: str(value) for key, value in json.loads(call.arguments).items()}) for call in answer.tool_calls]
        return [(call.name, {key: str(value) for key, value in call.arguments.items()}) for call in read] == given

    def _end_of_calls(self, opened: str, written: str, turn: Message) -> int | None:
        """Where the calls of an answer end in what the template writes; None if it writes other calls, or a second block of reasoning."""
        end, ends_with = len(written.rstrip()), self.answer_end.rstrip()
        if ends_with and written.rstrip().endswith(ends_with):
            end -= len(ends_with)
        text = opened + written[:end]
        reasoning = (split_reasoning(turn.content).reasoning or "").strip()
        if self.thinking is not Thinking.NONE and (text.count(THINK_OPEN) > 1 or reasoning not in text):
            return None
        try:
            read = read_calls(answer_of(without_marks(text))).calls
        except UnreadableCall:
            return None
        return end if [call.name for call in read] == [call.name for call in turn.tool_calls] else None

    def _with_calls(self, turn: Message) -> Message:
        """A turn of the assistant with the calls in its text as calls, if the template has a place for them."""
        if self.tools is ToolForm.TEXT or turn.role != "assistant" or turn.tool_calls:
            return turn
        content, calls = calls_in(turn.content)
        return FullMessage("assistant", content, calls) if calls else turn

    def _reasoned(self, opened: str, written: str, answer: str) -> tuple[str, int]:
        """The same where template or answer have reasoning; `written` is what the template writes after the prompt, if that stays."""
        reasoning, final = split_reasoning(answer)
        before, close, after = written.rpartition(THINK_CLOSE)
        whole = opened + before
        if close and whole.count(THINK_OPEN) == 1 and (reasoning or "").strip() in whole and after.lstrip().startswith(final.strip()):
            return written, written.index(final.strip(), len(before)) + len(final.strip())
        if self.thinking is Thinking.OFF:
            # The prompt has an empty block, so there is no place for another.
            return final, len(final)
        start = "" if opened else f"{THINK_OPEN}\n"
        text = f"{start}{reasoning or ''}\n{THINK_CLOSE}\n\n{final}"
        return text, len(text)

    def thinking_as_in(self, outputs: Iterable[str]) -> ChatFormat:
        """The format for data with these outputs: reasoning that can be switched is on if any of them has some."""
        if self.thinking is Thinking.OFF and any(map(has_reasoning, outputs)):
            return replace(self, thinking=Thinking.ON)
        return self

    def habits(self, reasoning_tokens: int) -> list[str]:
        """What is unusual in how the base is asked, a phrase each; `reasoning_tokens` is the room for reasoning, where there is some."""
        phrases = []
        if not self.system_turn:
            phrases.append("the chat template takes no system turn: a system text goes before that of the first user turn")
        if not self.repeated_turns:
            phrases.append("the chat template takes no two turns of one role in a row: they are joined")
        match self.thinking:
            case Thinking.OFF:
                phrases.append("the base is asked without reasoning, unless outputs of the data have some")
            case Thinking.ON:
                phrases.append(f"the base is asked to reason, as outputs of the data do: an answer has {reasoning_tokens:,} tokens more")
            case Thinking.ALWAYS:
                phrases.append(f"the chat template opens a block of reasoning: an answer has {reasoning_tokens:,} tokens more")
            case Thinking.NONE:
                pass
        return phrases

    def accepted(self, messages: Sequence[Message]) -> list[Message]:
        """The chat as the template accepts it."""
        turns = tools_in_text(messages) if self.tools is ToolForm.TEXT else [self._with_calls(turn) for turn in messages]
        if not self.system_turn:
            turns = _system_before_user(turns)
        return turns if self.repeated_turns else _joined(turns)

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        accepted = self.accepted(messages)
        try:
            with within_limits():
                return self._apply(accepted, add_generation_prompt=add_generation_prompt)
        except TookTooLong:
            said = f"takes longer than {SECONDS} s for a chat of {_roles(accepted)}"
        except MemoryError:
            said = f"takes more than {EXTRA_BYTES >> 30} GiB of memory for a chat of {_roles(accepted)}"
        except Exception as error:
            # A template is a program, and may raise any error that a program can.
            what = (str(error).strip() or type(error).__name__).splitlines()[0]
            said = f"refuses a chat of {_roles(accepted)}: {what}"
        fix = "change the turns of the row, or choose a base whose template takes them"
        raise TemplateRefused(f"the chat template of the base {said}", fix=fix)

    def _apply(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        text: str = self.tokenizer.apply_chat_template(
            template_turns(messages, self.literal, arguments_as_text=self.arguments_as_text),
            tools=template_tools(messages, self.literal),
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            enable_thinking=self.thinking is Thinking.ON,
        )
        return text


def _roles(messages: Sequence[Message]) -> str:
    return ", ".join(message.role for message in messages)


def read_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """Finds out what the tokenizer's chat template accepts; gives a tokenizer without one the plain template.

    Raises CaseError if the template does not even take a question and an answer, leaves one out, or does not come to an end.
    """
    own = tokenizer.chat_template is not None
    if not own:
        tokenizer.chat_template = f"{{{{ {json.dumps(_tokens_before_text(tokenizer), ensure_ascii=False)} }}}}{PLAIN_TURNS}"
    found = ChatFormat(tokenizer, own)
    _check_template(found)
    again, note = Message("user", "Is it not?"), Message("system", "Answer briefly.")
    asked = replace(
        found,
        system_turn=_takes(found, [note, _QUESTION]),
        repeated_turns=_takes(found, [_QUESTION, again]),
        thinking=_thinking(found),
    )
    # Some templates take arguments as an object, some as its text.
    ways = (replace(asked, tools=ToolForm.OWN, arguments_as_text=as_text) for as_text in (False, True))
    return next((way for way in ways if own and _shows_tools(way)), asked)


def _shows_tools(found: ChatFormat) -> bool:
    """Whether the template writes tools, a call that can be read back, and the result of one."""
    (tool,) = _OFFER.tools
    offered = json.loads(tool)["function"]
    asked = [_OFFER, _QUESTION]
    call = FullMessage("assistant", "", (_CALL,))
    result = FullMessage("tool", _RESULT, tool_call_id=_CALL.id, name=_CALL.name)
    try:
        prompt, with_result = found.prompt(asked), found.prompt([*asked, call, result])
        if not found.writes_calls_as_read(asked, call):
            return False
    except TemplateRefused:
        return False
    shown = (offered["name"], offered["description"], *offered["parameters"]["properties"])
    return all(part in prompt for part in shown) and _RESULT in with_result


def _check_template(found: ChatFormat) -> None:
    """Raises CaseError for a template that cannot be used at all."""
    where, fix = "model.base: chat template", "correct the template, or take it out: the base is then asked in plain turns"
    if found.own and not ends_within_limits(lambda: found._apply([_QUESTION])):
        raise CaseError("the chat template takes too much time or memory for one short question", where=where, fix=fix)
    try:
        asked, answered = found.prompt([_QUESTION]), found._render([_QUESTION, Message("assistant", _TRIAL_ANSWER)])
    except TemplateRefused as error:
        raise CaseError(error.what, where=where, fix=fix) from None
    if _QUESTION.content not in asked:
        raise CaseError("the chat template leaves out what the user says", where=where, fix=fix)
    if _TRIAL_ANSWER not in answered:
        raise CaseError("the chat template leaves out what the assistant says", where=where, fix=fix)


@contextmanager
def refused_at(where: str) -> Iterator[None]:
    """Says which row a template has refused."""
    try:
        yield
    except TemplateRefused as error:
        raise TemplateRefused(error.what, where=where, fix=error.fix) from None


def _takes(found: ChatFormat, messages: Sequence[Message]) -> bool:
    """Whether the template accepts the turns and writes the text of each."""
    try:
        text = found.prompt(messages)
    except TemplateRefused:
        return False
    return all(message.content in text for message in messages)


def _thinking(found: ChatFormat) -> Thinking:
    off = replace(found, thinking=Thinking.OFF).prompt([_QUESTION])
    try:
        on = replace(found, thinking=Thinking.ON).prompt([_QUESTION])
    except TemplateRefused:
        return Thinking.ALWAYS if opened_by(off) else Thinking.NONE
    if opened_by(off):
        return Thinking.ALWAYS
    return Thinking.OFF if off != on else Thinking.NONE


def _tokens_before_text(tokenizer: PreTrainedTokenizerBase) -> str:
    """The special tokens that a tokenizer puts before every text, mostly one that begins it, as text; empty if there are none."""
    bare: list[int] = tokenizer.encode(_ANSWER, add_special_tokens=False)
    whole: list[int] = tokenizer.encode(_ANSWER)
    starts = [at for at in range(len(whole) - len(bare) + 1) if whole[at : at + len(bare)] == bare]
    return str(tokenizer.decode(whole[: starts[0]])) if starts and starts[0] else ""


def _system_before_user(turns: Sequence[Message]) -> list[Message]:
    changed: list[Message] = []
    waiting: list[str] = []
    for turn in turns:
        if turn.role == "system":
            waiting.append(turn.content)
        elif turn.role == "user":
            changed.append(Message("user", "\n\n".join([*waiting, turn.content])))
            waiting = []
        else:
            changed.append(turn)
    return changed


def _joined(turns: Sequence[Message]) -> list[Message]:
    joined: list[Message] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role != "tool" and not (turn.tool_calls or joined[-1].tool_calls):
            joined[-1] = Message(turn.role, f"{joined[-1].content}\n\n{turn.content}")
        else:
            joined.append(turn)
    return joined
