"""The optional extras of the installed package, as its own metadata lists them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import metadata, requires

from packaging.requirements import Requirement

from tuneproof.engine.core.hardware import is_installed
from tuneproof.engine.doctor.line import Group, Line, good, missing
from tuneproof.engine.doctor.machine import DISTRIBUTION

FOR_DEVELOPERS = "dev"

USES = {
    "browser": "the wizard in a browser: tuneproof --serve",
    "export": "the adapter or merged model as GGUF",
    "labels": "labels that may be wrong, found by cleanlab",
    "optimise": "the arm optimised_prompt",
    "quantised": "bases in 4 or 8 bits, optimizers in 8 bits",
    "scale": "the audit on Ray",
    "slurm": "the worker as a Slurm job",
}
"""What each extra adds."""


def extra_lines() -> Iterator[Line]:
    """A line for each extra that a user may want."""
    wanted = [Requirement(text) for text in requires(DISTRIBUTION) or []]
    for extra in sorted(metadata(DISTRIBUTION).get_all("Provides-Extra") or []):
        if extra == FOR_DEVELOPERS:
            continue
        needed = [each.name for each in wanted if each.marker is not None and _only_with(each, extra)]
        absent = [name for name in needed if not is_installed(name)]
        use = USES.get(extra, "")
        if absent:
            yield missing(Group.EXTRAS, extra, f"{', '.join(absent)}: {use}", f"pip install 'tuneproof[{extra}]'")
        else:
            yield good(Group.EXTRAS, extra, f"{', '.join(needed)}: {use}")


def _only_with(wanted: Requirement, extra: str) -> bool:
    assert wanted.marker is not None
    return wanted.marker.evaluate({"extra": extra}) and not wanted.marker.evaluate({"extra": ""})
