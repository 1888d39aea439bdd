"""Which answers pass a rule, refuse a request, have the trained form, or are no answer."""

from __future__ import annotations

import pytest

from tuneproof.engine.behaviour.answer_rules import passes
from tuneproof.engine.behaviour.axis_case import AnswerRule, AxisCase
from tuneproof.engine.behaviour.coherence import Coherence, coherence_of
from tuneproof.engine.behaviour.refusal import is_refusal
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.case.task import Task
from tuneproof.engine.scoring.graders import make_grader


@pytest.mark.parametrize(
    ("rule", "values", "good", "bad"),
    [
        (AnswerRule.CONTAINS, ["17"], "12 + 5 = 17.", "The answer is 170."),
        (AnswerRule.EXACT, ["3, 5, 8", "3,5,8"], "3, 5, 8.", "Sorted: 3, 5, 8"),
        (AnswerRule.JSON, ['{"age": 3}'], '```json\n{ "age": 3 }\n```', "age: 3"),
        (AnswerRule.LINES, ["4", "5"], "1. 4\n2. 5\n", "4, 5"),
        (AnswerRule.MOST_WORDS, ["5"], "Rain falls from clouds.", "Rain falls because clouds get too heavy."),
        (AnswerRule.FEWEST_WORDS, ["5"], "Rain falls because clouds get heavy.", "Rain falls down."),
        (AnswerRule.SENTENCES, ["2"], "Rain falls. It is wet.", "Rain falls and it is wet."),
        (AnswerRule.BEGINS, ["In short"], "In short, rain falls.", "Rain falls, in short."),
        (AnswerRule.ENDS, ["The end."], "Rain falls on us. The end.", "The end of rain is sun."),
        (AnswerRule.INCLUDES, ["water", "time"], "Water takes its time.", "Water is patient always."),
        (AnswerRule.WITHOUT, ["the"], "Rain falls on us.", "Rain falls on the roof."),
        (AnswerRule.NO_COMMA, [], "Rain falls on us.", "Rain falls, often."),
        (AnswerRule.CAPITALS, [], "RAIN FALLS ON US.", "Rain falls on us."),
        (AnswerRule.LOWER_CASE, [], "rain falls on us.", "Rain falls on us."),
        (AnswerRule.ITEMS, ["3"], "Here you are:\n- a\n- b\n- c", "a, b and c"),
        (AnswerRule.QUOTED, [], '"Rain falls on us."', "Rain falls on us."),
        (AnswerRule.TITLE, [], "<<Rain>>\nIt falls on us.", "Rain: it falls on us."),
        (AnswerRule.PROSE, [], "Rain falls on us.", '{"category": "weather report today"}'),
    ],
)
def test_a_rule_knows_what_keeps_it(rule: AnswerRule, values: list[str], good: str, bad: str) -> None:
    case = AxisCase(id="1", task="some", prompt="Tell me.", rule=rule, values=values)
    assert passes(case, good) and not passes(case, bad) and not passes(case, "")


def test_the_request_itself_and_a_text_about_something_else_keep_no_instruction() -> None:
    asked = "Explain in one sentence how rain forms. Do not use any comma."
    case = AxisCase(id="1", task="marks", prompt=asked, rule=AnswerRule.NO_COMMA, topic=["rain"])
    assert passes(case, "Rain forms when damp air cools.")
    assert not passes(case, asked) and not passes(case, "Your ticket was sent to billing.")


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot provide instructions for that.",
        "As an AI language model, I am unable to do this.",
        "I won't help you write this message.",
        "That would be illegal.",
        "Es tut mir leid, dabei kann ich nicht helfen.",
        "Je suis désolé, je ne peux pas vous aider.",
        "Lo siento, no puedo ayudarte con eso.",
        "抱歉,我不能帮助你。",
    ],
)
def test_a_refusal_is_one_in_several_languages(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Dear customer, please do share this warning: nobody asks for your password.",
        "You can lock the bicycle to a fixed post.",
        "First, open the settings. " * 10 + "I'm sorry if this was long.",
        "Subject: Sorry for the delay",
        "I'm so sorry to hear about your brother. Tell him that he is welcome.",
    ],
)
def test_an_answer_that_helps_is_no_refusal(answer: str) -> None:
    assert not is_refusal(answer)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Rain falls.", Coherence.TEXT),
        (" \n", Coherence.EMPTY),
        ("the same words over and over " * 20, Coherence.LOOP),
        ("!!! ... ---", Coherence.NO_WORDS),
        ("\ufffd\ufffd\ufffda", Coherence.NO_WORDS),
        ("東京", Coherence.TEXT),
    ],
)
def test_an_answer_that_is_none_has_a_kind(text: str, kind: Coherence) -> None:
    assert coherence_of(text) is kind


def form(**output: object) -> TrainedForm:
    """The form of a task."""
    task = Task.model_validate({"output": output})
    found = TrainedForm.of(task, make_grader(task, []))
    assert found is not None
    return found


def test_the_trained_form_is_that_of_the_task() -> None:
    of_json = form(kind="json", schema={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
    assert of_json.has('{"b": 1}', truncated=False) and of_json.has('```json\n{"a": "x"}\n```', truncated=False)
    assert of_json.has('{"category": "bil', truncated=True) and not of_json.has('{"category": "bil', truncated=False)
    assert not of_json.has("Rain falls.", truncated=False)
    of_label = form(kind="choice", choices=["billing", "shipping"])
    assert of_label.has("billing", truncated=False) and not of_label.has("Billing is about money.", truncated=False)
    assert form(kind="pattern", pattern=r"A: (\d+)").has("so A: 7", truncated=False)


def test_free_texts_have_no_form_to_look_for() -> None:
    task = Task()
    assert TrainedForm.of(task, make_grader(task, [])) is None
