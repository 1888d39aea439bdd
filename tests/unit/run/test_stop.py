"""A request to stop is taken in once, however often it comes."""

from __future__ import annotations

import subprocess
import sys


def test_a_second_signal_while_the_first_is_handled_does_not_hang_the_worker() -> None:
    """A cluster signals every process of a job, and the process that started the worker passes its own signal on."""
    assert subprocess.run([sys.executable, "-m", "tests.unit.run.stop_while_stopping"], timeout=120).returncode == 0
