"""A base is looked at where it is entered: its folder, or the hub, which is given up after a few seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub import NAME, local_hub
from tests.unit.models.bases import base_with
from tests.unit.models.broken_folders import NOT_LOADABLE, NOT_WHOLE, sample_copy
from tuneproof.engine.models import hub_lookup
from tuneproof.engine.session.base_check import check_base, describe_base
from tuneproof.engine.session.form_input import InputDoubt, InputError


def test_a_folder_says_what_model_it_has(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Small\n")
    told = describe_base(str(folder))
    assert "context 2,048 tokens, with a chat template, licence apache-2.0" in told and "MB of weights" in told
    assert "no licence given" in check_base("sample") and check_base(" ") == ""


@pytest.mark.parametrize("wrong", list(NOT_WHOLE)[:4])
def test_a_folder_that_is_not_whole_is_refused_with_the_file(wrong: str, tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    spoil, expected = NOT_WHOLE[wrong]
    spoil(folder)
    with pytest.raises(InputError, match=expected):
        check_base(str(folder))


def test_a_model_of_the_hub_says_what_it_is_and_one_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with local_hub(monkeypatch, tmp_path):
        assert check_base(NAME) == "on the hub, not downloaded yet: llama, 2.5 GB of weights, with a chat template, licence apache-2.0"
        with pytest.raises(InputError, match="no such folder, and no such model on the hub") as refused:
            check_base("org/none")
        assert not isinstance(refused.value, InputDoubt)
        with pytest.raises(InputError, match="no such folder, and this is no name on the hub"):
            check_base("./models/mine")


def test_a_hub_that_says_nothing_is_given_up_and_the_models_that_are_here_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = sample_copy(tmp_path / "models--org--here" / "snapshots" / ("0" * 40))
    (tmp_path / "models--org--here" / "refs").mkdir()
    (tmp_path / "models--org--here" / "refs" / "main").write_text(snapshot.name)
    monkeypatch.setattr(hub_lookup, "SECONDS", 0.2)
    with local_hub(monkeypatch, tmp_path, silent=True):
        with pytest.raises(InputDoubt, match=r"the hub does not answer .*; on this machine: org/here"):
            check_base("org/far")
        assert check_base("org/here").startswith("on this machine: ")


@pytest.mark.long
def test_a_base_that_no_run_could_use_is_refused_and_an_unusual_one_says_so_where_it_is_entered(tmp_path: Path) -> None:
    spoil, expected = NOT_LOADABLE["a template that raises"]
    spoil(sample_copy(tmp_path / "raises"))
    with pytest.raises(InputError, match=expected):
        check_base(str(tmp_path / "raises"))
    base_with("strict_turns", tmp_path / "strict")
    told = check_base(str(tmp_path / "strict"))
    assert "licence given. the chat template takes no system turn: a system text goes before" in told
