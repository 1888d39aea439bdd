"""The decisions about findings since the case was opened, so that each can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuneproof.engine.audit.quarantine import QuarantineCopy
from tuneproof.engine.case.data import Data
from tuneproof.engine.session.form_input import InputError


@dataclass(frozen=True)
class Decision:
    """One decision: what it was in a few words, the check that it is about, and the data before and after it."""

    what: str
    check: str
    before: Data
    after: Data
    copies: Sequence[QuarantineCopy] = ()
    """The quarantine files that were written with it."""


@dataclass(frozen=True)
class TakenBack:
    """A decision that is taken back, the data as it then is, and the quarantine files that others have changed since, which stay."""

    decision: Decision
    data: Data
    files_kept: list[Path]


@dataclass
class DecisionHistory:
    """The decisions that can still be taken back, oldest first."""

    _decisions: list[Decision] = field(default_factory=list)

    @property
    def last(self) -> Decision | None:
        """The decision that would be taken back; None if there is none."""
        return self._decisions[-1] if self._decisions else None

    def record(self, decision: Decision) -> None:
        """Adds a decision that has been saved."""
        self._decisions.append(decision)

    def take_back(self, data: Data) -> TakenBack:
        """Takes the last decision back, and what it wrote into quarantine files.

        Raises InputError if there is none, or if the decisions or the files were changed elsewhere since.
        """
        if self.last is None:
            raise InputError("there is nothing to undo")
        last = self._decisions.pop()
        if _decided(data) != _decided(last.after):
            self._decisions.clear()
            raise InputError("the data or its decisions were changed elsewhere since, so there is nothing to undo")
        kept = [copy.path for copy in reversed(last.copies) if not copy.take_back()]
        split = data.split.model_copy(update={"group_by": last.before.split.group_by})
        former = {"leave_out": last.before.leave_out, "accept": last.before.accept, "split": split}
        return TakenBack(last, data.model_copy(update=former), kept)


def _decided(data: Data) -> tuple[object, ...]:
    return data.examples, data.eval, data.columns, data.leave_out, data.accept, data.split.group_by
