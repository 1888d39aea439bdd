"""Takes the pictures of the cards of the sample cases: `python -m tests.snapshots.cards`.

The cases are run first, in a minute or so each; with `--runs FOLDER`, their run folders are those in it, named after the cases. With
`--all FOLDER`, whole pages instead, to be looked at.

With `--real`, also the first case on SmolLM2-135M, which `tuneproof sample-model smollm2` fetches: a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.conftest import OUTSIDE_THE_TASK, ROOT, sample_case, set_options, tuneproof
from tests.snapshots.browser import TALLEST, VIEWS, photograph
from tuneproof.engine.card.schema import CARD_HTML

CASES = ("support_tickets", "fixed_labels", "policy_questions", "too_few")
REAL = "support_tickets_smollm2"
REAL_SETTINGS = (
    "model.base=smollm2",
    "training.epochs=2",
    "training.learning_rate=0.0002",
    "baselines=[zero_shot, few_shot, constrained]",
    "risk.minutes=3",
    "risk.cases=100",
)
"""The first case on a real model, small enough for two cores."""

PICTURES = ROOT / "docs" / "pictures" / "cards"
SHOWN = {390: 1500, 1280: 1150}
"""How much of a page the documentation shows, in pixels from the top, by its width."""


def main() -> None:
    """Runs the cases if need be, and writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", metavar="FOLDER", type=Path, help="run folders of the cases, finished before")
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="write whole pages into this folder")
    parser.add_argument("--real", action="store_true", help="the first case on a real small model too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs: Path = options.runs or Path(folder)
        for case in (*CASES, *([REAL] if options.real else [])):
            if options.runs is None:
                _replay(case, runs / case)
            _photograph(runs / case / CARD_HTML, case, options.all)


def _replay(case: str, run: Path) -> None:
    settings = set_options(*REAL_SETTINGS) if case == REAL else OUTSIDE_THE_TASK
    file = sample_case() if case == REAL else sample_case().with_name(f"{case}.yaml")
    result = tuneproof("--replay", file, "--run-dir", run, *settings)
    if result.code:
        sys.exit(result.err)


def _photograph(page: Path, case: str, whole: Path | None) -> None:
    for view in VIEWS:
        target = (whole or PICTURES) / f"{case.replace('_', '-')}-{view.name}.png"
        photograph(page, view, target, most=TALLEST if whole else SHOWN[view.width])
        print(target)


if __name__ == "__main__":
    main()
