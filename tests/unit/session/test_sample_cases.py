"""The sample cases that ship."""

from __future__ import annotations

from tuneproof.engine.session.sample_cases import sample_case_names, sample_cases_folder


def test_each_sample_case_is_a_file_of_its_name() -> None:
    names = sample_case_names()
    assert "support_tickets" in names
    assert all((sample_cases_folder() / f"{name}.yaml").is_file() for name in names)
