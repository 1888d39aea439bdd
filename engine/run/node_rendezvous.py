"""How a worker that is a job on several nodes calls the others to a training: a file in the run folder, for which they look.

Nobody else can read it, for it has the key by which the nodes and the worker know each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FOLDER = "slurm"
"""Where in the run folder the job's script, its logs and its result lie, and the calls."""


class Rendezvous(BaseModel):
    """What a node has to know to take part: `door` and `store` are ports of the first node, of the worker and of torchrun."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nodes: int
    processes: int
    """On each node."""
    door: int
    store: int
    key: str = Field(repr=False)


def rendezvous_file(run_dir: Path) -> Path:
    """Where the calls of this job are put; each job has a place of its own, so that none answers what another has left behind."""
    return run_dir.resolve() / FOLDER / f"{os.environ['SLURM_JOB_ID']}.call"


@contextmanager
def published(path: Path, call: Rendezvous) -> Iterator[None]:
    """Calls the other nodes for as long as the context lasts."""
    temporary = path.with_suffix(".tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(call.model_dump_json())
    temporary.replace(path)
    try:
        yield
    finally:
        path.unlink()


def read_rendezvous(path: Path) -> Rendezvous | None:
    """The call that is out now; none where there is none."""
    if not exists_on_shared_disk(path):
        return None
    with suppress(FileNotFoundError):
        return Rendezvous.model_validate_json(path.read_text(encoding="utf-8"))
    return None


def exists_on_shared_disk(path: Path) -> bool:
    """Whether another machine has written a file."""
    # By listing the folder: a network file system remembers for a while of a name that there was no such file.
    return path in path.parent.iterdir()
