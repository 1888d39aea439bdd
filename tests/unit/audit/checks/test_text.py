"""Checks on characters, encodings, chat marks, placeholders and answers: planted defects are found, each row of them and no other."""

# Characters that look like others are what is tested here.
# ruff: noqa: RUF001

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.checks import CHECKS, OUTPUTS, TEXT
from tuneproof.engine.audit.registry import Finding, Severity
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.scoring.judges import make_judge

CHECKS_OF_TEXT = [CHECKS[name] for name in (*TEXT, *OUTPUTS) if name != "json-style"]

Edit = Callable[[str], str]


def example(line: int, text: str, output: str, history: tuple[Message, ...] = (), instruction: str = "") -> Example:
    return Example(instruction, text, output, Source("rows.jsonl", line), history=history)


def clean(line: int) -> Example:
    question = f"Which of the {line} harbours in the north was built first, and how long did that take?"
    return example(line, question, f"Harbour {line} of the north, built in {1600 + line}: it took “{line} years”, says Zoë.")


def table(examples: list[Example], scored: list[Example] | None = None, task: Task | None = None) -> Table:
    judge = make_judge(task, [e.output for e in examples]) if task else None
    return Table(Rows(examples), Rows(scored or []), [], judge)


def findings(check: str, examples: list[Example], scored: list[Example] | None = None, task: Task | None = None) -> list[Finding]:
    return list(CHECKS[check].find(table(examples, scored, task)))


def lines(check: str, examples: list[Example], task: Task | None = None) -> list[int]:
    return [row.at.line for finding in findings(check, examples, task=task) for row in finding.rows]


def notes(check: str, text: str, output: str = "an answer") -> list[str]:
    return [row.note for finding in findings(check, [example(1, text, output)]) for row in finding.rows]


def everywhere(planted: str) -> list[Edit]:
    return [lambda text: planted + text, lambda text: text + planted, lambda text: text[:9] + planted + text[9:]]


def instead(planted: str) -> list[Edit]:
    return [lambda text: planted]


CONTROLS = [*"\x00\x07\x08\x0b\x1b\x7f\x85\x9d\ufffd\ufeff\u202e\xad\uffff", "\u200b\u200b", "a\u200bb", "x\u200d♀", "\U000e0041"]
MOJIBAKE = ["Ã©", "â€™", "â€œ", "Â°", "Ã¼", "ð\x9f\x98\x80", "ðŸ˜€", "ï»¿", "â‚¬", "Ã\xa0"]
CHAT = ["<|im_start|>", "<|endoftext|>", "[INST]", "[/INST]", "<<SYS>>", "<start_of_turn>", "<|eot_id|>", "<eos>", "\n### Response: "]
PLACEHOLDERS = [
    "<noinput>",
    "No input",
    "no_input",
    "N/A",
    "n/a.",
    "None",
    "null",
    "TODO",
    "tbd",
    "???",
    "-",
    "...",
    "Lorem ipsum",
    "[none]",
]
PLACEHOLDERS += [
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.",
    "Insert your text here",
    "{input}",
    "NaN",
]
PLACEHOLDERS += ["{input}", "[none]", "NaN", "Not applicable", "No input needed.", "<empty>", "#N/A", "xxxx", "{{ question }}"]
OTHER_SCRIPTS = [
    "Какая из гаваней на севере была построена первой?",
    "北部的哪个港口最先建成，花了多长时间才完成建设？" * 2,
    "Ποιο από τα λιμάνια του βορρά χτίστηκε πρώτο;",
]
REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "As an AI language model, I have no opinions on that.",
    "I cannot provide that information.",
    "I am unable to answer that question.",
    "Sorry. I'm not able to help with this.",
    "I'm sorry, but I can't.",
]
SENTENCE = "the wheels on the bus go round and round all day long in town "
LOOPS = ["ha " * 120, SENTENCE * 8, "I do not know.\n" * 30, "不知道这个问题的答案是什么。" * 20, "=" * 400]
LOOPS += ["\n".join(f"Line {i}\nAnd the same sentence follows every one of them." for i in range(12))]

IN_INPUT_OR_OUTPUT = {
    "control-characters": [edit for planted in CONTROLS for edit in everywhere(planted)],
    "mojibake": [edit for planted in MOJIBAKE for edit in everywhere(planted)],
    "chat-tokens": [edit for planted in CHAT for edit in everywhere(planted)],
    "placeholder": [edit for planted in PLACEHOLDERS for edit in instead(planted)],
    "outer-white-space": [edit for planted in ("  ", "\n", "\t", "\u00a0") for edit in everywhere(planted)[:2]],
}
IN_OUTPUT = {
    "chat-tokens": [lambda text: text + "\nHuman: and then?", lambda text: "Assistant: " + text],
    "refusal": [edit for planted in REFUSALS for edit in (*instead(planted), lambda text, planted=planted: f"{planted} {text}")][:-1],
    "repetition": [edit for planted in LOOPS for edit in instead(planted)],
}


def planted_rows(draw: st.DataObject, edits: list[Edit], fields: tuple[str, ...]) -> tuple[list[Example], list[int]]:
    rows = [clean(line) for line in range(1, 61)]
    at = sorted(draw.draw(st.sets(st.integers(0, len(rows) - 1), max_size=8), label="rows"))
    # Different ones, so that none is so frequent that it counts as a label.
    chosen = draw.draw(st.permutations(edits), label="defects")
    for edit, number in zip(chosen * 8, at, strict=False):
        e = rows[number]
        field = draw.draw(st.sampled_from(fields))
        rows[number] = example(
            e.source.line,
            edit(e.input) if field == "input" else e.input,
            edit(e.output) if field == "output" else e.output,
        )
    return rows, [number + 1 for number in at]


@pytest.mark.parametrize("check", IN_INPUT_OR_OUTPUT)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_defects_planted_in_inputs_and_outputs_are_found_and_nothing_else(check: str, data: st.DataObject) -> None:
    rows, expected = planted_rows(data, IN_INPUT_OR_OUTPUT[check], ("input", "output"))
    assert lines(check, rows) == expected


@pytest.mark.parametrize("check", IN_OUTPUT)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_defects_planted_in_outputs_are_found_and_nothing_else(check: str, data: st.DataObject) -> None:
    rows, expected = planted_rows(data, IN_OUTPUT[check], ("output",))
    assert lines(check, rows) == expected


@settings(max_examples=40, deadline=None)
@given(
    at=st.sets(st.integers(1, 60), max_size=8),
    edit=st.sampled_from([str, str.upper, lambda text: f" {text}\n", lambda text: text.replace(" ", "  ")]),
)
def test_planted_echoes_are_found_and_nothing_else(at: set[int], edit: Edit) -> None:
    rows = [clean(line) for line in range(1, 61)]
    rows = [example(e.source.line, e.input, edit(e.input)) if e.source.line in at else e for e in rows]
    assert lines("echo", rows) == sorted(at)


@settings(max_examples=40, deadline=None)
@given(at=st.sets(st.integers(1, 60), max_size=6), field=st.sampled_from(["input", "output"]))
def test_planted_rows_in_another_script_are_found_and_nothing_else(at: set[int], field: str) -> None:
    rows = [clean(line) for line in range(1, 61)]
    for line in at:
        e = rows[line - 1]
        text = OTHER_SCRIPTS[line % len(OTHER_SCRIPTS)]
        rows[line - 1] = example(line, text, e.output) if field == "input" else example(line, e.input, text)
    assert lines("script", rows) == sorted(at)


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 12), spelled=st.sampled_from(["[]", "{}", "null", "None", " none ", "N/A"]))
def test_empty_answers_are_told_where_they_are_frequent_and_are_then_no_placeholders(count: int, spelled: str) -> None:
    rows = [example(e.source.line, e.input, spelled) if e.source.line <= count else e for e in map(clean, range(1, 61))]
    frequent = count >= 3
    assert lines("empty-on-purpose", rows) == (list(range(1, count + 1)) if frequent else [])
    in_words = spelled.strip() not in ("[]", "{}")
    assert lines("placeholder", rows) == ([] if frequent or not in_words else list(range(1, count + 1)))


def test_rows_of_a_separate_eval_file_are_looked_at_too() -> None:
    scored = [Example("", "What is N?", "caf\x00", Source("eval.jsonl", 7))]
    (finding,) = findings("control-characters", [clean(1)], scored)
    assert [(str(row.at), row.note) for row in finding.rows] == [("eval.jsonl:7", "output: U+0000")]


def test_the_instruction_and_the_turns_before_are_looked_at_too() -> None:
    turns = (Message("user", "Hello"), Message("assistant", "<|im_end|>"))
    rows = [example(1, "Well?", "Yes.", turns), *(example(line, "Well?", "Yes.", instruction="Go [INST] on") for line in (2, 3))]
    (finding,) = findings("chat-tokens", rows)
    assert [(row.at.line, row.note) for row in finding.rows] == [
        (1, "turn 2: <|im_end|>"),
        (2, "instruction: [INST]"),
        (3, "instruction: [INST]"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "tabs\tand\r\nlines",
        "👩‍👩‍👧 🏳️‍🌈 🤷🏽‍♀️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "می‌خواهم و نمی‌خواهم",
        "قال \u2067شيئا\u2069 ثم ذهب \u202bإلى\u202c البيت",
        "सङ्‌घ क्‍ष",
        "ภาษา\u200bไทย",
        "വടക്കന്\u200d അല്\u200d\u200cറ്റായി",
        "a\u00a0b\u2028c",
    ],
)
def test_characters_that_belong_to_a_text_are_left_alone(text: str) -> None:
    assert notes("control-characters", text) == []


def test_a_lost_emoji_is_told_by_the_joiner_that_it_left() -> None:
    assert notes("control-characters", "Just be roommates. \u200d♀️") == ["input: U+200D ZERO WIDTH JOINER"]


@pytest.mark.parametrize(
    "text",
    [
        "Crème brûlée à la française, señor Muñoz, Ångström, GRÖSSE",
        "AMANHÃ… e ela disse “IRMÔ",
        "le CAFÉ… «PÉ»",
        "Das Ä™ allein",
        "£5 – “quotes” – it’s €20 ™ © 25°C",
        "ní·ša xá·š",
        "Ελλάδα Россия 日本 中文 한국어",
        "ÀÉÎÕÜ àéîõü",
    ],
)
def test_accents_and_quotes_are_not_mojibake(text: str) -> None:
    assert notes("mojibake", text) == []


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abc éèüñçß“”’–€ÀÖ", min_size=1, max_size=40), st.sampled_from(["cp1252", "latin-1"]))
def test_a_text_read_in_the_wrong_encoding_is_found(text: str, encoding: str) -> None:
    try:
        garbled = text.encode().decode(encoding)
    except UnicodeDecodeError:
        return
    assert bool(notes("mojibake", garbled)) == (garbled != text)
    if text.isascii() or not is_a_reading_of_other_bytes(text):
        assert notes("mojibake", text) == []


def is_a_reading_of_other_bytes(text: str) -> bool:
    """Whether all of it could have come from reading another text wrongly, as “ç––” from “疖”: then nobody can tell which was meant."""
    try:
        text.encode("cp1252").decode()
    except UnicodeError:
        return False
    return True


@pytest.mark.parametrize("text", ["Привет, как дела", "Γειά σου κόσμε", "日本語のテキスト", "zażółć gęślą jaźń"])
def test_other_scripts_read_in_the_wrong_encoding_are_found(text: str) -> None:
    assert len(notes("mojibake", text.encode().decode("latin-1"))) == 1


def test_mojibake_is_shown_with_what_was_meant() -> None:
    assert notes("mojibake", "a cafÃ© in town") == ["input: “Ã©” is “é”"]


@pytest.mark.parametrize(
    "output",
    [
        "<p>Was <s>20</s> now 10</p>",
        "if a < b | c > d: print([INSTANCE])",
        "# Instruction\nDo this.",
        "The human: a history",
        "<<3*4=12>>12 eggs",
        "<bosun> <padding>",
        "update-alternatives --install <link> <naam> <pad>",
        "| a | b |\n|---|---|",
    ],
)
def test_markup_is_no_chat_mark(output: str) -> None:
    assert notes("chat-tokens", output, output) == []


def test_turns_of_a_script_in_an_input_are_no_chat_marks() -> None:
    assert notes("chat-tokens", "Summarise.\nHuman: Hi.\nAssistant: Hello.") == []


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "no!", "nothing", "na", "5", "?", "nobody", "none of them", "put it here", "notes", "x", "-5", "C", "todo list", "<b>"],
)
def test_short_texts_are_no_placeholders(text: str) -> None:
    assert notes("placeholder", text, text) == []


def test_what_people_say_in_a_conversation_is_no_placeholder() -> None:
    turns = (Message("user", "Hi"), Message("assistant", "Any allergies?"))
    assert lines("placeholder", [example(1, "None", "Good.", turns), example(2, "...", "Yes?", turns)]) == []
    assert lines("placeholder", [example(1, "<noinput>", "Good.", turns)]) == [1]


def test_a_label_is_no_placeholder() -> None:
    task = Task.model_validate({"output": {"kind": "choice", "choices": ["todo", "done", "None"]}})
    rows = [example(line, f"text {line}", "done") for line in range(1, 100)]
    rows += [example(100, "text", "todo"), example(101, "texts", "none"), example(102, "other", "n/a")]
    assert lines("placeholder", rows, task) == [102]
    assert lines("placeholder", rows) == [100, 101, 102]


@pytest.mark.parametrize(
    "output",
    [
        "I'm sorry to hear that your order is late. It arrives on Monday.",
        "I can't wait to see you!",
        "I cannot stress this enough: save often.",
        "She said that I can't do everything.",
        "As an AI researcher, I work on vision.",
        "I can't help but smile at this.",
        "He was unable to help them.",
        "No, I can't.",
    ],
)
def test_apologies_are_no_refusals(output: str) -> None:
    assert notes("refusal", "Say something.", output) == []


def test_a_label_that_someone_typed_is_no_echo() -> None:
    rows = [example(1, "Yes", "yes"), example(2, "sure thing", "yes"), example(3, "Bonjour.", "bonjour."), example(4, " ", " ")]
    assert lines("echo", rows) == [3]


@pytest.mark.parametrize(
    "output",
    [
        "[" + ", ".join(f'{{"name": "item {i}", "count": {i * 7 % 10}, "unit": "pieces"}}' for i in range(40)) + "]",
        "\n".join(f"| row {i} | {i * i} | ok |" for i in range(40)),
        "\n".join(f"{i}. Take {i} cups of flour and stir {i + 3} times." for i in range(1, 30)),
        "import os\n\n" + "\n".join(f"def f{i}(x):\n    return x + {i}\n" for i in range(20)),
        "ha " * 30,
        "北部的哪个港口最先建成，花了多长时间才完成建设？其他港口又是什么时候开始的呢？" * 2,
    ],
)
def test_lists_tables_and_code_are_not_repetitive(output: str) -> None:
    assert notes("repetition", "Make a list.", output) == []


def test_a_loop_is_shown_with_what_it_repeats() -> None:
    assert notes("repetition", "Sing.", "na " * 100) == ["99% repeats earlier text, such as “na na na na na na na na na na”"]


def test_rows_in_several_scripts_on_purpose_are_not_told() -> None:
    rows = [clean(line) for line in range(1, 41)]
    rows += [example(line, "Какая из гаваней на севере была построена первой?", "Первая") for line in range(41, 61)]
    assert lines("script", rows) == []
    assert (
        lines("script", [example(e.source.line, e.input, "Первая гавань на севере, построена в давние времена") for e in rows[:40]]) == []
    )


def test_clean_rows_have_nothing_wrong_and_every_check_warns_or_informs() -> None:
    assert len(CHECKS_OF_TEXT) == 10
    for check in CHECKS_OF_TEXT:
        assert findings(check.name, [clean(line) for line in range(1, 61)]) == []
        assert check.severity is not Severity.BLOCK


@pytest.mark.parametrize(("name", "rows"), [("snips", 631), ("gsm8k", 0), ("clinc150", 0)])
def test_white_space_at_the_ends_is_counted_exactly_on_real_data(name: str, rows: int) -> None:
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    examples = read_examples([str(path) for path in sorted(folder.glob("*.jsonl"))]).examples
    assert len(lines("outer-white-space", examples)) == rows


def test_clean_real_data_gets_no_findings() -> None:
    folder = REAL_DATA / "gsm8k"
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has gsm8k")
    examples = read_examples([str(path) for path in sorted(folder.glob("*.jsonl"))]).examples
    assert {check.name: found for check in CHECKS_OF_TEXT if (found := lines(check.name, examples))} == {}
