"""Names and texts of a case, its data and a run folder do nothing in whatever prints them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import Result, tuneproof
from tests.snapshots.hostile import NAME

FORGED = "\ntuneproof: verified"
HOSTILE = f"{NAME} \x1b]52;c;aGVsbG8=\x07 \u2066<img src=x> ![](http://a.example/b) [c](javascript:d)"
COLUMNS = {"input": f"ask {HOSTILE}", "output": "tell"}


def acting(text: str) -> set[str]:
    """The characters in a text that a terminal would act on."""
    return {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}


def check(done: Result, code: int) -> Result:
    assert done.code == code, done.err
    assert not acting(done.out + done.err)
    assert FORGED not in done.out + done.err
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case and rows whose every name is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [{COLUMNS["input"]: f"Where is {number}? {HOSTILE}", "tell": f"{HOSTILE}{number % 3}"} for number in range(60)]
    # In a file name a slash would be a folder.
    (folder / f"{NAME}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    case = {
        "version": 1,
        "name": f"{HOSTILE}{FORGED}",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"instruction": HOSTILE, "output": {"kind": "choice", "choices": [f"{HOSTILE}{number}" for number in range(3)]}},
        "data": {"examples": f"{NAME}.jsonl", "columns": COLUMNS, "accept": {"control-characters": f"{HOSTILE}{FORGED}"}},
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    (folder / "unknown.yaml").write_text(yaml.safe_dump({"task": {f"{HOSTILE}{FORGED}": 1}}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Path]:
    """The run of that case, in a folder with a hostile name."""
    path = folder / "runs" / NAME
    check(tuneproof("--replay", "case.yaml", "--run-dir", path, cwd=folder), 0)
    yield path


def test_the_card_has_no_markup_from_data(run: Path) -> None:
    card = (run / "card.md").read_text(encoding="utf-8")
    assert not acting(card) and NAME.split()[0] in card
    assert not any(mark in card for mark in ("<img", "![", "](", FORGED))


def test_what_a_card_says_of_harmless_data_is_not_changed() -> None:
    from tuneproof.engine.card.markdown import _inert

    for text in ("53.1 % [40.1, 65.0], p < 0.05", "write `--set a=b` (twice)", "a & b! c[0] <5", "-3 … +4"):
        assert _inert({text: [text]}) == {text: [text]}


@pytest.mark.long
@pytest.mark.parametrize("json_", [False, True])
def test_every_command_prints_it_inert(run: Path, folder: Path, json_: bool) -> None:
    options = ["--json"] if json_ else []
    check(tuneproof("runs", folder / "runs", *options), 0)
    check(tuneproof("verify", run, *options), 0)
    audited = check(tuneproof("audit", f"{NAME}.jsonl", "--case", "case.yaml", *options, cwd=folder), 0)
    check(tuneproof("reproduce", run, "--arm", HOSTILE, *options), 2)
    if json_:
        assert any(NAME in row["file"] for finding in json.loads(audited.out)["findings"] for row in finding["rows"])


@pytest.mark.parametrize(
    "words",
    [
        ["--replay", f"{NAME}.yaml"],
        ["--replay", "case.yaml", "--set", f"task.{HOSTILE}{FORGED}=1"],
        ["--replay", "case.yaml", "--until", HOSTILE],
        ["--replay", "case.yaml", "--run-dir", "new", "--set", f"data.leave_out=['{NAME}']"],
        ["audit", f"{NAME}.csv"],
        ["verify", f"{NAME}{FORGED}"],
        ["attach", f"{NAME}{FORGED}"],
        ["reproduce", f"{NAME}{FORGED}", "--arm", "tuned"],
        ["runs", "case.yaml", f"{NAME}{FORGED}"],
        ["--replay", "unknown.yaml"],
        [f"--{HOSTILE}"],
    ],
)
def test_a_mistake_names_it_in_one_inert_line(words: list[str], folder: Path) -> None:
    done = tuneproof(*words, cwd=folder)
    assert done.code in (2, 3) and not acting(done.err)
    assert [line[:10] for line in done.err.splitlines()] == ["tuneproof:"]


def test_a_changed_run_folder_is_named_inert(run: Path, tmp_path: Path) -> None:
    manifest = run / "manifest.json"
    content = manifest.read_text(encoding="utf-8")
    changed = json.loads(content)
    step = next(iter(changed["steps"].values()))
    step["files"] = {f"{NAME}{FORGED}": "0" * 64, **step["files"]}
    manifest.write_text(json.dumps(changed))
    try:
        check(tuneproof("verify", run), 5)
    finally:
        manifest.write_text(content)
