"""The case file that a word on the command line names."""

from __future__ import annotations

import sys
from pathlib import Path

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.session.sample_cases import SAMPLE_CASES, sample_cases_folder


def find_case(name: Path) -> Path:
    """The case file of that name, in the current folder or else among the sample cases. Raises CaseError if there is none."""
    if name.exists():
        return name
    shipped = shipped_case(name)
    if shipped is not None:
        print(f"there is no {name} here: using the sample case that ships with tuneproof", file=sys.stderr)
        return shipped
    raise CaseError(
        "there is no such case file",
        where=str(name),
        fix=f"the sample cases are {', '.join(f'{each.name}.yaml' for each in SAMPLE_CASES)}",
    )


def shipped_case(name: Path) -> Path | None:
    """The sample case of that name, with or without `.yaml`; None if there is none."""
    shipped = sample_cases_folder() / name.with_suffix(".yaml").name if name.name else None
    return shipped if shipped is not None and len(name.parts) == 1 and shipped.is_file() else None
