"""A data set that is named as on the hub is looked up where it is entered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub import NAME, local_hub
from tuneproof.engine.session.examples_check import check_examples
from tuneproof.engine.session.form_input import InputError, examples_named


def test_a_name_on_the_hub_is_looked_up_and_a_file_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a,b\n")
    with local_hub(monkeypatch, tmp_path / "cache") as asked:
        assert check_examples("rows.csv") == check_examples("") == "" and not asked.is_set()
        assert check_examples(f"hub:{NAME}") == check_examples(NAME) == "on the hub"
        with pytest.raises(InputError, match="no such data set on the hub"):
            check_examples("org/none")
        with pytest.raises(InputError, match="there is no file or folder"):
            check_examples("rows.jsonl")
    assert examples_named(f"hub:{NAME}") == NAME
