"""What submitit runs on each node of a job, with the worker of `tests.failing_worker`: `python -m tests.failing_slurm_task RUN_DIR`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.failing_worker import FAILING_WORKER
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import slurm_job


def start_failing_worker(run_dir: Path, until: Stage, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*FAILING_WORKER, str(run_dir), "--until", until, *options])


def main() -> None:
    setattr(slurm_job, "start_process", start_failing_worker)  # noqa: B010  the name is imported there, not defined
    run_dir = Path(sys.argv[1])
    code = slurm_job.run_in_job(run_dir, Stage.TRAIN)
    if os.environ["SLURM_PROCID"] == "0":
        # The result that submitit would write, which ends the agents of the other nodes.
        (run_dir / "slurm" / f"{os.environ['SLURM_JOB_ID']}_0_result.pkl").touch()
    sys.exit(code)


if __name__ == "__main__":
    main()
