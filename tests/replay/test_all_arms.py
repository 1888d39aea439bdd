"""Every arm on one case by the real command: stored, chosen on validation, shown on the card, and verified."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import tuneproof
from tests.manifests import forge_card_inputs, forge_digests, write_manifest
from tests.server import loopback
from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.step_id import StepId
from tuneproof.engine.run.store import RunStore

THINGS = ["amber lamp", "brass kettle", "cedar chair", "denim jacket", "elm table", "felt hat", "glass vase", "hemp rope"]
EVERY_ARM = [*UNTUNED_ARMS, *TUNED_ARMS]


def codes() -> list[tuple[str, str, str]]:
    """Things with a code each, and the file that tells it."""
    return [
        (f"{thing} {n}", f"{chr(65 + (7 * at + n) % 26)}{1000 + 83 * at + 311 * n:04d}", f"{thing.replace(' ', '_')}.md")
        for at, thing in enumerate(THINGS)
        for n in range(1, 9)
    ]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with loopback() as server:
        yield write_case(tmp_path_factory.mktemp("codes"), server.url)


def write_case(folder: Path, url: str) -> Path:
    """The case with everything that its arms need, a server among it."""
    (folder / "docs").mkdir()
    for name in {file for _, _, file in codes()}:
        text = "\n\n".join(f"The code of {thing} is {code}." for thing, code, file in codes() if file == name)
        (folder / "docs" / name).write_text(f"# {name}\n\n{text}\n")
    rows = [{"input": f"What is the code of {thing}?", "output": code, "passage": file} for thing, code, file in codes()]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    written = {
        "name": "codes",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"instruction": "Answer from the context.", "output": {"kind": "pattern", "pattern": r"([A-Z]\d{4})"}},
        "data": {"examples": "rows.jsonl", "documents": "docs", "accept": {"near-leakage": "one question a thing"}},
        "model": {"base": "sample"},
        "baselines": [str(arm) for arm in UNTUNED_ARMS],
        "endpoint": {"url": url, "model": "theirs"},
        "evaluate": {"prompt_search": {"metric_calls": 30}},
        "method": {"name": "lora", "even_if_met": True},
        "training": {"max_steps": 4, "probe_every": 2},
        "target": {"at_least": 0.5},
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    return folder / "case.yaml"


@pytest.fixture(scope="module")
def everything(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("all") / "run"
    result = tuneproof("--replay", case, "--run-dir", run)
    assert result.code == 0, result.err
    return run


def read(run: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


def test_every_arm_is_on_the_card_lightest_first_and_the_run_verifies(everything: Path) -> None:
    card = json.loads((everything / "card.json").read_text())
    assert [arm["arm"] for arm in card["arms"]] == EVERY_ARM
    result = tuneproof("verify", everything)
    assert result.code == 0, result.err
    met = [arm["arm"] for arm in card["arms"] if arm["correct"]["rate"] >= 0.5]
    assert card["verdict"]["lightest_arm"] == (met[0] if met else None)
    assert (card["verdict"]["answer"] == "do not tune") == bool(set(met) & set(UNTUNED_ARMS)) or card["verdict"]["difference"]["high"] < 0


def test_every_arm_has_a_prompt_to_copy_which_its_predictions_used(everything: Path) -> None:
    for arm in EVERY_ARM:
        prompt = (everything / "arms" / arm / "prompt.txt").read_text()
        before, place, after = prompt.partition("{input}")
        assert place, arm
        rows = read(everything, f"arms/{arm}/predictions.jsonl")
        if arm in ("zero_shot", "constrained", "tuned", "tuned_constrained"):
            assert all(row["prompt"].startswith(before) and row["prompt"].endswith(after) for row in rows)
        assert (everything / "arms" / arm / "grammar.json").exists() == ("constrained" in arm)


def test_an_answer_under_a_grammar_is_valid_if_it_is_complete(everything: Path) -> None:
    for arm in ("constrained", "tuned_constrained"):
        rows = read(everything, f"arms/{arm}/predictions.jsonl")
        assert rows and all(row["format_valid"] for row in rows if not row["truncated"])


def test_retrieval_shows_the_passage_and_the_card_has_the_recall(everything: Path) -> None:
    card = json.loads((everything / "card.json").read_text())
    arms = {arm["arm"]: arm for arm in card["arms"]}
    rows = read(everything, "arms/retrieval/predictions.jsonl")
    cases = {row["id"]: row for row in read(everything, "splits/eval.jsonl")}
    assert all(row["needed"] == [cases[row["id"]]["metadata"]["passage"]] for row in rows)
    found = [any(place.startswith(row["needed"][0] + ":") for place in row["shown"]) for row in rows]
    assert arms["retrieval"]["recall"]["rate"] == pytest.approx(sum(found) / len(found)) and sum(found) >= 0.8 * len(found)
    assert arms["retrieval"]["correct"]["rate"] > arms["zero_shot"]["correct"]["rate"]
    assert "Context: The code of" in rows[0]["prompt"] or "Context: # " in rows[0]["prompt"]
    assert "Of the cases that name a document, " in (everything / "card.md").read_text()


@pytest.mark.long
def test_the_prompt_variant_is_chosen_on_validation_alone(everything: Path, case: Path, tmp_path: Path) -> None:
    parts = {part: {row["id"] for row in read(everything, f"splits/{part}.jsonl")} for part in ("train", "validation", "eval")}
    for arm, variants in (("few_shot", 6), ("retrieval", 3)):
        about = json.loads((everything / "arms" / arm / "arm.json").read_text())
        tried = read(everything, f"arms/{arm}/validation.jsonl")
        assert len(about["tried"]) == variants and about["variant"] in {each["variant"] for each in about["tried"]}
        assert {row["id"] for row in tried} <= parts["validation"] and not {row["id"] for row in tried} & parts["eval"]
        assert f"the best of {variants} prompt variants on" in (everything / "card.md").read_text()
    # With other answers in eval, the same variant is chosen: of eval only the questions are read, for the prompts.
    seen = [row for part in ("train", "validation") for row in read(everything, f"splits/{part}.jsonl")]
    other = [{"input": f"Which number has shelf {n}?", "output": f"X{n:04d}"} for n in range(8)]
    for name, rows in (("rows", seen), ("eval", other)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps({k: r[k] for k in ("input", "output")}) + "\n" for r in rows))
    whole = yaml.safe_load(case.read_text())
    split = {"train": 0.8, "validation": 0.2, "eval": 0.0, "seed": 1}
    whole["data"] = {"examples": "rows.jsonl", "eval": "eval.jsonl", "split": split, "leave_out": ["near-leakage"]}
    stored = []
    for answers in ("X", "Y"):
        text = (tmp_path / "eval.jsonl").read_text().replace('"X', f'"{answers}')
        (tmp_path / "eval.jsonl").write_text(text)
        (tmp_path / "case.yaml").write_text(yaml.safe_dump(whole | {"baselines": ["few_shot"]}))
        run = tmp_path / f"run-{answers}"
        result = tuneproof("--replay", tmp_path / "case.yaml", "--run-dir", run, "--until", "baselines")
        assert result.code == 0, result.err
        stored.append(((run / "arms/few_shot/arm.json").read_text(), (run / "arms/few_shot/validation.jsonl").read_text()))
    assert stored[0] == stored[1]


def test_a_prompt_variant_that_is_not_the_best_on_validation_is_noticed(everything: Path, tmp_path: Path) -> None:
    shutil.copytree(everything, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    store = RunStore(tmp_path / "run")
    about = json.loads(store.read("arms/few_shot/arm.json"))
    other = next(way["variant"] for way in about["tried"] if way["variant"] != about["variant"])
    store.write("arms/few_shot/arm.json", json.dumps(about | {"variant": other}, indent=1) + "\n")
    forge_digests(store, StepId.arm("few_shot"))
    manifest = store.manifest
    forge_card_inputs(manifest)
    write_manifest(store, manifest)
    with pytest.raises(VerifyFailed, match="did best on validation"):
        verify(store)


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("data.documents=null", "names no documents"),
        ("data.documents=elsewhere", "no such folder"),
        ("task.output={kind: text}", "any text is valid"),
    ],
)
def test_an_arm_that_lacks_what_it_needs_is_refused_at_once(case: Path, tmp_path: Path, override: str, text: str) -> None:
    result = tuneproof("--replay", case, "--run-dir", tmp_path / "run", "--set", override)
    assert result.code == 2 and text in result.err and "Traceback" not in result.err
    assert not (tmp_path / "run" / "arms").exists()


@pytest.mark.long
def test_documents_that_changed_are_refused_on_resume(case: Path, everything: Path, tmp_path: Path) -> None:
    run = shutil.copytree(everything, tmp_path / "run")
    path = case.parent / "docs" / "felt_hat.md"
    before = path.read_text()
    path.write_text(before + "\nAnother line.\n")
    result = tuneproof("--replay", case, "--run-dir", run, "--resume")
    path.write_text(before)
    assert result.code == 3 and "Traceback" not in result.err
