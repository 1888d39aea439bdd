"""Examples and grammar are also measured together, with the examples that validation chose."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Result
from tuneproof.engine.run.step_id import StepId
from tuneproof.engine.run.store import RunStore


def test_the_chosen_examples_are_decoded_under_the_grammar(finished: tuple[Path, Result]) -> None:
    run, _ = finished
    prompts = {
        arm: [json.loads(line)["prompt"] for line in (run / f"arms/{arm}/predictions.jsonl").read_text().splitlines()]
        for arm in ("few_shot", "few_shot_constrained")
    }
    assert prompts["few_shot_constrained"] == prompts["few_shot"]
    assert (run / "arms/few_shot_constrained/grammar.json").read_text() == (run / "arms/constrained/grammar.json").read_text()
    assert not (run / "arms/few_shot_constrained/validation.jsonl").exists(), "the choice is not paid for twice"
    card = json.loads((run / "card.json").read_text())
    arms = {arm["arm"]: arm for arm in card["arms"]}
    assert arms["few_shot_constrained"]["format_valid"]["rate"] == 1.0
    assert "few_shot_constrained" in {each["arm"] for each in card["verdict"]["comparisons"]}
    variant = json.loads((run / "arms/few_shot/arm.json").read_text())["variant"]
    assert variant in RunStore.open(run).manifest.steps[StepId.arm("few_shot_constrained")].inputs.settings.values()
