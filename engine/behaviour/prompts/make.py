"""Makes the files with the prompts, always the same ones: `python -m tuneproof.engine.behaviour.prompts.make`."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tuneproof.engine.behaviour.axis_case import AxisCase, rows_text
from tuneproof.engine.behaviour.prompts import forgetting, instructions, safety
from tuneproof.engine.case.risk import Axis

SEED = 20


def prompts_text(axis: Axis) -> str:
    """The content of the file of an axis."""
    match axis:
        case Axis.FORGETTING:
            return rows_text(_in_proportion(forgetting.cases(random.Random(SEED))))
        case Axis.INSTRUCTIONS:
            return rows_text(_in_proportion(instructions.cases(random.Random(SEED))))
        case Axis.SAFETY:
            return rows_text(safety.cases(random.Random(SEED)))


def _in_proportion(cases: Sequence[AxisCase]) -> list[AxisCase]:
    """The cases shuffled so that the first n have each kind in the same proportion as all, for any n."""
    shuffled = list(cases)
    random.Random(SEED).shuffle(shuffled)
    of_task, seen = Counter(case.task for case in shuffled), Counter[str]()
    places = []
    for case in shuffled:
        places.append((seen[case.task] + 0.5) / of_task[case.task])
        seen[case.task] += 1
    return [case for _, case in sorted(zip(places, shuffled, strict=True), key=lambda pair: pair[0])]


def main() -> None:
    """Writes the files beside this one."""
    for axis in Axis:
        Path(__file__).with_name(f"{axis}.jsonl").write_text(prompts_text(axis), encoding="utf-8")


if __name__ == "__main__":
    main()
