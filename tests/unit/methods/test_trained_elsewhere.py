"""A model that was trained elsewhere is known by its files, and what cannot be measured is refused before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.trained_elsewhere import trained_elsewhere
from tuneproof.engine.models.files import local_folder
from tuneproof.engine.run.trainer_log import trainer_log


def adapter(folder: Path, **config: object) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file({"lora_A": np.zeros((2, 3), np.float32)}, folder / "adapter_model.safetensors")
    return str(folder)


@pytest.mark.parametrize(
    ("config", "method"),
    [
        ({"peft_type": "LORA", "r": 8, "lora_alpha": 16}, MethodName.LORA),
        ({"peft_type": "LORA", "use_dora": True}, MethodName.DORA),
        ({"peft_type": "LORA", "use_rslora": True}, MethodName.RSLORA),
        ({"peft_type": "IA3"}, MethodName.IA3),
        ({"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 8}, MethodName.PREFIX_TUNING),
    ],
)
def test_an_adapter_is_known_by_its_configuration(tmp_path: Path, config: dict[str, object], method: MethodName) -> None:
    assert trained_elsewhere(adapter(tmp_path, **config)).method is method


def test_rank_alpha_and_base_are_those_of_the_adapter(tmp_path: Path) -> None:
    given = trained_elsewhere(adapter(tmp_path, peft_type="LORA", r=8, lora_alpha=16, base_model_name_or_path="org/base"))
    assert given.settings == {"rank": 8, "alpha": 16} and given.base == "org/base"


def test_a_whole_model_is_one_that_was_trained_in_full() -> None:
    folder = local_folder("sample")
    assert folder is not None
    given = trained_elsewhere(str(folder))
    assert given.method is MethodName.FULL and given.files == ["config.json", "model.safetensors"]


def test_the_digest_is_that_of_configuration_and_weights(tmp_path: Path) -> None:
    before = trained_elsewhere(adapter(tmp_path, peft_type="LORA")).sha256
    (tmp_path / "README.md").write_text("card")
    assert trained_elsewhere(str(tmp_path)).sha256 == before
    assert trained_elsewhere(adapter(tmp_path, peft_type="LORA", r=4)).sha256 != before


def test_what_is_no_adapter_or_cannot_be_read_safely_is_refused_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no such folder"):
        trained_elsewhere(str(tmp_path / "none"))
    with pytest.raises(CaseError, match="neither"):
        trained_elsewhere(str(tmp_path))
    with pytest.raises(CaseError, match="`FOURIERFT` are not known"):
        trained_elsewhere(adapter(tmp_path / "other", peft_type="FOURIERFT"))
    pickled = Path(adapter(tmp_path / "pickled", peft_type="LORA"))
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    with pytest.raises(CaseError, match=r"adapter_model\.safetensors: there is no such file; save the adapter as safetensors"):
        trained_elsewhere(str(pickled))


def test_the_log_of_its_training_is_that_of_the_last_checkpoint(tmp_path: Path) -> None:
    for step in (9, 10):
        entries = [{"step": step, "loss": 1.5, "epoch": 1}, {"step": step, "eval_loss": 1.7}, {"step": step, "train_runtime": 3}]
        place = tmp_path / f"checkpoint-{step}"
        place.mkdir()
        (place / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": entries}))
    log = trainer_log(tmp_path)
    assert log is not None and (log.losses, log.eval_losses) == ([(10, 1.5)], [(10, 1.7)])


def test_a_log_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").write_text('{"log_history": [{"step": "x"')
    assert trainer_log(tmp_path) is None
