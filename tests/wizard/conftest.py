"""The fixture of the tests that start from recorded runs."""

from __future__ import annotations

from tests.snapshots.conftest import stage as stage
