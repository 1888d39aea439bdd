"""The dialogs of the keys of the case file: the right one for each, after those that its section cannot be without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.data.documents import SUFFIXES
from tuneproof.engine.run.state import RunState
from tuneproof.engine.session.case_keys import CaseKey, KeyKind, Path, case_keys, needed_before, why_fixed, with_values
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.key_input import DEFAULT, NO, YES, is_slow, read_value, says, shown_value, text_to_edit
from tuneproof.engine.session.task_form import TYPED_FIELDS, TaskField
from tuneproof.screens.ask import AskChoice, AskLine, AskText, Dialog
from tuneproof.screens.pick import AskFolder
from tuneproof.screens.step import StepScreen

SHARES: tuple[Path, ...] = (("data", "split", "train"), ("data", "split", "validation"), ("data", "split", "eval"))
"""They add up to 1, so they are entered together."""

PROMPTS: Path = ("prompts",)
DOCUMENTS: Path = ("data", "documents")
NEW, ALL = "new", "all"


class KeyDialogs:
    """Asks for keys of the case, and saves what was entered; `done` is called after each, and `refuse` with why a key cannot change."""

    def __init__(self, step: StepScreen, done: Callable[[], None], refuse: Callable[[str], None]) -> None:
        self._step, self._done, self._refuse = step, done, refuse

    def ask(self, path: Path) -> None:
        """Opens the dialog of a key, or says why it cannot change."""
        keys = case_keys(self._content)
        key = next(each for each in keys if each.path == path)
        fixed = why_key_is_fixed(self._step, key)
        if fixed is not None:
            self._refuse(f"{key.name} is {fixed}")
        elif path in SHARES:
            self._ask_shares()
        elif path == PROMPTS:
            self._ask_which_prompt(key)
        else:
            self._ask_in_turn([*needed_before(key, keys), key], {})

    @property
    def _content(self) -> DraftCase:
        return self._step.session.draft.content

    def _ask_in_turn(self, keys: Sequence[CaseKey], entered: dict[Path, Any]) -> None:
        """Asks for one key after the other, and saves them together."""
        key, others = keys[0], keys[1:]

        def values(text: str) -> dict[Path, Any]:
            value = read_value(key, text, self._content)
            if value is not None or not key.is_required:
                return entered | {key.path: value}
            if key.optional_section and key.section_is_there:
                return {key.optional_section: None}
            raise InputError("this cannot be empty")

        def check(text: str) -> str:
            found = values(text)
            if not others:
                self._step.check_sections(with_values(self._content, found))
            return says(key, text)

        def done(text: str | None) -> None:
            if text is None:
                return
            if others:
                self._ask_in_turn(others, values(text))
            else:
                self._step.save_sections(**with_values(self._content, values(text)))
                self._done()

        self._step.app.push_screen(_dialog(key, check), done)

    def _ask_shares(self) -> None:
        typed = TYPED_FIELDS[TaskField.SHARES]

        def check(text: str) -> str:
            sections = typed.sections(self._content, text)
            if not sections:
                raise InputError("there is no data to split yet: set data.examples first")
            return typed.reads(self._step.check_sections(sections))

        def done(text: str | None) -> None:
            if text is not None:
                self._step.save_sections(**typed.sections(self._content, text))
                self._done()

        self._step.app.push_screen(AskLine(typed.title, typed.why, typed.text(self._content), check=check), done)

    def _ask_which_prompt(self, key: CaseKey) -> None:
        def chosen(word: str | None) -> None:
            if word == ALL:
                self._ask_in_turn([key], {})
            elif word == NEW:
                self._ask_prompt_name()

        choices = [(NEW, "write one more prompt"), (ALL, "edit, rename or remove them, as YAML")]
        self._step.app.push_screen(AskChoice("prompts", key.meaning, choices if key.value else choices[:1]), chosen)

    def _ask_prompt_name(self) -> None:
        def sections(name: str, text: str) -> dict[str, Any]:
            return with_values(self._content, {(*PROMPTS, name.strip(), "user"): text.strip("\n")})

        def check_name(name: str) -> str:
            if name.strip() in self._content.prompts:
                raise InputError(f"there is a prompt `{name.strip()}` already")
            self._step.check_sections(sections(name, "{input}"))
            return f"its arm is called prompt_{name.strip()}"

        def named(name: str | None) -> None:
            if name is None:
                return

            def check_text(text: str) -> str:
                self._step.check_sections(sections(name, text))
                return ""

            def written(text: str | None) -> None:
                if text is not None:
                    self._step.save_sections(**sections(name, text))
                    self._done()

            why = "The whole prompt. {input} is where the input goes; without it, the input follows after an empty line."
            self._step.app.push_screen(AskText(f"prompts.{name.strip()}", why, "", check_text), written)

        why = "A name in lower-case letters, digits and underscores, such as polite."
        self._step.app.push_screen(AskLine("A prompt of your own", why, check=check_name), named)


def why_key_is_fixed(step: StepScreen, key: CaseKey) -> str | None:
    """Why a key cannot change now; None if it can."""
    state: RunState = step.state
    return why_fixed(key, is_frozen=step.session.is_frozen, has_begun_training=state.tuned.started is not None)


def _dialog(key: CaseKey, check: Callable[[str], str]) -> Dialog:
    default = "" if key.default is None else f" The default is {shown_value(key.default)}."
    why, text = f"{key.meaning}{default}", text_to_edit(key)
    if key.path == DOCUMENTS:
        return AskFolder(key.name, f"{why} Empty: none.", text, check, sorted(SUFFIXES))
    match key.kind:
        case KeyKind.YES_NO:
            words = [(YES, ""), (NO, ""), (DEFAULT, "what it is without a choice of yours")]
            return AskChoice(key.name, why, words, None if key.value is None else YES if key.value else NO, check)
        case KeyKind.CHOICE:
            words = [(word, "") for word in key.choices]
            words += [] if key.is_required else [(DEFAULT, "what it is without a choice of yours")]
            return AskChoice(key.name, why, words, str(key.value) if key.value is not None else DEFAULT, check)
        case KeyKind.STRUCTURE:
            return AskText(key.name, f"{why} As YAML or JSON.", text, check, suffix=".yaml")
        case KeyKind.LIST:
            return AskText(key.name, f"{why} One a line.", text, check)
        case KeyKind.TEXT:
            return AskText(key.name, why, text, check)
    return AskLine(key.name, f"{why} Empty: the default." if not key.is_required else why, text, check=check, is_slow=is_slow(key))
