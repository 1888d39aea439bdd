"""An export answers as measured where it is served, in a process that cannot import tuneproof; if it does not, the user sees why."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM

from tests.conftest import Result, tuneproof
from tests.server import loopback
from tuneproof.engine.scoring.predictions import read_predictions

pytestmark = pytest.mark.long

LLAMA_PYTHON = os.environ.get("TUNEPROOF_LLAMA_PYTHON", sys.executable)
"""A Python with llama-cpp-python, which is no dependency of the tests."""


@pytest.fixture(scope="module")
def sample_run(finished: tuple[Path, Result]) -> Path:
    return finished[0]


@pytest.fixture(scope="module")
def merged(sample_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The export that the card advises, and what the command printed."""
    folder = tmp_path_factory.mktemp("exports") / "merged"
    return folder, tuneproof("export", sample_run, "--to", folder)


def evidence(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "evidence.json").read_text())
    return found


def last_check(folder: Path) -> dict[str, Any]:
    check: dict[str, Any] = evidence(folder)["checks"][-1]
    return check


def test_the_merged_model_answers_every_frozen_case_as_measured_in_plain_transformers(merged: tuple[Path, Result]) -> None:
    folder, printed = merged
    assert printed.code == 0, printed.err
    check = last_check(folder)
    assert check["equal_answers"] == check["equal_prompts"] == check["cases"] == 80 and check["agrees"]
    assert "80 of 80 answers are the measured text" in printed.out and "It agrees." in printed.out
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "chat_template.jinja"} <= {
        *evidence(folder)["files"]
    }


def test_the_readme_is_a_model_card_with_the_evidence(merged: tuple[Path, Result], sample_run: Path) -> None:
    folder, _ = merged
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    card = json.loads((sample_run / "card.json").read_text())
    (result,) = front["model-index"][0]["results"]
    tuned = next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    assert front["base_model"] == "sample" and front["library_name"] == "transformers"
    assert result["metrics"][0]["value"] == tuned["correct"]["rate"] and result["dataset"]["revision"] == card["provenance"]["eval_sha256"]
    assert "vllm serve . --served-model-name support-tickets --dtype bfloat16" in text and card["provenance"]["eval_sha256"] in text
    assert str(sample_run.parent) not in text


def test_a_changed_template_is_found_at_its_first_token_and_the_folder_says_so(sample_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "drifted"
    assert tuneproof("export", sample_run, "--to", folder, "--form", "merged").code == 0
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text(template.replace("{{ message.content }}", " {{ message.content }}"))
    printed = tuneproof("export", sample_run, "--to", folder)
    assert printed.code == 3 and "does not answer as measured" in printed.err
    drift = last_check(folder)["first_drift"]
    # The first token is the mark of the user's turn, the second the first of its text.
    assert drift["at"] == 1 and "<|user|>Triage" in drift["measured"] and "<|user|> Triage" in drift["served"]
    assert "at token 1: measured" in printed.out
    assert "It does not answer as measured" in (folder / "README.md").read_text()


def test_the_adapter_answers_as_measured_on_its_base(sample_run: Path, tmp_path: Path) -> None:
    printed = tuneproof("export", sample_run, "--to", tmp_path / "adapter", "--form", "adapter", "--json")
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["check"]["equal_answers"] == 80
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "sample"
    assert "--enable-lora --max-lora-rank 16 --lora-modules support-tickets=." in (tmp_path / "adapter/README.md").read_text()


def test_a_server_is_asked_and_its_answers_are_held_against_the_measured_ones(sample_run: Path, merged: tuple[Path, Result]) -> None:
    folder, _ = merged
    rows = read_predictions((sample_run / "arms/tuned/predictions.jsonl").read_text())
    measured = {row.prompt.removeprefix("<|user|>").partition("<|end|>")[0]: row for row in rows}
    with loopback() as server:
        asked = ("export", sample_run, "--to", folder, "--endpoint", server.url, "--model", "tickets")
        server.rule, server.prompt_tokens = (lambda text: measured[text].output), (lambda text: measured[text].prompt_tokens)
        agrees = tuneproof(*asked)
        server.prompt_tokens = lambda text: measured[text].prompt_tokens + 1
        longer = tuneproof(*asked)
        server.rule = lambda text: "{}"
        differs = tuneproof(*asked)
    assert agrees.code == 0 and "tickets at http://127.0.0.1" in agrees.out, agrees.err
    assert "80 of 80 answers are the measured text" in agrees.out and "80 of 80 prompts have the measured number of tokens" in agrees.out
    assert longer.code == 3 and "0 of 80 prompts have the measured number of tokens" in longer.out
    assert differs.code == 3 and "0 of 80 answers are the measured text" in differs.out
    assert len(evidence(folder)["checks"]) == 4


def test_a_gguf_file_has_the_merged_weights_and_the_tokens_of_the_tokenizer(sample_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gguf"
    printed = tuneproof("export", sample_run, "--to", folder, "--form", "gguf", "--type", "float32", "--python", sys.executable)
    assert printed.code == 0, printed.err
    assert tuneproof("export", sample_run, "--to", tmp_path / "merged", "--form", "merged", "--type", "float32").code == 0
    # transformers reads GGUF too, by code of its own.
    ours = AutoModelForCausalLM.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32).state_dict()
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32).state_dict()
    assert ours.keys() == plain.keys() and all(torch.equal(ours[name], plain[name]) for name in plain)
    assert (folder / "Modelfile").read_text().startswith("FROM ./model.gguf\nPARAMETER temperature 0\n")


@pytest.mark.skipif(
    "TUNEPROOF_LLAMA_PYTHON" not in os.environ and importlib.util.find_spec("llama_cpp") is None,
    reason="needs llama-cpp-python: TUNEPROOF_LLAMA_PYTHON names a Python that has it",
)
@pytest.mark.parametrize("kind", ["float16", "q8_0"])
def test_a_gguf_file_answers_as_measured_in_llama_cpp(sample_run: Path, tmp_path: Path, kind: str) -> None:
    printed = tuneproof("export", sample_run, "--to", tmp_path / "gguf", "--form", "gguf", "--type", kind, "--python", LLAMA_PYTHON)
    assert printed.code == 0, printed.out + printed.err
    check = last_check(tmp_path / "gguf")
    assert check["equal_prompts"] == 80 and check["equal_answers"] >= 79 and check["served_by"].startswith("llama-cpp-python")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--form", "merged", "--type", "q8_0"), 2, "q8_0 is a type of GGUF files"),
        (("--form", "adapter", "--type", "float16"), 2, "an adapter is stored in float32"),
        (("--model", "tickets"), 2, "add --endpoint URL"),
        (("--form", "gguf", "--converter", "nowhere.py"), 2, "there is no such file"),
        (("--form", "merged", "--python", sys.executable + "-nowhere"), 2, "there is no such Python"),
    ],
)
def test_what_cannot_be_exported_is_a_usage_error(sample_run: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    printed = tuneproof("export", sample_run, "--to", tmp_path / "new", *words)
    assert printed.code == code and said in printed.err, printed.err


def test_a_folder_with_something_else_in_it_is_left_alone(sample_run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    printed = tuneproof("export", sample_run, "--to", tmp_path / "mine")
    assert printed.code == 2 and "there is something else at this path" in printed.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_run_without_a_tuned_model_has_nothing_to_export(measured: Path, tmp_path: Path) -> None:
    printed = tuneproof("export", measured, "--to", tmp_path / "new")
    assert printed.code == 3 and "no tuned model" in printed.err and not (tmp_path / "new").exists()
