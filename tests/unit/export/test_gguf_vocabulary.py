"""llama.cpp gets the name of a rule that cuts texts as the tokenizer does, or the export is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from tests.conftest import ROOT
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.export.gguf_vocabulary import RULES, _with_rule, chosen_rule, merges_of

SAMPLE = ROOT / "sample_cases/model/tokenizer.json"
TEXTS = ["Order K2721 costs 1234567.50 euros, doesn't it?", "The lamp, the lamp; it's 3333 lamps!\n\n  And    more."]


def trained(folder: Path, rule: str) -> Path:
    """A small tokenizer that cuts by a rule of llama.cpp."""
    found = next(each for each in RULES if each.name == rule)
    tokenizer = Tokenizer(models.BPE(ignore_merges=found.ignores_merges))
    # The rule is taken over from a tokenizer that has it; merges are learned under it.
    tokenizer.pre_tokenizer = _with_rule(SAMPLE, found).pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXTS * 50, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False))
    from tokenizers import decoders

    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


@pytest.mark.parametrize("rule", ["gpt-2", "smollm", "qwen2", "llama-bpe"])
def test_a_tokenizer_gets_the_rule_that_it_was_made_with(rule: str, tmp_path: Path) -> None:
    assert chosen_rule(trained(tmp_path, rule), TEXTS).name == rule


def test_the_tokenizer_of_the_sample_model_cuts_where_no_merge_joins() -> None:
    assert chosen_rule(SAMPLE, ["<|user|>Triage the ticket.\n\nOrder K2721, please!<|end|><|assistant|>"]).name == "superbpe"


def test_a_tokenizer_that_no_rule_fits_is_refused_with_a_way_out(tmp_path: Path) -> None:
    definition = json.loads(SAMPLE.read_text(encoding="utf-8"))
    definition["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"String": "a"}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    ]}  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition), encoding="utf-8")
    with pytest.raises(UsageError, match="no rule that cuts texts like the tokenizer") as refused:
        chosen_rule(tmp_path / "tokenizer.json", ["a day at the station, and a saga of bananas"])
    assert "--converter" in refused.value.fix


def test_merges_are_written_as_pairs() -> None:
    merges = merges_of(SAMPLE)
    assert len(merges) == 1275 and all(len(merge.split(" ")) == 2 for merge in merges)
