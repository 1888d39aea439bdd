"""A model folder that is half there is an error that names the file and what to do, before anything else is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.models.broken_folders import ENDLESS, INDEX, NOT_LOADABLE, NOT_WHOLE, WEIGHTS, cut_in_half, sample_copy, split_weights
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import CaseError, ExitCode
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.models.bounded_call import ends_within_limits
from tuneproof.engine.models.files import digest_of, file_digests
from tuneproof.engine.models.folder_check import check_named_folder


@pytest.mark.parametrize("wrong", NOT_WHOLE)
def test_what_is_wrong_with_the_files_is_found_when_the_folder_is_named(wrong: str, tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    spoil, expected = NOT_WHOLE[wrong]
    spoil(folder)
    with pytest.raises(CaseError, match=expected) as found:
        check_named_folder(str(folder))
    assert found.value.exit_code is ExitCode.USAGE and found.value.fix and str(folder) in found.value.where


@pytest.mark.parametrize("wrong", NOT_LOADABLE)
def test_what_is_wrong_with_the_model_is_found_when_the_run_begins(wrong: str, tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    spoil, expected = NOT_LOADABLE[wrong]
    spoil(folder)
    with pytest.raises(CaseError, match=expected) as found:
        load_base(ModelChoice(base=str(folder)))
    assert found.value.exit_code is ExitCode.USAGE


def test_a_whole_folder_is_fine_in_one_file_or_several(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    check_named_folder(str(folder))
    split_weights(folder)
    assert load_base(ModelChoice(base=str(folder))).context_length == 2048


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(CaseError, match="a base model is a folder, and this is a file"):
        check_named_folder(str(tmp_path / "model.gguf"))


def test_a_call_that_never_ends_is_ended_even_inside_one_operation() -> None:
    assert not ends_within_limits(lambda: 10 ** (10**9), seconds=1)
    assert ends_within_limits(lambda: 1 / 0)


def test_a_template_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneproof.engine.models.bounded_call.SECONDS", 1)
    folder = sample_copy(tmp_path / "model")
    (folder / "chat_template.jinja").write_text(ENDLESS)
    with pytest.raises(CaseError, match="too much time or memory"):
        load_base(ModelChoice(base=str(folder)))


def test_the_digest_covers_what_an_index_names_below_the_folder(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    split_weights(folder, "parts/one.safetensors")
    (folder / "parts").mkdir()
    (folder / "model-00001-of-00002.safetensors").rename(folder / "parts" / "one.safetensors")
    before = file_digests(folder)
    assert {"parts/one.safetensors", INDEX, "config.json", "chat_template.jinja"} <= before.keys()
    assert load_base(ModelChoice(base=str(folder))).sha256 == digest_of(before)
    with (folder / "parts" / "one.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    assert digest_of(file_digests(folder)) != digest_of(before)


def test_a_folder_that_is_put_back_as_it_was_has_its_digest_again(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    before, content = digest_of(file_digests(folder)), (folder / WEIGHTS).read_bytes()
    cut_in_half(folder / WEIGHTS)
    assert digest_of(file_digests(folder)) != before
    (folder / WEIGHTS).write_bytes(content)
    assert digest_of(file_digests(folder)) == before
