"""`tuneproof runs`: the runs of a folder, as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.run.listing import RunSummary, list_runs

HEAD = ("state", "stage", "verdict", "run", "in a few words")


def runs_text(folder: Path) -> str:
    """A table with one line per run, the latest activity first; a sentence if there are no runs."""
    runs = list_runs(folder)
    if not runs:
        return f"no runs in {sanitize(str(folder), one_line=True)}; start one with: tuneproof --replay support_tickets.yaml"
    rows = [HEAD, *map(_row, runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) - 1)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]
    return "\n".join(lines)


def runs_json(folder: Path) -> str:
    """The document that `--json` prints; times are in seconds since 1970, and unknown values are null."""
    runs = [
        {
            "path": str(run.path),
            "name": run.name,
            "state": run.status,
            "stage": run.stage,
            "verdict": run.verdict,
            "headline": run.headline,
            "started": run.started,
            "updated": run.updated,
        }
        for run in list_runs(folder)
    ]
    # In ASCII, because the name of a folder may not be valid Unicode.
    return json.dumps({"runs": runs})


def _row(run: RunSummary) -> tuple[str, ...]:
    cells = (run.status, run.stage or "-", run.verdict or "-", str(run.path), run.headline or "")
    return tuple(sanitize(cell, one_line=True) for cell in cells)
