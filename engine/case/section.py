"""How every section of the case file is read."""

from __future__ import annotations

from pydantic import ConfigDict

AS_WRITTEN = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
"""Unknown keys are errors, and a word is never taken for a number or a yes."""
