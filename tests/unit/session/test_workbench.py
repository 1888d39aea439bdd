"""What the wizard may do with a case under way: what a frozen run takes in, which step is open, and what it shows of files and answers."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.audit.quarantine import quarantine_path, write_quarantine
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import ByKey, ByNormalisedKey, Counts, FoundRow, Report, StoredFinding
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.schema import Case, DecisionAnswers, ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import CaseError, GateClosed, UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.data.files import RawRow, read_file
from tuneproof.engine.data.readers import QUARANTINE_SUFFIX, read_examples
from tuneproof.engine.data.source_rows import source_files_of, source_row_text
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.case_changes import CaseChange, compare_cases
from tuneproof.engine.scoring.judges import FailureClass
from tuneproof.engine.scoring.predictions import Prediction
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.session.progress import current_step, why_not_enter
from tuneproof.engine.session.steps import WizardStep

CASE = Case(
    name="tickets",
    decision=DecisionAnswers(private_facts=False, format_drift=True, stable_task=True),
    data=Data(examples="rows.jsonl"),
    task=Task(instruction="Answer.", output=OutputFormat(kind=OutputKind.CHOICE, choices=["no", "yes"])),
    model=ModelChoice(),
)
ROWS = [{"input": f"row {i}\nof “many” 🍕", "output": f'"{i}", said Zoë'} for i in range(4)]


def changed(**sections: Any) -> Case:
    return CASE.model_copy(update=sections)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A run of the case, with nothing done yet."""
    return RunStore.create(tmp_path / "runs" / "tickets-1", CASE)


FROZEN = [
    {"name": "other"},
    {"decision": DecisionAnswers(private_facts=True, format_drift=True, stable_task=True)},
    {"task": Task(instruction="Answer well.", output=CASE.task.output if CASE.task else OutputFormat(kind=OutputKind.TEXT))},
    {"data": Data(examples="rows.jsonl", leave_out=["conflict"])},
    {"model": ModelChoice(base="other")},
    {"target": Target(at_least=0.9)},
]


@pytest.mark.parametrize("other", FROZEN, ids=[next(iter(part)) for part in FROZEN])
def test_nothing_that_is_scored_or_judged_by_can_change_in_a_run(store: RunStore, other: dict[str, Any]) -> None:
    with pytest.raises(GateClosed, match=f"the eval set is frozen under another `{next(iter(other))}`; start a new run for it"):
        store.amend(changed(**other))
    assert store.case == CASE


def test_what_is_chosen_later_is_taken_in_and_what_was_planned_before_is_planned_anew(store: RunStore) -> None:
    for kind in (StepKind.AUDIT, StepKind.METHOD, StepKind.CARD):
        store.write_step(StepId(kind), Inputs(), {f"{kind.value}.json": "{}\n"})
    later = changed(baselines=["zero_shot"], method=MethodChoice(name="lora"), training=Training(epochs=1.0))
    store.amend(later)
    assert store.case == later and RunStore.open(store.path).case == later
    assert set(store.manifest.steps) == {StepId(StepKind.CASE), StepId(StepKind.AUDIT)}
    store.check("case.yaml")


def test_the_same_choices_again_change_nothing(store: RunStore) -> None:
    store.write_step(StepId(StepKind.METHOD), Inputs(), {"method.json": "{}\n"})
    before = {path.name: path.read_bytes() for path in store.path.iterdir()}
    store.amend(changed())
    assert {path.name: path.read_bytes() for path in store.path.iterdir()} == before


def test_an_arm_that_is_scored_stays_and_others_come_and_go(store: RunStore) -> None:
    store.write_step(StepId.arm("zero_shot"), Inputs(), {"arms/zero_shot/scores.json": "{}\n"})
    with pytest.raises(GateClosed, match="zero_shot is scored already, and stays in the evidence"):
        store.amend(changed(baselines=["few_shot"]))
    assert store.case == CASE
    store.amend(changed(baselines=["zero_shot"]))
    store.amend(changed(baselines=["zero_shot", "few_shot"]))
    assert StepId.arm("zero_shot") in store.manifest.steps


@pytest.mark.parametrize("other", [{"method": MethodChoice(name="lora")}, {"training": Training(epochs=9.0)}])
def test_once_training_has_begun_it_is_trained_in_no_other_way(store: RunStore, other: dict[str, Any]) -> None:
    store.amend(changed(**other))
    store.amend(CASE)
    (store.path / "training").mkdir()
    with pytest.raises(GateClosed, match="training has begun with another method or other settings"):
        store.amend(changed(**other))
    store.amend(changed(baselines=["zero_shot"]))
    assert store.case.baselines == ["zero_shot"]


def test_choices_are_not_changed_under_a_worker(store: RunStore) -> None:
    with RunStore(store.path).lock(), pytest.raises(UsageError, match="another process is at work on this run"):
        store.amend(changed(baselines=["zero_shot"]))
    assert store.case == CASE


def encoded(ending: str) -> bytes:
    """The rows in a format, in the most awkward way that it allows."""
    match ending.split(".")[1]:
        case "jsonl":
            return b"\xef\xbb\xbf" + "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
        case "json":
            return json.dumps(ROWS, indent=1).encode()
        case "parquet":
            sink = io.BytesIO()
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), sink)
            return sink.getvalue()
        case table:
            # A header over two lines, and an empty line after each row.
            return table_of(["in\nput", "output"], [[row["input"], row["output"]] for row in ROWS], "\t" if table == "tsv" else ",", "\n\n")


def table_of(header: list[str], rows: list[list[str]], delimiter: str = ",", ends: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerow(header)
    csv.writer(text, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return text.getvalue().encode()


def packed(content: bytes, ending: str) -> bytes:
    if ending.endswith(".gz"):
        return gzip.compress(content)
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True)) if ending.endswith(".zst") else content


def rows_of(path: Path) -> list[RawRow]:
    return [row for row in read_file(path) if isinstance(row, RawRow)]


@pytest.mark.parametrize("ending", [e + p for e in (".jsonl", ".json", ".csv", ".tsv", ".parquet") for p in ("", ".gz", ".zst")])
def test_a_row_that_is_shown_is_the_row_that_was_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows.v2{ending}"
    path.write_bytes(packed(encoded(ending), ending))
    rows = rows_of(path)
    assert [list(row.value.values()) for row in rows] == [list(row.values()) for row in ROWS]
    assert [json.loads(source_row_text(path, row.line)) for row in rows] == [row.value for row in rows]
    assert source_row_text(path, 999) == "", "there is no such row"


cell = st.lists(st.sampled_from(["a", "é", '"', ",", " ", "\n", "\r\n"]), max_size=5).map("".join)


@settings(max_examples=60)
@given(header=st.lists(cell, min_size=2, max_size=2, unique=True), rows=st.lists(st.lists(cell, min_size=2, max_size=2), max_size=5))
def test_a_row_of_a_table_is_found_whatever_stands_in_the_rows_before_it(header: list[str], rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes(table_of(header, rows))
        assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == [row.value for row in rows_of(path)]


def test_a_row_that_is_not_there_any_more_is_shown_as_nothing(tmp_path: Path) -> None:
    assert source_row_text(tmp_path / "gone.jsonl", 1) == source_row_text(tmp_path / "gone.csv.gz", 1) == ""
    path = tmp_path / "long.jsonl"
    path.write_text("x" * 100_000 + "\n")
    assert source_row_text(path, 1) == "x" * 20_000


@pytest.mark.parametrize("ending", [".parquet", ".json", ".jsonl.zst"])
def test_a_row_of_any_format_that_is_not_there_any_more_is_shown_as_nothing(tmp_path: Path, ending: str) -> None:
    assert source_row_text(tmp_path / f"gone{ending}", 1) == ""


def test_a_file_that_was_cut_off_meanwhile_is_shown_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"input": "a"}\n' * 1000)[:-20])
    assert source_row_text(path, 999) == ""


def test_a_cell_of_any_length_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(table_of(["input", "output"], [["q", "x" * 200_000]]))
    before = csv.field_size_limit(131_072)
    try:
        assert source_row_text(path, 2).startswith('{"input": "q", "output": "xxx')
    finally:
        csv.field_size_limit(before)


def test_a_table_whose_lines_end_as_on_an_old_mac_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"input,output\rq,a\rr,b\r")
    assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == [row.value for row in rows_of(path)] != []


def test_a_dot_in_the_name_does_not_make_lines_a_table(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.jsonl"
    path.write_bytes(encoded(".jsonl"))
    assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == ROWS


def test_rows_of_an_array_on_one_line_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    assert len({row.line for row in rows_of(path)}) == len(ROWS)
    assert [json.loads(source_row_text(path, row.line)) for row in rows_of(path)] == ROWS


def finding(check: str, *rows: tuple[str, int], note: str = "") -> StoredFinding:
    found = [FoundRow(file=file, line=line, note=note) for file, line in rows]
    return StoredFinding(check=check, severity=Severity.BLOCK, message="m", action="a", count=len(found), left_out=False, rows=found)


def quarantined(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_copied_into_quarantine_and_the_data_is_never_touched(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(encoded(".jsonl"))
    before, files = source.read_bytes(), source_files_of(Data(examples=str(source)))
    conflict = finding("conflict", ("rows.jsonl", 1), ("rows.jsonl", 3), note="yes\nno")
    [written] = write_quarantine(conflict, files)
    assert written == quarantine_path(source) == tmp_path / "rows.quarantine.jsonl"
    assert [(row["check"], row["line"], row["note"]) for row in quarantined(written)] == [
        ("conflict", 1, "yes\nno"),
        ("conflict", 3, "yes\nno"),
    ]
    assert [json.loads(row["row"].removeprefix("\ufeff")) for row in quarantined(written)] == ROWS[:2]
    once = written.read_bytes()
    assert write_quarantine(conflict, files) == [written] and written.read_bytes() == once, "once more changes nothing"
    write_quarantine(finding("format", ("rows.jsonl", 5)), files)
    write_quarantine(finding("conflict", ("rows.jsonl", 3)), files)
    assert [(row["check"], row["line"]) for row in quarantined(written)] == [("format", 5), ("conflict", 3)]
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl", "rows.quarantine.jsonl"]


def test_what_is_in_quarantine_is_not_read_as_data(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(encoded(".jsonl"))
    before = read_examples(str(tmp_path)).examples
    write_quarantine(finding("conflict", ("rows.jsonl", 1)), source_files_of(Data(examples=str(tmp_path))))
    assert quarantine_path(source).name.endswith(QUARANTINE_SUFFIX)
    assert read_examples(str(tmp_path)).examples == before and set(source_files_of(Data(examples=str(tmp_path)))) == {"rows.jsonl"}


def test_rows_of_a_hub_data_set_have_no_place_to_be_written_beside(tmp_path: Path) -> None:
    assert write_quarantine(finding("conflict", ("owner/set", 1)), source_files_of(Data(examples="owner/set"))) == []


@pytest.mark.parametrize("names", [("rows.jsonl", "rows.csv"), ("2026.01.jsonl", "2026.02.jsonl")])
def test_two_files_keep_their_rows_apart_in_quarantine(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        (tmp_path / name).write_bytes(encoded(f".{name.rpartition('.')[2]}"))
    written = write_quarantine(
        finding("conflict", *((name, 3) for name in names)), source_files_of(Data(examples=[str(tmp_path / n) for n in names]))
    )
    assert sum(len(quarantined(path)) for path in set(written)) == 2


def prediction(case: int, correct: bool) -> Prediction:
    return Prediction(
        id=f"case {case}",
        prompt="p",
        output="yes",
        expected="yes" if correct else "no",
        format_valid=True,
        correct=correct,
        failure_class=None if correct else FailureClass.WRONG_VALUE,
        fields=[],
        truncated=False,
        tokens=2,
        prompt_tokens=1,
        output_tokens=1,
    )


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12), st.randoms(use_true_random=False))
def test_every_case_that_either_arm_got_wrong_is_compared_once_and_the_newly_wrong_come_first(
    answers: list[tuple[bool, bool]], chance: Any
) -> None:
    before = [prediction(case, first) for case, (first, _) in enumerate(answers)]
    after = [prediction(case, second) for case, (_, second) in enumerate(answers)]
    # Cases go by their ids, not by their places.
    found = compare_cases(before, chance.sample(after, len(after)))
    expected = [CaseChange.NEWLY_WRONG] * answers.count((True, False)) + [CaseChange.STILL_WRONG] * answers.count((False, False))
    assert [case.change for case in found] == expected + [CaseChange.FIXED] * answers.count((False, True))
    assert all(case.before.id == case.after.id for case in found)
    assert len({case.before.id for case in found}) == len(found)


def test_arms_that_were_not_asked_the_same_are_not_compared() -> None:
    with pytest.raises(KeyError):
        compare_cases([prediction(1, True)], [prediction(2, True)])


@pytest.fixture
def draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Draft:
    """The case as a draft in the folder where one stands."""
    monkeypatch.chdir(tmp_path)
    made = Draft.new(tmp_path, CASE.name)
    made.choose(**{name: getattr(CASE, name) for name in ("decision", "data", "task", "model")})
    return made


def test_a_draft_finds_the_newest_run_of_its_frozen_parts(draft: Draft) -> None:
    assert CaseSession.of_case(draft).store is None
    for number, case in enumerate([CASE, CASE, changed(target=Target(at_least=0.5))], start=1):
        RunStore.create(Path(f"runs/tickets-{number}"), case)
    Path("runs/notes.txt").write_text("mine")
    (Path("runs") / "broken").mkdir()
    for name in ("case.yaml", "manifest.json"):
        (Path("runs") / "broken" / name).write_text("}not a run{")
    bench = CaseSession.of_case(draft)
    assert bench.store is not None and bench.store.path == Path("runs/tickets-2") and bench.is_frozen
    draft.choose(training={"epochs": 2}, baselines=["zero_shot"])
    assert CaseSession.of_case(draft).is_frozen, "what is chosen later belongs to the same run"
    draft.choose(target={"at_least": 0.5})
    found = CaseSession.of_case(draft).store
    assert found is not None and found.path == Path("runs/tickets-3")
    draft.answer("private_facts", True)
    assert not CaseSession.of_case(draft).is_frozen


def test_each_step_opens_when_the_one_before_is_done(draft: Draft) -> None:
    new, state = CaseSession(Draft.new(Path.cwd(), "new")), RunState()
    assert [step for step in WizardStep if why_not_enter(new, step, state) is None] == [WizardStep.DECIDE]
    for key in ("private_facts", "format_drift", "stable_task"):
        new.draft.answer(key, False)
    assert [step for step in WizardStep if why_not_enter(new, step, state) is None] == [WizardStep.DECIDE, WizardStep.DATA]
    bench = CaseSession(draft)
    assert [step for step in WizardStep if why_not_enter(bench, step, state) is None] == [
        WizardStep.DECIDE,
        WizardStep.DATA,
        WizardStep.AUDIT,
    ]
    assert current_step(bench, state) is WizardStep.AUDIT
    for stage, opened in ((Stage.AUDIT, WizardStep.TASK), (Stage.SPLIT, WizardStep.BASELINES)):
        state.done.add(stage)
        assert why_not_enter(bench, opened, state) is None and current_step(bench, state) is opened
    assert why_not_enter(bench, WizardStep.TRAIN, state) == "run the baselines first: no training without one"
    state.done.add(Stage.BASELINES)
    assert all(why_not_enter(bench, step, state) is None for step in WizardStep)


def test_a_run_under_way_is_shown_where_it_works(draft: Draft) -> None:
    bench, state = CaseSession(draft), RunState(status=RunStatus.RUNNING, stage=Stage.TRAIN)
    state.done = {Stage.ROUTE, Stage.AUDIT, Stage.SPLIT, Stage.BASELINES, Stage.METHOD}
    assert current_step(bench, state) is WizardStep.TRAIN


def test_nothing_is_run_before_it_is_frozen_nor_frozen_before_it_is_whole(draft: Draft) -> None:
    with pytest.raises(GateClosed, match="nothing is frozen yet"):
        CaseSession(draft).resume(Stage.BASELINES)
    draft.choose(task=None)
    with pytest.raises(CaseError, match="`task` is missing"):
        CaseSession(draft).freeze()
    draft.answer("stable_task", None)
    with pytest.raises(CaseError, match=r"`decision\.stable_task` is not answered yet"):
        CaseSession(draft).freeze()
    assert not Path("runs").exists()


def test_a_run_that_is_laid_aside_stays_and_its_case_goes_on_as_a_draft_of_ones_own(store: RunStore, draft: Draft) -> None:
    bench = CaseSession.of_run(store.path)
    assert bench.is_frozen and bench.draft.path is None
    bench.start_over()
    assert not bench.is_frozen and bench.draft.path == Path.cwd() / "tickets-2.yaml", "the name is taken by the other draft"
    bench.draft.answer("needs_actions", True)
    assert store.case == CASE and Draft.open(bench.draft.path).content.decision.needs_actions is True


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is not a run folder"):
        CaseSession.of_run(tmp_path)


def report(rows: int) -> Report:
    none = ByKey(raw=0, norm=0, loose=0)
    counts = Counts(
        rows=rows,
        duplicate_rows=none,
        conflict_rows=ByNormalisedKey(norm=0, loose=0),
        near_pairs=0,
        near_complete=True,
        near_rows_to_drop=0,
        leaked_rows={},
    )
    return Report(findings=[], counts=counts, shapes={}, left_out=[])


def test_a_file_of_a_run_is_read_again_when_it_has_changed(store: RunStore, draft: Draft) -> None:
    bench = CaseSession(draft, store)
    assert bench.report is None and bench.card is None and bench.scores("zero_shot") is None and bench.predictions("zero_shot") == []
    for rows in (1, 20):
        store.write("audit.json", report(rows).model_dump_json())
        assert bench.report == report(rows)
        assert bench.report is bench.report, "and not otherwise"
