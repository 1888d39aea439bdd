"""Two real data sets end in verified cards, and tuning beats the plain prompt beyond its interval, even for so small a model.

The ordinary tests take the first rows of each and a few steps; `make real` takes them whole and prints the figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REAL_DATA, set_options, tuneproof

CASES = Path(__file__).parent
NAMES = ["snips", "clinc150"]
SHORT = ["training.max_steps=8", "training.batch_size=8", "training.probe_every=4", "training.probe_cases=4"]


def folder_of(name: str) -> Path:
    """The folder of a data set; prints a message and skips the test if there is none."""
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    return folder


def replay(name: str, run: Path, train_files: list[Path], eval_file: Path, *overrides: str) -> dict[str, Any]:
    """The card of a real case over the given files, verified."""
    files = [f"data.examples={json.dumps([str(path) for path in train_files])}", f"data.eval={eval_file}"]
    words = set_options(*files, *overrides)
    result = tuneproof("--replay", CASES / f"{name}.yaml", "--run-dir", run, "--json", *words)
    assert result.code == 0, result.err
    verified = tuneproof("verify", run)
    assert verified.code == 0, verified.err
    print(f"\n{result.err}{(run / 'card.md').read_text()}{verified.out}")
    card: dict[str, Any] = json.loads(result.out)["card"]
    return card


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_the_first_rows_end_in_a_verified_card(name: str, tmp_path: Path) -> None:
    folder = folder_of(name)
    parts = {}
    for part, rows in (("train", 300), ("test", 20)):
        parts[part] = tmp_path / f"{part}.jsonl"
        parts[part].write_text("".join((folder / f"{part}.jsonl").read_text().splitlines(keepends=True)[:rows]))
    # CLINC150 is sorted by intent, so its first rows have few of them, and its first test rows others.
    choices = "task.output.choices=" + json.dumps(labels(parts.values())) if name == "clinc150" else "version=1"
    card = replay(name, tmp_path / "run", [parts["train"]], parts["test"], choices, *SHORT)
    assert {arm["n"] for arm in card["arms"]} == {20} and {"few_shot", "constrained", "tuned"} <= {arm["arm"] for arm in card["arms"]}
    assert card["verdict"]["difference"]["low"] <= card["verdict"]["difference"]["estimate"]


def labels(files: Iterable[Path]) -> list[str]:
    """The distinct outputs in the files, sorted."""
    return sorted({json.loads(line)["output"] for file in files for line in file.read_text().splitlines()})


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_the_whole_case_ends_in_a_verified_card_that_beats_the_plain_prompt(name: str, tmp_path: Path) -> None:
    folder = folder_of(name)
    train_files = [folder / file for file in ("train.jsonl", "validation.jsonl") if (folder / file).exists()]
    card = replay(name, tmp_path / "run", train_files, folder / "test.jsonl")
    correct = {arm["arm"]: arm["correct"] for arm in card["arms"]}
    assert correct["tuned"]["low"] > correct["zero_shot"]["high"]
