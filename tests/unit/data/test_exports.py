"""Exports of labelling tools are recognised by their keys, and read to examples with the decisions of their annotators."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.data.notes import Disagreement, UnusedKey
from tuneproof.engine.data.problems import AnsweredTwice, NothingToLearn
from tuneproof.engine.data.readers import LoadedExamples, read_examples


def choices(*labels: str, **more: Any) -> dict[str, Any]:
    result = {"type": "choices", "from_name": "topic", "to_name": "text", "value": {"choices": list(labels)}}
    return {"id": 1, "completed_by": 1, "result": [result], "was_cancelled": False, "ground_truth": False, **more}


def label_studio(*annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": "Too late.", **data}, "annotations": list(annotations), "predictions": [], "meta": {}, "project": 1}


def flat(topic: Any, annotator: int = 1, text: str = "Too late.") -> dict[str, Any]:
    return {
        "text": text,
        "id": 7,
        "topic": topic,
        "annotator": annotator,
        "annotation_id": annotator,
        "created_at": "2024",
        "lead_time": 1.5,
    }


def argilla(*responses: Any, status: str = "submitted") -> dict[str, Any]:
    states = [status] * len(responses)
    return {
        "id": "r1",
        "status": "completed",
        "_server_id": "s1",
        "text": "Too late.",
        "topic.responses": list(responses),
        "topic.responses.users": [f"u{at}" for at in range(len(responses))],
        "topic.responses.status": states,
        "topic.suggestion": "returns",
        "topic.suggestion.score": None,
    }


def argilla_nested(*responses: Any) -> dict[str, Any]:
    given = [{"value": value, "user_id": f"u{at}"} for at, value in enumerate(responses)]
    record = {"id": "r1", "fields": {"text": "Too late."}, "metadata": {}, "suggestions": {}, "vectors": {}, "status": "completed"}
    return {**record, "responses": {"topic": given} if given else {}}


def argilla_feedback(*responses: str, status: str = "submitted") -> dict[str, Any]:
    given = [{"user_id": str(at), "value": value, "status": status} for at, value in enumerate(responses)]
    return {
        "text": "Too late.",
        "topic": given,
        "topic-suggestion": None,
        "topic-suggestion-metadata": {},
        "external_id": "e",
        "metadata": "{}",
    }


def argilla_old(annotation: Any, status: str = "Validated") -> dict[str, Any]:
    about = {"prediction": [["returns", 0.7]], "prediction_agent": "m", "annotation_agent": "me", "status": status, "metadata": {}}
    return {"text": "Too late.", "inputs": {"text": "Too late."}, "annotation": annotation, **about}


def prodigy(**more: Any) -> dict[str, Any]:
    return {
        "text": "Too late.",
        "_input_hash": 1,
        "_task_hash": 2,
        "_session_id": "me",
        "_view_id": "classification",
        "answer": "accept",
        **more,
    }


OPTIONS = [{"id": "delivery", "text": "Delivery"}, {"id": "billing", "text": "Billing"}]

SPANS = '[{"start": 4, "end": 8, "text": "late", "label": "TIME"}]'


@pytest.mark.parametrize(
    ("row", "shape", "output"),
    [
        (label_studio(choices("delivery")), "Label Studio export", "delivery"),
        (label_studio(choices("wrong", was_cancelled=True), choices("delivery")), "Label Studio export", "delivery"),
        (label_studio(choices("a"), choices("a"), choices("delivery", ground_truth=True)), "Label Studio export", "delivery"),
        (label_studio(choices("delivery", "price")), "Label Studio export", '["delivery", "price"]'),
        (
            label_studio({**choices(), "result": [{"type": "textarea", "from_name": "a", "value": {"text": ["Sorry."]}}]}),
            "Label Studio export",
            "Sorry.",
        ),
        (label_studio({**choices(), "result": [{"type": "rating", "from_name": "a", "value": {"rating": 4}}]}), "Label Studio export", "4"),
        (
            label_studio({**choices(), "result": [{"type": "taxonomy", "from_name": "a", "value": {"taxonomy": [["goods", "late"]]}}]}),
            "Label Studio export",
            "goods / late",
        ),
        (
            label_studio(
                {
                    **choices(),
                    "result": [
                        {"type": "labels", "from_name": "a", "value": {"start": 4, "end": 8, "text": "late", "labels": ["TIME"]}},
                        {"type": "relation", "from_id": "a", "to_id": "b"},
                    ],
                }
            ),
            "Label Studio export",
            SPANS,
        ),
        (
            label_studio(
                {
                    **choices("delivery"),
                    "result": [*choices("delivery")["result"], {"type": "rating", "from_name": "mood", "value": {"rating": 2}}],
                }
            ),
            "Label Studio export",
            '{"topic": "delivery", "mood": 2}',
        ),
        ({"data": {"my_note": "Too late."}, "completions": [choices("delivery")]}, "Label Studio export", "delivery"),
        (flat("delivery"), "Label Studio export (one annotation a row)", "delivery"),
        (flat({"choices": ["delivery", "price"]}), "Label Studio export (one annotation a row)", '["delivery", "price"]'),
        (argilla("delivery"), "Argilla export", "delivery"),
        (argilla(["delivery"]), "Argilla export", '["delivery"]'),
        (argilla_nested("delivery"), "Argilla export (nested)", "delivery"),
        (argilla_feedback("delivery"), "Argilla export (version 1, feedback)", "delivery"),
        (argilla_old("delivery"), "Argilla export (version 1)", "delivery"),
        (argilla_old(["delivery", "price"]), "Argilla export (version 1)", '["delivery", "price"]'),
        (argilla_old([["TIME", 4, 8]]), "Argilla export (version 1)", SPANS),
        ({"id": 1, "text": "Too late.", "label": ["delivery"], "Comments": []}, "doccano export", "delivery"),
        ({"id": 1, "data": "Too late.", "label": ["delivery", "price"], "Comments": []}, "doccano export", '["delivery", "price"]'),
        ({"id": 1, "text": "Too late.", "labels": [[4, 8, "TIME"]], "meta": {}, "annotation_approver": None}, "doccano export", SPANS),
        (
            {
                "id": 1,
                "text": "Too late.",
                "entities": [{"id": 2, "label": "TIME", "start_offset": 4, "end_offset": 8}],
                "relations": [],
                "Comments": [],
            },
            "doccano export",
            SPANS,
        ),
        (prodigy(label="delivery"), "Prodigy export", "delivery"),
        (prodigy(options=OPTIONS, accept=["delivery"]), "Prodigy export", "delivery"),
        (prodigy(options=OPTIONS, accept=["delivery", "billing"]), "Prodigy export", '["delivery", "billing"]'),
        (prodigy(options=OPTIONS, accept=["delivery"], config={"choice_style": "multiple"}), "Prodigy export", '["delivery"]'),
        (prodigy(options=[{"id": 0, "text": "delivery"}], accept=[0]), "Prodigy export", "delivery"),
        (prodigy(spans=[{"start": 4, "end": 8, "label": "TIME"}], tokens=[]), "Prodigy export", SPANS),
        (prodigy(user_input="Sorry."), "Prodigy export", "Sorry."),
    ],
)
def test_each_export_is_read_by_its_keys(write_jsonl: Any, row: dict[str, Any], shape: str, output: str) -> None:
    loaded = read_examples(str(write_jsonl([row])))
    (example,) = loaded.examples
    assert (example.input, example.output) == ("Too late.", output)
    assert type(example.output) is str
    assert loaded.shapes == {"rows.jsonl": shape}


@pytest.mark.parametrize(
    ("row", "good", "reason"),
    [
        (label_studio(choices("a", was_cancelled=True)), label_studio(choices("a")), "was_cancelled"),
        (label_studio(), label_studio(choices("a")), "not annotated"),
        (flat(None), flat("a"), "not annotated"),
        (argilla(), argilla("a"), "suggestions are no answers"),
        (argilla("a", status="discarded"), argilla("a"), "discarded"),
        (argilla_nested(), argilla_nested("a"), "nobody has answered"),
        (argilla_feedback("a", status="discarded"), argilla_feedback("a"), "discarded"),
        (argilla_old("a", "Discarded"), argilla_old("a"), "discarded"),
        (argilla_old(None, "Default"), argilla_old("a"), "no annotation"),
        ({"id": 1, "text": "x", "label": [], "Comments": []}, {"id": 2, "text": "x", "label": ["a"], "Comments": []}, "no label"),
        (prodigy(label="a", answer="reject"), prodigy(label="a", _task_hash=3), "rejected"),
        (prodigy(label="a", answer="ignore"), prodigy(label="a"), "skipped"),
        (prodigy(options=OPTIONS, accept=[]), prodigy(options=OPTIONS, accept=["billing"]), "no option"),
    ],
)
def test_what_annotators_ruled_out_is_left_out_and_told(write_jsonl: Any, row: Any, good: Any, reason: str) -> None:
    loaded = read_examples(str(write_jsonl([row, good])))
    assert [example.source.line for example in loaded.examples] == [2]
    ((source, problem),) = loaded.problems
    assert source.line == 1 and isinstance(problem, NothingToLearn) and reason in problem.message


@pytest.mark.parametrize(
    "row",
    [
        label_studio(choices("b"), choices("a"), choices("a")),
        argilla("b", "a", "a"),
        argilla_nested("b", "a", "a"),
        argilla_feedback("b", "a", "a"),
    ],
)
def test_where_annotators_disagree_most_decide_and_it_is_told(write_jsonl: Any, row: Any) -> None:
    loaded = read_examples(str(write_jsonl([row])))
    assert loaded.examples[0].output == "a"
    assert loaded.notes.of(Disagreement) == [(Disagreement(by_majority=True), [loaded.examples[0].source])]


def test_a_tie_of_annotators_is_the_first_answer_and_labels_in_another_order_agree(write_jsonl: Any) -> None:
    rows = [label_studio(choices("b"), choices("a")), label_studio(choices("a", "b"), choices("b", "a"))]
    loaded = read_examples(str(write_jsonl(rows)))
    assert [example.output for example in loaded.examples] == ['["b"]', '["a", "b"]']
    assert loaded.notes.of(Disagreement) == [(Disagreement(by_majority=False), [loaded.examples[0].source])]


@pytest.mark.parametrize(
    "rows",
    [
        [flat("b", 1), flat("a", 2), flat("a", 3)],
        [prodigy(options=OPTIONS, accept=[label], _session_id=label) for label in ("b", "a", "a")],
    ],
)
def test_annotators_with_rows_of_their_own_are_one_row(write_jsonl: Any, rows: Any) -> None:
    loaded = read_examples(str(write_jsonl(rows)))
    assert [(example.source.line, example.output) for example in loaded.examples] == [(1, "a")]
    assert [(source.line, type(problem)) for source, problem in loaded.problems] == [(2, AnsweredTwice), (3, AnsweredTwice)]
    assert loaded.notes.of(Disagreement) == [(Disagreement(by_majority=True), [loaded.examples[0].source])]


def test_a_label_that_most_reject_is_not_learned(write_jsonl: Any) -> None:
    rows = [prodigy(label="a", answer=answer, _session_id=at) for at, answer in enumerate(["accept", "reject", "reject"])]
    loaded = read_examples(str(write_jsonl([*rows, prodigy(label="b", _task_hash=9)])))
    assert [example.output for example in loaded.examples] == ["b"]
    assert {type(problem) for _, problem in loaded.problems} == {AnsweredTwice, NothingToLearn}


def table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted(rows[0]))
    writer.writeheader()
    writer.writerows({key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()} for row in rows)
    return text.getvalue()


def read(path: Path, content: str) -> LoadedExamples:
    path.write_text(content, encoding="utf-8")
    return read_examples(str(path))


def test_a_table_of_label_studio_is_read_though_its_columns_are_sorted(tmp_path: Path) -> None:
    loaded = read(tmp_path / "rows.csv", table([flat("delivery"), {**flat({"choices": ["a", "b"]}, text="Too small."), "id": 8}]))
    assert [(e.input, e.output) for e in loaded.examples] == [("Too late.", '["delivery"]'), ("Too small.", '["a", "b"]')]


def test_a_table_of_label_studio_with_several_answers_says_to_name_the_columns(tmp_path: Path) -> None:
    loaded = read(tmp_path / "a.jsonl", json.dumps(flat("delivery")) + "\n" + json.dumps(dict(sorted({**flat("x"), "mood": 2}.items()))))
    assert [example.output for example in loaded.examples] == ["delivery"]
    assert "data.columns" in loaded.problems[0][1].message


def test_a_task_with_several_texts_takes_the_one_with_a_known_name_or_says_to_name_it(write_jsonl: Any) -> None:
    known = label_studio(choices("a"), title="Complaint")
    unknown = {**label_studio(choices("a")), "data": {"front": "Too late.", "back": "Sorry."}}
    loaded = read_examples(str(write_jsonl([known, unknown])))
    assert loaded.examples[0].input == "Too late." and loaded.examples[0].metadata["title"] == "Complaint"
    assert "`front`, `back`" in loaded.problems[0][1].message


def test_several_texts_of_doccano_are_alternatives_and_the_first_is_learned(write_jsonl: Any) -> None:
    rows = [{"id": at, "text": f"Hello {at}", "label": [f"Bonjour {at}", f"Salut {at}"], "Comments": []} for at in range(4)]
    loaded = read_examples(str(write_jsonl(rows)))
    assert [example.output for example in loaded.examples] == [f"Bonjour {at}" for at in range(4)]
    assert [len(rows) for _, rows in loaded.notes.rows.items()] == [4]


def test_a_task_with_an_empty_text_does_not_take_its_text_from_another_field(write_jsonl: Any) -> None:
    rows = [label_studio(choices("a"), title="Complaint"), {**label_studio(choices("a")), "data": {"text": "", "title": "Complaint"}}]
    assert [example.input for example in read_examples(str(write_jsonl(rows))).examples] == ["Too late.", ""]


def test_labels_of_doccano_that_are_only_numbers_are_told(write_jsonl: Any) -> None:
    row = {"id": 1, "text": "Too late.", "annotations": [{"label": 3, "user": 1}], "meta": {}, "annotation_approver": "me"}
    loaded = read_examples(str(write_jsonl([row])))
    assert loaded.examples[0].output == "3" and [note.key for note, _ in loaded.notes.of(UnusedKey)] == ["annotations"]
