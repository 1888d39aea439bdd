"""The sample cases that ship with the program."""

from __future__ import annotations

from pathlib import Path

import tuneproof.sample_cases


def sample_cases_folder() -> Path:
    """The folder of the sample cases."""
    return Path(tuneproof.sample_cases.__file__).parent


def sample_case_names() -> list[str]:
    """The file names of the sample cases without `.yaml`, sorted."""
    return sorted(path.stem for path in sample_cases_folder().glob("*.yaml"))
