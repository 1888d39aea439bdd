"""Why answers may be graded otherwise than they were: a package has another version."""

from __future__ import annotations

from importlib.metadata import version

from tuneproof.engine.run import artifacts
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.scoring.libraries import LIBRARIES


def other_libraries(run: RunSnapshot) -> str:
    """The packages that grade answers whose version is not the one that graded the run."""
    recorded = artifacts.ModelFacts.model_validate_json(run.read(artifacts.MODEL)).versions
    others = [
        f"{name} {recorded[name]}, here {version(name)}" for name in LIBRARIES if name in recorded and recorded[name] != version(name)
    ]
    return f"; they were graded with {' and '.join(others)}" if others else ""
