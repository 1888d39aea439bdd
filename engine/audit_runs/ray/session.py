"""A Ray session: started quietly, or joined if Ray is already running."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tuneproof.engine.core.errors import RunFailed, UsageError


@contextmanager
def ray_started() -> Iterator[None]:
    """Ray for the length of the block: the cluster at RAY_ADDRESS, or one on this machine. A running one is left running.

    No usage data is sent and no dashboard is opened. Raises UsageError if Ray is not installed or cannot be reached, and RunFailed if Ray
    itself fails in the block.
    """
    # The import reads them.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise UsageError("Ray is not installed", where="--on ray", fix="pip install 'tuneproof[scale]'") from None
    running = ray.is_initialized()
    if not running:
        try:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            address = os.environ.get("RAY_ADDRESS", "")
            raise UsageError(
                f"Ray cannot be reached: {error}", where=f"RAY_ADDRESS={address}", fix="start it, or unset the variable"
            ) from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    except ray.exceptions.RayTaskError:
        # The error comes from code in a worker, not from the cluster.
        raise
    except ray.exceptions.RayError as error:
        last = str(error).strip().splitlines()[-1]
        raise RunFailed(f"Ray failed: {last}", where="--on ray", fix="see its logs; more or smaller shards need less memory") from error
    finally:
        if not running:
            ray.shutdown()
