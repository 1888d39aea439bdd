"""Every answer to a draft is saved at once, and a file that a person edited is not lost."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import sample_case
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.draft import Draft, draft_text, free_path, next_run_dir
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.route import QUESTIONS, RouteAnswers
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import METRICS, OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import CaseError, UsageError

ANSWERS = st.lists(
    st.sampled_from(QUESTIONS).flatmap(
        lambda question: st.tuples(st.just(question.key), st.integers(0, 10**6) if question.key == "labeled_examples" else st.booleans())
    )
)


@settings(max_examples=40)
@given(ANSWERS)
def test_every_answer_is_saved_at_once(answers: list[tuple[str, bool | int]]) -> None:
    with TemporaryDirectory() as folder:
        draft = Draft.new(Path(folder), "a case")
        for key, value in answers:
            draft.answer(key, value)
            assert draft.path is not None and Draft.open(draft.path).content == draft.content
        assert (draft.route_answers() is None) == bool(draft.unanswered())


def test_a_draft_with_all_answers_is_the_case_in_its_file(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "a case")
    with pytest.raises(CaseError, match="not answered yet"):
        draft.case()
    for question in QUESTIONS:
        draft.answer(question.key, 60 if question.key == "labeled_examples" else False)
    assert draft.path is not None and load_case(draft.path) == draft.case()


def test_a_path_below_the_folder_of_the_file_is_stored_relative(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    draft = Draft.new(tmp_path, "a case")
    draft.choose(data=Data(examples=str(tmp_path / "rows.jsonl"), documents="/elsewhere"), model=ModelChoice(base="sample"))
    assert draft.path is not None
    text = draft.path.read_text()
    assert "examples: rows.jsonl" in text and "documents: /elsewhere" in text and str(tmp_path) not in text


def test_a_file_with_comments_is_backed_up_before_it_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    written = "# why we do this\nname: mine\ndecision: {private_facts: false, format_drift: true, stable_task: true}\n"
    path.write_text(written)
    draft = Draft.open(path)
    assert path.read_text() == written, "opening changes nothing"
    draft.answer("format_drift", False)
    draft.answer("format_drift", True)
    assert (tmp_path / "mine.yaml.orig").read_text() == written


def test_a_sample_case_is_opened_as_a_copy_which_is_opened_again_the_next_time(tmp_path: Path) -> None:
    first = Draft.open_copy(sample_case(), tmp_path)
    first.answer("labeled_examples", 99)
    second = Draft.open_copy(sample_case(), tmp_path)
    assert second.path == first.path and second.content.decision.labeled_examples == 99
    assert load_case(sample_case()).decision.labeled_examples == 120


def test_a_value_that_does_not_fit_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "a case")
    with pytest.raises(CaseError, match="cannot be measured"):
        draft.choose(target={"metric": "macro_f1", "at_least": 0.5})
    with pytest.raises(CaseError):
        draft.answer("labeled_examples", -1)
    assert draft.content.target is None and draft.content.decision.labeled_examples is None


def test_a_new_run_gets_the_next_number(tmp_path: Path) -> None:
    assert next_run_dir("my case!", tmp_path).name == "my-case-1"
    (tmp_path / "my-case-7").mkdir()
    assert next_run_dir("my case!", tmp_path).name == "my-case-8"


some_text = st.text(min_size=1, max_size=30)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def some_task(draw: st.DrawFn) -> Task:
    kind = draw(st.sampled_from(OutputKind))
    output = OutputFormat(
        kind=kind,
        json_schema=draw(st.none() | st.dictionaries(some_text, json_value, max_size=4)) if kind is OutputKind.JSON else None,
        choices=draw(st.none() | st.lists(st.text(max_size=20), min_size=1, max_size=4)) if kind is OutputKind.CHOICE else None,
        pattern=r"#### (-?\d+)" if kind is OutputKind.PATTERN else None,
    )
    return Task(instruction=draw(st.none() | st.text(max_size=60)), output=output, metric=draw(st.none() | st.sampled_from(METRICS[kind])))


def reopened(draft: Draft) -> Draft:
    assert draft.path is not None
    return Draft.open(draft.path)


@settings(max_examples=50)
@given(name=some_text.filter(str.strip), task=some_task(), share=st.floats(0.001, 1), epochs=st.none() | st.floats(0.1, 1000))
def test_every_choice_is_read_back_the_same(name: str, task: Task, share: float, epochs: float | None) -> None:
    with TemporaryDirectory() as folder:
        draft = Draft.new(Path(folder), name)
        draft.choose(task=task, target=Target(metric=task.primary_metric, at_least=share), training={"epochs": epochs})
        assert reopened(draft).content == draft.content
        assert draft.content.task == task and draft.content.name == name.strip()


def test_missing_answers_are_listed_in_the_order_of_the_questions(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "tickets")
    assert draft.unanswered() == ["private_facts", "format_drift", "stable_task", "labeled_examples"]
    draft.answer("format_drift", False)
    assert draft.unanswered() == ["private_facts", "stable_task", "labeled_examples"]
    draft.choose(data=Data(examples="rows.jsonl"))
    assert draft.unanswered() == ["private_facts", "stable_task"], "with data, the examples are counted"
    with pytest.raises(CaseError, match=r"tickets\.yaml: `decision\.private_facts` is not answered yet; answer it first"):
        draft.case()
    draft.answer("private_facts", False)
    draft.answer("stable_task", True)
    assert draft.unanswered() == [] and draft.case().decision.needs_actions is False
    draft.answer("stable_task", None)
    assert draft.unanswered() == ["stable_task"], "an answer can be taken back"


def test_there_is_a_route_once_the_number_of_examples_is_stated_or_counted(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "tickets")
    for key in ("private_facts", "format_drift", "stable_task"):
        assert draft.route_answers(120) is None
        draft.answer(key, True)
    assert draft.route_answers() is None
    assert draft.route_answers(120) == RouteAnswers(True, True, True, 120)
    draft.answer("labeled_examples", 0)
    assert draft.route_answers(120) == RouteAnswers(True, True, True, 0), "a stated number is used although the data have another"


def test_no_file_is_written_before_the_first_answer(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "support tickets")
    assert draft.path == tmp_path / "support-tickets.yaml"
    draft.answer("private_facts", None)
    assert list(tmp_path.iterdir()) == []
    draft.answer("private_facts", True)
    assert yaml.safe_load(draft.path.read_text()) == {
        "version": 1,
        "name": "support tickets",
        "decision": {"private_facts": True},
    }


def test_the_backup_with_the_comments_survives_a_second_sitting(tmp_path: Path) -> None:
    path = tmp_path / "tickets.yaml"
    written = "# why we do this\nname: tickets\ntask:\n  output: {kind: pattern, pattern: '#### (\\d+)'}\n"
    path.write_text(written)
    Draft.open(path).answer("stable_task", True)
    Draft.open(path).answer("stable_task", False)
    assert path.with_name("tickets.yaml.orig").read_text() == written


def test_a_case_still_loads_after_its_folder_is_moved(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere.jsonl"
    (here / "data").mkdir(parents=True)
    for path in (here / "data" / "rows.jsonl", here / "eval.jsonl", elsewhere):
        path.write_text("{}\n")
    draft = Draft.new(here, "tickets")
    draft.choose(data=Data(examples=[str(here / "data" / "rows.jsonl"), str(elsewhere), "owner/set"], eval=str(here / "eval.jsonl")))
    moved = here.rename(tmp_path / "moved")
    data = Draft.open(moved / "tickets.yaml").content.data
    assert data is not None and data.eval == str(moved / "eval.jsonl")
    assert data.examples == [str(moved / "data" / "rows.jsonl"), str(elsewhere), "owner/set"]


def test_a_model_in_a_folder_called_sample_is_not_read_as_the_sample_model(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    draft = Draft.new(tmp_path, "tickets")
    draft.choose(model=ModelChoice(base=str(tmp_path / "sample")))
    assert reopened(draft).content.model == draft.content.model


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"task": {"output": {"kind": "json"}, "metric": "macro_f1"}}, "metric macro_f1 does not fit output kind json"),
        ({"task": {"output": {"kind": "pattern", "pattern": "("}}}, "not a regular expression"),
        ({"data": {"examples": "x.jsonl", "split": {"train": 0.9, "validation": 0.9, "eval": 0.9}}}, "must add up to 1"),
        ({"training": {"epochs": -1.0}}, "training.epochs"),
        ({"mehtod": {"name": "lora"}}, "mehtod"),
        ({"decision": {"private_facts": 3}}, "decision.private_facts"),
        ({"decision": {"no_such_question": True}}, "decision.no_such_question"),
        ({"training": {"epochs": float("inf")}}, "training.epochs"),
    ],
)
def test_an_error_names_the_key_and_leaves_the_file_unchanged(tmp_path: Path, sections: dict[str, Any], message: str) -> None:
    draft = Draft.new(tmp_path, "tickets")
    draft.answer("private_facts", False)
    assert draft.path is not None
    before, content = draft.path.read_text(), draft.content
    with pytest.raises(CaseError) as refused:
        draft.choose(**sections)
    assert message in str(refused.value)
    assert draft.path.read_text() == before and draft.content == content


@pytest.mark.parametrize("name", ["", "  ", "\n", "x" * 300])
def test_an_empty_or_overlong_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaseError, match="name"):
        Draft.new(tmp_path, name)


def test_two_cases_of_one_name_are_two_files_and_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    for expected in ("support-tickets.yaml", "support-tickets-2.yaml", "support-tickets-3.yaml"):
        draft = Draft.new(tmp_path, "support tickets")
        draft.answer("private_facts", False)
        assert draft.path == tmp_path / expected
    for name in ("../../etc/passwd", "/etc/passwd", "..", "a\0b", "x\n.yaml", "🍕"):
        assert free_path(tmp_path, name).parent == tmp_path and free_path(tmp_path, name).suffix == ".yaml"


def test_a_long_name_in_any_script_gives_a_valid_file_and_run_folder(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "票" * 200)
    draft.answer("private_facts", False)
    next_run_dir(draft.content.name, tmp_path).mkdir()
    assert reopened(draft).content.name == "票" * 200


def test_every_edit_by_hand_is_backed_up(tmp_path: Path) -> None:
    path = tmp_path / "tickets.yaml"
    for number, comment in enumerate(("# first\n", "# second\n")):
        path.write_text(comment + "name: tickets\n")
        draft = Draft.open(path)
        draft.answer("stable_task", bool(number))
        path.write_text(path.read_text() + "# typed while the wizard was open\n")
        draft.answer("format_drift", True)
    kept = [p.read_text().splitlines() for p in sorted(tmp_path.glob("*.orig*"))]
    assert [lines[0] for lines in kept[::2]] == ["# first", "# second"]
    assert [lines[-1] for lines in kept[1::2]] == ["# typed while the wizard was open"] * 2


def test_an_answer_that_cannot_be_saved_is_kept_and_saved_with_the_next_one(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "tickets")
    assert draft.path is not None
    draft.path.mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        draft.answer("stable_task", True)
    draft.path.rmdir()
    draft.answer("format_drift", True)
    assert reopened(draft).content.decision.stable_task is True


def test_sections_with_only_defaults_are_not_written(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "tickets")
    assert not [name for name in ("method", "training", "budget") if name in draft_text(draft.content, tmp_path)]
    draft.choose(method={"name": "lora"})
    assert "method" in draft_text(draft.content, tmp_path)


def test_the_draft_of_a_run_opened_by_its_folder_is_saved_only_once_it_is_copied(tmp_path: Path) -> None:
    loose = Draft(Draft.new(tmp_path, "tickets").content, None)
    loose.answer("private_facts", True)
    assert list(tmp_path.iterdir()) == []
    copied = Draft.copy_to(loose, tmp_path)
    copied.answer("format_drift", True)
    assert reopened(copied).content.decision.private_facts is True
