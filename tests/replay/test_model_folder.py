"""A run whose model folder is half there ends at once, keeps what it has, and goes on when the folder is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import Result, sample_case, set_options, tuneproof
from tests.unit.models.bases import edit_json
from tests.unit.models.broken_folders import WEIGHTS, cut_in_half, sample_copy


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The sample case on a copy of the sample model."""
    content = yaml.safe_load(sample_case().read_text())
    content["data"] |= {key: str(sample_case().parent / content["data"][key]) for key in ("examples", "eval")}
    content["model"] = {"base": str(sample_copy(tmp_path / "model"))}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "case.yaml"


def replay(case: Path, *words: str) -> Result:
    return tuneproof("--replay", case, "--run-dir", case.parent / "run", *words)


def test_2_a_folder_that_is_half_there_begins_no_run(case: Path) -> None:
    cut_in_half(case.parent / "model" / WEIGHTS)
    result = replay(case)
    assert result.code == 2
    assert (
        f"{case.parent / 'model' / WEIGHTS}: the file is cut off: it has 4,134,252 of 8,268,504 bytes; download the file again"
        in result.err
    )
    assert not (case.parent / "run").exists()


@pytest.mark.long
def test_a_run_goes_on_when_the_folder_is_as_it_was(case: Path) -> None:
    assert replay(case, "--until", "split").code == 0
    weights = case.parent / "model" / WEIGHTS
    content = weights.read_bytes()
    cut_in_half(weights)
    broken = replay(case, "--until", "method", "--resume")
    assert broken.code == 2 and "the file is cut off" in broken.err
    weights.write_bytes(content)
    assert replay(case, "--until", "method", "--resume").code == 0


@pytest.mark.long
def test_2_what_only_shows_when_the_model_is_loaded_ends_the_run_before_the_audit(case: Path) -> None:
    config = case.parent / "model" / "config.json"
    content = config.read_text()
    edit_json(config, max_position_embeddings=-5)
    result = replay(case, "--until", "split")
    assert result.code == 2 and "`max_position_embeddings`, the context of the model, is -5" in result.err
    assert not (case.parent / "run" / "audit.json").exists()
    config.write_text(content)
    assert replay(case, "--until", "split", "--resume").code == 0


@pytest.mark.long
def test_the_card_says_how_answers_were_generated_and_what_the_base_asked_for(case: Path) -> None:
    edit_json(case.parent / "model" / "generation_config.json", num_beams=4, suppress_tokens=[300, 301])
    assert replay(case, *set_options("baselines=[zero_shot]", "training.max_steps=2")).code == 0
    card = (case.parent / "run" / "card.md").read_text()
    assert "generation config: do_sample false, num_beams 1, eos_token_id [1], pad_token_id 0" in card
    assert "asks for num_beams 4, suppress_tokens [300, 301]; every answer was decoded greedily" in card
    assert tuneproof("verify", case.parent / "run").code == 0
