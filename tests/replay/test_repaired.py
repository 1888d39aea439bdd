"""Every untuned arm is also scored after a parser repaired its answers, from the stored answers alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Result, sample_case, tuneproof
from tests.manifests import forge_card_inputs, forge_digests, write_manifest
from tests.server import loopback
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.predictions import read_predictions, to_jsonl


def test_a_row_of_repaired_answers_follows_its_arm_where_repair_changed_any(finished: tuple[Path, Result]) -> None:
    run, _ = finished
    card = json.loads((run / "card.json").read_text())
    names = [arm["arm"] for arm in card["arms"]]
    for arm in ("zero_shot", "few_shot", "constrained"):
        rows = run / "arms" / arm / "repaired" / "predictions.jsonl"
        assert (f"{arm} + repair" in names) == rows.exists()
        if rows.exists():
            assert names.index(f"{arm} + repair") == names.index(arm) + 1
            given = [json.loads(line) for line in (run / "arms" / arm / "predictions.jsonl").read_text().splitlines()]
            repaired = [json.loads(line) for line in rows.read_text().splitlines()]
            assert [(r["id"], r["output"]) for r in repaired] == [(r["id"], r["output"]) for r in given]
            assert any("repaired" in row for row in repaired)
            assert all(new["correct"] >= old["correct"] for old, new in zip(given, repaired, strict=True)), "repair breaks nothing"
    assert "constrained + repair" not in names


@pytest.mark.long
def test_an_arm_that_only_fences_its_answers_is_fixed_by_a_parser_and_nothing_is_trained(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (sample_case().parent / "support_tickets_eval.jsonl").read_text().splitlines()]
    with loopback() as server:
        server.answers = {row["input"].split("\n")[-1]: f"Sure!\n```json\n{row['output']}\n```" for row in rows}
        run = tmp_path / "run"
        words = ("baselines=[zero_shot, endpoint]", f"endpoint={{url: '{server.url}', model: theirs}}")
        result = tuneproof("--replay", sample_case(), "--run-dir", run, *[w for s in words for w in ("--set", s)])
    assert result.code == 0, result.err
    card = json.loads((run / "card.json").read_text())
    assert card["verdict"]["answer"] == "do not tune"
    assert card["verdict"]["headline"] == "a parser fixes it"
    assert "endpoint + repair" in card["verdict"]["reason"] and "parser fixes it" in card["verdict"]["reason"]
    assert card["method"]["skipped"]
    verify(RunStore.open(run))


@pytest.mark.parametrize("invented", [True, False])
def test_a_repair_that_does_not_follow_from_the_answer_is_noticed(finished: tuple[Path, Result], tmp_path: Path, invented: bool) -> None:
    store = RunStore.open(shutil.copytree(finished[0], tmp_path / "run"))
    file, step = "arms/zero_shot/repaired/predictions.jsonl", StepId(StepKind.REPAIRED_SCORES, "zero_shot")
    rows = read_predictions(store.read(file))
    at = next(at for at, row in enumerate(rows) if row.repaired is not None and not row.correct)
    rows[at] = rows[at].model_copy(
        update={"repaired": rows[at].expected, "correct": True} if invented else {"correct": not rows[at].correct}
    )
    store.write(file, to_jsonl(rows))
    forge_digests(store, step)
    manifest = store.manifest
    forge_card_inputs(manifest)
    write_manifest(store, manifest)
    with pytest.raises(VerifyFailed, match="do not follow"):
        verify(store)
