"""How a worker whose job has several nodes invites the others to a training: a file in the run folder that they look for.

Only this user can read the file, for it has the key with which nodes and worker authenticate each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FOLDER = "slurm"
"""The folder in the run folder for a job's script, logs and result, and for the rendezvous file."""


class Rendezvous(BaseModel):
    """What a node has to know to take part in a training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nodes: int
    processes: int
    """On each node."""
    control_port: int
    """The worker's, on the first node."""
    store_port: int
    """torchrun's, on the first node: `--master-port`."""
    key: str = Field(repr=False)


def rendezvous_file(run_dir: Path) -> Path:
    """The rendezvous file of this job; each job has its own, so that none reads what another has left behind."""
    return run_dir.resolve() / FOLDER / f"{os.environ['SLURM_JOB_ID']}.rendezvous"


@contextmanager
def published(path: Path, rendezvous: Rendezvous) -> Iterator[None]:
    """Keeps the rendezvous file on disk for as long as the context lasts."""
    temporary = path.with_suffix(".tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(rendezvous.model_dump_json())
    temporary.replace(path)
    try:
        yield
    finally:
        path.unlink()


def read_rendezvous(path: Path) -> Rendezvous | None:
    """The rendezvous that is published now; None if there is none."""
    if not exists_on_shared_disk(path):
        return None
    with suppress(FileNotFoundError):
        return Rendezvous.model_validate_json(path.read_text(encoding="utf-8"))
    return None


def exists_on_shared_disk(path: Path) -> bool:
    """Whether another machine has written a file."""
    # By listing the folder: a network file system caches for a while that a name does not exist.
    return path in path.parent.iterdir()
