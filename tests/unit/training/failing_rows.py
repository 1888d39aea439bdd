"""Rows that rank 1 of a training cannot read."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from tuneproof.engine.training.tokenize import EncodedRow


class FailingRows(list[EncodedRow]):
    """Rows that rank 1 has not enough memory to read."""

    def __iter__(self) -> Iterator[EncodedRow]:
        if os.environ.get("RANK") == "1":
            self.fail()
        return super().__iter__()

    def fail(self) -> None:
        """What happens to rank 1."""
        raise MemoryError("can't allocate memory")


class KillingRows(FailingRows):
    """Rows that kill rank 1."""

    def fail(self) -> None:
        """What happens to rank 1."""
        os.kill(os.getpid(), signal.SIGKILL)
