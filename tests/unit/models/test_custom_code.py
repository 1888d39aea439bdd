"""Code of a model folder runs only if the case says so, whatever is on standard input."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.models.bases import edit_json
from tests.unit.models.broken_folders import sample_copy
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.base_model import load_base, load_weights
from tuneproof.engine.models.custom_code import code_question
from tuneproof.engine.models.folder_check import check_named_folder

PLANTED = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
Path({mark!r}).write_text("ran")
class PlantedConfig(LlamaConfig):
    model_type = "planted"
class PlantedModel(LlamaForCausalLM):
    config_class = PlantedConfig
class PlantedTokenizer(PreTrainedTokenizerFast):
    pass
def generate(model, **kwargs):
    return kwargs["input_ids"]
"""


def plant(folder: Path, mark: Path, *, model_type: str = "planted") -> Path:
    """A copy of the sample model whose every configuration asks for code that writes `mark`."""
    sample_copy(folder)
    (folder / "planted.py").write_text(PLANTED.format(mark=str(mark)))
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(PLANTED.format(mark=str(mark)))
    auto_map = {"AutoConfig": "planted.PlantedConfig", "AutoModelForCausalLM": "planted.PlantedModel"}
    edit_json(folder / "config.json", auto_map=auto_map, model_type=model_type)
    edit_json(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "planted.PlantedTokenizer"]})
    return folder


@pytest.fixture(autouse=True)
def own_module_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))


@pytest.fixture
def yes_on_stdin(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    answers = io.StringIO("y\n" * 9)
    monkeypatch.setattr("sys.stdin", answers)
    return answers


def test_planted_code_does_not_run_and_nobody_is_asked(tmp_path: Path, yes_on_stdin: io.StringIO) -> None:
    folder = plant(tmp_path / "model", tmp_path / "mark")
    with pytest.raises(CaseError, match="code that it brings along, which is not run") as found:
        load_base(ModelChoice(base=str(folder)))
    assert "model.trust_remote_code: true" in found.value.fix
    assert not (tmp_path / "mark").exists() and yes_on_stdin.tell() == 0


def test_a_model_that_transformers_knows_loads_without_its_code(tmp_path: Path, yes_on_stdin: io.StringIO) -> None:
    folder = plant(tmp_path / "model", tmp_path / "mark", model_type="llama")
    edit_json(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    load_weights(load_base(ModelChoice(base=str(folder))))
    assert not (tmp_path / "mark").exists() and yes_on_stdin.tell() == 0


def test_code_runs_if_the_case_trusts_it_and_is_part_of_the_digest(tmp_path: Path) -> None:
    folder = plant(tmp_path / "model", tmp_path / "mark")
    base = load_base(ModelChoice(base=str(folder), trust_remote_code=True))
    model = load_weights(base)
    assert (tmp_path / "mark").exists() and type(model).__name__ == "PlantedModel"
    assert base.own_code == ["custom_generate/generate.py", "planted.py"]
    assert "generate" not in vars(model), "how answers are generated is not up to the model"
    before = base.sha256
    (folder / "planted.py").write_text((folder / "planted.py").read_text() + "\n# other\n")
    assert load_base(ModelChoice(base=str(folder), trust_remote_code=True)).sha256 != before


@pytest.mark.parametrize(
    ("target", "expected"),
    [("someone/else--planted.PlantedConfig", "imports code from another repository, someone/else"), ("gone.Config", "there is no gone.py")],
)
def test_trusted_code_has_to_be_in_the_folder(target: str, expected: str, tmp_path: Path) -> None:
    folder = plant(tmp_path / "model", tmp_path / "mark")
    edit_json(folder / "config.json", auto_map={"AutoConfig": target})
    with pytest.raises(CaseError, match=expected):
        load_base(ModelChoice(base=str(folder), trust_remote_code=True))


def test_a_person_is_asked_about_the_code_in_words(tmp_path: Path) -> None:
    question = code_question(plant(tmp_path / "model", tmp_path / "mark"))
    assert question and "planted.PlantedModel" in question and "with your rights" in question
    assert code_question(sample_copy(tmp_path / "plain")) is None


def test_attention_that_a_config_asks_for_from_the_hub_is_not_loaded(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    edit_json(folder / "config.json", attn_implementation="someone/kernel", _attn_implementation="someone/kernel")
    check_named_folder(str(folder))
    assert load_weights(load_base(ModelChoice(base=str(folder)))).config._attn_implementation == "sdpa"


@pytest.mark.long
def test_kernels_of_the_hub_are_not_available_even_where_the_library_is_installed(tmp_path: Path) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "__init__.py").write_text("raise SystemExit('the library was imported')")
    (tmp_path / "kernels-0.16.0.dist-info").mkdir()
    (tmp_path / "kernels-0.16.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: kernels\nVersion: 0.16.0\n")
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import tuneproof.engine.stages.model_context, tuneproof.engine.training.distributed.launch
from transformers.utils.import_utils import is_kernels_available
print(is_kernels_available())
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout == "False\n", result.stderr
